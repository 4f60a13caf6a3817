"""Measuring one variant on labelled text, by the definitions of the design."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import brotli
import numpy as np
import onnxruntime

from models.contract import combine, pack
from models.steps import metrics
from models.steps.data import TextRow, read_text
from models.steps.errors import StepError
from models.text import run_windows


def brotli_bytes(content: bytes) -> int:
    """Size on the wire: Brotli, quality 11, largest standard window."""
    return len(brotli.compress(content, quality=11, lgwin=24))


def evaluate_rows(rows: list[TextRow], session: onnxruntime.InferenceSession, entry: dict[str, Any]) -> dict[str, Any]:
    """Figures for rows; `entry` holds labels, window_bytes and operating_points. A label the model does not know is
    an unsafe row that no class can win. Time is that of the check as the server runs it, one thread."""
    labels, points = entry["labels"], entry["operating_points"]
    scores = np.zeros((len(rows), len(labels)))
    began = time.perf_counter()
    for index, row in enumerate(rows):
        packed = pack(row.fields)
        results, _ = run_windows(session, packed, labels, entry["window_bytes"])
        found = combine(results, points)["scores"]
        scores[index] = [found[label] for label in labels]
    spent = time.perf_counter() - began
    unsafe_score = 1 - scores[:, labels.index("safe")]
    unsafe = np.array([row.policy != "safe" for row in rows])
    truth = np.array([labels.index(row.policy) if row.policy in labels else -1 for row in rows])
    policies = metrics.per_policy(labels, truth, scores)
    f1 = [found["f1"] for found in policies.values() if found]
    warned = unsafe_score[~unsafe] >= points["warn"]
    return {
        "rows": len(rows),
        "unsafe_roc_auc": metrics.roc_auc(unsafe, unsafe_score),
        "unsafe_ap": metrics.average_precision(unsafe, unsafe_score),
        "unsafe_recall_at_fpr_1pct": metrics.recall_at_fpr(unsafe, unsafe_score, 0.01),
        "macro_f1": float(np.mean(f1)) if f1 else None,
        "ece": metrics.expected_calibration_error(unsafe, unsafe_score),
        "warn_rate": float(warned.mean()) if len(warned) else None,
        "per_policy": policies,
        "ms_per_row_1thread": spent / len(rows) * 1000,
    }


def evaluate_file(
    data: Path, content: bytes, session: onnxruntime.InferenceSession, entry: dict[str, Any], model: str, variant: str
) -> dict[str, Any]:
    """The JSON object of `python -m models evaluate`. Raises StepError."""
    rows = read_text(data)
    if not rows:
        raise StepError(f"{data} holds no rows.")
    about = {"model": model, "variant": variant, "bytes": len(content), "brotli_bytes": brotli_bytes(content)}
    return about | evaluate_rows(rows, session, entry)
