"""Golden vectors: what the device variant answers on odd texts. Tests read them, only `publish` writes them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from models import contract, manifest, patch, runtime, text
from models.sets import Release
from models.steps.golden_cases import PATCHED, PATCHED_TEXTS, cases, text_of

KNOWN_LIMITS = [
    "The code points whose NFKC form differs between the Unicode tables of Python and of the browser.",
    "Text in a form is typed with LF and sent with CRLF: pack makes both LF, so offsets count CRLF as two.",
]


ANSWERED_BYTES = 5_000  # longer ones would take most of the time, and say again what shorter ones say
ANSWER = ("decision", "policy")


def write_answers(path: Path, answers: list[dict[str, Any]]) -> None:
    """What the site holds a patch against before anybody gets it."""
    lines = ",\n".join("  " + json.dumps(answer, ensure_ascii=True) for answer in answers)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def expected(fields: list[tuple[str, str]], verdict: dict[str, Any]) -> dict[str, Any]:
    """The part of a verdict that every twin must reproduce."""
    packed = contract.pack(fields)
    kept = ("digest", "scores", "coverage", "decision", "policy")
    return {"packed_bytes": len(packed.data)} | {key: verdict[key] for key in kept} | {"spans": verdict["evidence"]}


def takes_patches(published: Path) -> bool:
    labels = len(manifest.model(manifest.load(published), text.MODEL)["labels"])
    return runtime.variant_bytes(text.MODEL, "device", published).endswith(patch.nothing(labels))


def made_up(published: Path) -> bytes:
    """A patch of every feature of a few words (PATCHED), some moved towards a policy and some towards safe."""
    entry = manifest.model(manifest.load(published), text.MODEL)
    labels, weights = entry["labels"], {}
    session = runtime.open_session(patch.opened_up(runtime.variant_bytes(text.MODEL, "device", published)))
    for word, (label, weight) in PATCHED.items():
        (ids,) = session.run([patch.FEATURES], {"bytes": np.frombuffer(word.encode(), np.uint8)})
        for number in np.unique(ids[ids >= 0]):
            weights[int(number)] = (labels.index(label), weight)
    slots = {number % patch.SLOTS: number for number in sorted(weights)}
    ids = np.array(sorted(slots.values()), np.int32)
    rows = np.zeros((len(ids), len(labels)), np.int8)
    for row, number in enumerate(ids):
        column, weight = weights[int(number)]
        rows[row, column] = weight
    return patch.written(patch.Patch(ids, rows, 0.01))


def patched_file(published: Path, release: Release) -> dict[str, Any]:
    """What the twin needs to make the patched file, and the hash that it must come to."""
    labels = len(manifest.model(manifest.load(published), text.MODEL)["labels"])
    made = patch.patched(runtime.variant_bytes(text.MODEL, "device", published), release.content, labels)
    return {"replaces": len(patch.nothing(labels)), "patched_sha256": hashlib.sha256(made).hexdigest()}


def write(path: Path, published: Path) -> int:
    """Write the file; returns how many cases it holds."""
    found: list[dict[str, Any]] = []
    for name, spec in cases().items():
        fields = [(field, text_of(value)) for field, value in spec]
        verdict = text.check_text(fields, variant="device", folder=published)
        found.append({"name": name, "fields": [list(pair) for pair in spec], "expected": expected(fields, verdict)})
    answers = [{key: case[key] for key in ("name", "fields")} | {key: case["expected"][key] for key in ANSWER}
               for case in found if case["expected"]["packed_bytes"] <= ANSWERED_BYTES]  # fmt: skip
    write_answers(published / patch.GOLDEN, answers)
    golden = {"model": text.MODEL, "version": verdict["version"], "tolerance": 1e-4, "known_limits": KNOWN_LIMITS}
    if takes_patches(published):
        release = Release(1, made_up(published))
        golden |= {"patch": base64.b64encode(release.content).decode()} | patched_file(published, release)
        again: list[tuple[str, list[Any]]] = [
            (f"with a patch: {title[:40]}", [("title", title), ("description", "")]) for title in PATCHED_TEXTS
        ]
        again += [(f"with a patch: {answer['name']}", answer["fields"]) for answer in answers]
        for name, spec in again:
            fields = [(field, text_of(value)) for field, value in spec]
            patched = text.check_text(fields, variant="device", folder=published, release=release)
            found.append({"name": name, "patched": True, "fields": spec, "expected": expected(fields, patched)})
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in found)
    head = json.dumps(golden, indent=2)[:-2]
    path.write_text(f'{head},\n  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return len(found)
