"""One way to score a text with any of the text models: packed text in, scores and coverage of its windows out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import contract, manifest, runtime
from models.contract import Packed

# (scores by label, coverage) of each window of a text.
Results = list[tuple[dict[str, float], float]]
Scorer = Callable[[Packed], Results]

# What cuts texts into word pieces, by process and by the hashes of its files: several models read through the same one.
_readers: dict[tuple[Any, ...], Any] = {}


def files_of(entry: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """The further files of a published model, by name, checked. Raises ModelUnavailable."""
    found = entry.get("files", {})
    return {name: runtime.checked_bytes(folder / about["file"], about["sha256"]) for name, about in found.items()}


def scorer(session: onnxruntime.InferenceSession, entry: dict[str, Any], files: dict[str, bytes]) -> Scorer:
    """A scorer for an open session. entry: labels and the window's size. Raises ModelUnavailable."""
    if "window_bytes" in entry:
        return lambda packed: run_windows(session, packed, entry["labels"], entry["window_bytes"])[0]
    from models import wordpieces  # the tokenizer is loaded by those who need it

    return wordpieces.scorer(session, wordpieces.reader(files), entry)


def published(entry: dict[str, Any], model: str, variant: str, folder: Path = manifest.PUBLISHED) -> Scorer:
    """A scorer of a published variant of a model that reads word pieces; session and reader are kept while the files
    stay the same, a failure is not kept. Raises ModelUnavailable."""
    from models import wordpieces

    return wordpieces.scorer(runtime.session(model, variant, folder), reader(entry, folder), entry)


def reader(entry: dict[str, Any], folder: Path = manifest.PUBLISHED) -> Any:
    """What cuts texts into word pieces for a published model (`wordpieces.Reader`). Raises ModelUnavailable."""
    from models import wordpieces

    key = (os.getpid(), *(about["sha256"] for about in entry["files"].values()))
    if key not in _readers:
        _readers[key] = wordpieces.reader(files_of(entry, folder))
    return _readers[key]


def run_windows(
    session: onnxruntime.InferenceSession, packed: Packed, labels: list[str], window_bytes: int
) -> tuple[Results, NDArray[np.float32]]:
    """(scores by label, coverage) of each window, and the windows' evidence one after the other [bytes, labels]."""
    results: Results = []
    evidence: list[NDArray[np.float32]] = []
    for begin, end in contract.windows(packed, window_bytes):
        window = np.frombuffer(packed.data[begin:end], np.uint8)
        scores, marks, coverage = session.run(["scores", "evidence", "coverage"], {"bytes": window})
        results.append((dict(zip(labels, map(float, scores), strict=True)), float(coverage)))
        evidence.append(marks)
    return results, np.concatenate(evidence)
