"""The text check as the server runs it: fields in, a verdict out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import contract, manifest, runtime

MODEL = "listing-text"
PROVIDER = "cpu"


def check_text(
    fields: contract.Fields, *, variant: str = "device", where: str = "gate", folder: Path = manifest.PUBLISHED
) -> dict[str, Any]:
    """Verdict of design section 5 on named texts, title first. Every window is scored, the worst one counts.

    evidence: UTF-16 offsets in the fields as typed; empty when nothing is held against the text. ms: wall time.
    Raises ModelUnavailable.
    """
    began = time.perf_counter()
    entry = manifest.model(manifest.load(folder), MODEL)
    variant_name = manifest.variant_name(entry, variant)
    session = runtime.session(MODEL, variant_name, folder)
    packed = contract.pack(fields)
    points = entry["operating_points"]
    results, evidence = run_windows(session, packed, entry["labels"], entry["window_bytes"])
    found = contract.combine(results, points)
    marks = contract.spans(packed, evidence, entry["labels"], found["policy"], points["evidence_floor"])
    return {
        "model": MODEL,
        "version": entry["version"],
        "variant": variant_name,
        "where": where,
        "scores": {name: round(score, 6) for name, score in found["scores"].items()},
        "coverage": round(found["coverage"], 6),
        "decision": found["decision"],
        "policy": found["policy"],
        "evidence": marks,
        "ms": round((time.perf_counter() - began) * 1000, 3),
        "provider": PROVIDER,
        "digest": contract.digest(packed),
    }


def run_windows(
    session: onnxruntime.InferenceSession, packed: contract.Packed, labels: list[str], window_bytes: int
) -> tuple[list[tuple[dict[str, float], float]], NDArray[np.float32]]:
    """(scores by label, coverage) of each window, and the windows' evidence one after the other [bytes, labels]."""
    results: list[tuple[dict[str, float], float]] = []
    evidence: list[NDArray[np.float32]] = []
    for begin, end in contract.windows(packed, window_bytes):
        window = np.frombuffer(packed.data[begin:end], np.uint8)
        scores, marks, coverage = session.run(["scores", "evidence", "coverage"], {"bytes": window})
        results.append((dict(zip(labels, map(float, scores), strict=True)), float(coverage)))
        evidence.append(marks)
    return results, np.concatenate(evidence)
