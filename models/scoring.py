"""One way to score a text with any of the text models: packed text in, scores and coverage of its windows out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime

from models import manifest, runtime, text
from models.contract import Packed

Scorer = Callable[[Packed], text.Results]


def files_of(entry: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """The further files of a published model, by name, checked. Raises ModelUnavailable."""
    found = entry.get("files", {})
    return {name: runtime.checked_bytes(folder / about["file"], about["sha256"]) for name, about in found.items()}


def scorer(session: onnxruntime.InferenceSession, entry: dict[str, Any], files: dict[str, bytes]) -> Scorer:
    """A scorer for an open session. entry: labels and the window's size. Raises ModelUnavailable."""
    if "window_bytes" in entry:
        return lambda packed: text.run_windows(session, packed, entry["labels"], entry["window_bytes"])[0]
    from models import wordpieces  # the tokenizer is loaded by those who need it

    return wordpieces.scorer(session, wordpieces.reader(files), entry)


def published(model: str, variant: str, folder: Path = manifest.PUBLISHED) -> Scorer:
    """A scorer of a published variant ("device" and "cloud" are aliases). Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), model)
    session = runtime.session(model, manifest.variant_name(entry, variant), folder)
    return scorer(session, entry, files_of(entry, folder))
