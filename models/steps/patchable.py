"""Make the published device file of listing-text one that takes patches, from itself: nothing is trained, and no score
changes by a bit. `compress` makes the same graph of a new fit (recipes/listing_text/patchable.py)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from models import manifest as manifests
from models import patch, runtime, text
from models.recipes.listing_text.front import Shape
from models.recipes.listing_text.patchable import patchable
from models.steps import compress, golden, publish, reads_text, recipe, wasm
from models.steps.errors import StepError
from models.steps.evaluate import brotli_bytes


def make_patchable(published: Path, say: Callable[[str], None], golden_folder: Path = publish.GOLDEN) -> None:
    """Write the file, the golden vectors, the card's sizes and, last, the manifest. Raises StepError on a refusal."""
    settings = recipe.read(text.MODEL)
    manifest = copy.deepcopy(manifests.load(published))
    entry = manifests.model(manifest, text.MODEL)
    name = manifests.variant_name(entry, publish.BROWSER)
    before = runtime.variant_bytes(text.MODEL, name, published)
    if before.endswith(patch.nothing(len(entry["labels"]))):
        say(f"{entry['variants'][name]['file']} takes patches already; the golden vectors are written anew.")
    else:
        made = patchable(onnx.load_model_from_string(before), Shape(**settings["shape"]))
        replace(manifest, name, before, compress.serialised(made), settings, published)
        say(f"Published {entry['variants'][name]['file']}")
    say(f"Golden vectors: {golden.write(golden_folder / reads_text.GOLDEN, published)} cases")


def replace(
    manifest: dict[str, Any], name: str, before: bytes, after: bytes, settings: dict[str, Any], published: Path
) -> None:
    entry = manifest["models"][text.MODEL]
    about = entry["variants"][name]
    feeds, outputs = reads_text.golden_feeds(entry), reads_text.outputs(entry)
    old, new = runtime.open_session(before), runtime.open_session(after)
    for feed in feeds:
        if any(not np.array_equal(a, b) for a, b in zip(old.run(outputs, feed), new.run(outputs, feed), strict=True)):
            raise StepError("Not published: an answer has changed.")
    size = brotli_bytes(after)
    publish.refuse_size(f"{name} (Brotli)", size, settings["limits"]["brotli_bytes"])
    said = publish.about_file(f"{text.MODEL}-{name}", "onnx", after)
    path = published / said["file"]
    publish.replace(path, after)
    reason = wasm.unavailable()
    if reason:
        raise StepError(f"Not published: no comparison with WASM, {reason}.")
    gap = wasm.difference(path, feeds, outputs)
    publish.refuse_wasm_difference(gap, settings["limits"]["wasm_difference"], "", without_wasm=False)
    card = published / f"{text.MODEL}.md"
    told = card.read_text(encoding="utf-8")
    for was, now in ((about["bytes"], said["bytes"]), (about["brotli_bytes"], size)):
        told = told.replace(f"{was:,}", f"{now:,}")
    former = published / about["file"]
    about.update(said | {"brotli_bytes": size, "wasm_difference": gap})
    publish.replace(card, told.encode())
    publish.replace(published / manifests.FILE, (json.dumps(manifest, indent=2) + "\n").encode())
    former.unlink()
