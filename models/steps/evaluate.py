"""Measuring one variant on labelled texts or photos, by the definitions of the design."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import brotli
import numpy as np
from numpy.typing import NDArray

from models.steps import metrics
from models.steps.errors import StepError
from models.steps.rows import Row, RowScorer, reader

QUICK_FROM = 8_000_000


def brotli_bytes(content: bytes) -> int:
    """Size on the wire: Brotli, largest standard window, quality 11 as the site serves it; 5 for what is too large for
    a browser anyway, where 11 would take minutes."""
    return len(brotli.compress(content, quality=11 if len(content) < QUICK_FROM else 5, lgwin=24))


def scores_of(rows: Sequence[Row], score: RowScorer, entry: dict[str, Any]) -> NDArray[np.float64]:
    """float64 [rows, P]."""
    found = np.zeros((len(rows), len(entry["labels"])))
    for index, row in enumerate(rows):
        scores = score(row)
        found[index] = [scores[label] for label in entry["labels"]]
    return found


def figures(rows: Sequence[Row], scores: NDArray[np.float64], entry: dict[str, Any]) -> dict[str, Any]:
    """Figures of scored rows. A label the model does not know is an unsafe row that no class can win."""
    labels = entry["labels"]
    unsafe_score = 1 - scores[:, labels.index("safe")]
    unsafe = np.array([row.policy != "safe" for row in rows])
    truth = np.array([labels.index(row.policy) if row.policy in labels else -1 for row in rows])
    policies = metrics.per_policy(labels, truth, scores)
    f1 = [found["f1"] for found in policies.values() if found]
    warned = unsafe_score[~unsafe] >= entry["operating_points"]["warn"]
    return {
        "rows": len(rows),
        "unsafe_roc_auc": metrics.roc_auc(unsafe, unsafe_score),
        "unsafe_ap": metrics.average_precision(unsafe, unsafe_score),
        "unsafe_recall_at_fpr_1pct": metrics.recall_at_fpr(unsafe, unsafe_score, 0.01),
        "macro_f1": float(np.mean(f1)) if f1 else None,
        "ece": metrics.expected_calibration_error(unsafe, unsafe_score),
        "warn_rate": float(warned.mean()) if len(warned) else None,
        "per_policy": policies,
    }


def by_source(
    rows: Sequence[Row], scores: NDArray[np.float64], entry: dict[str, Any], *, intervals: bool = False
) -> dict[str, Any]:
    """For each source {rows, unsafe, warned_safe, warned_unsafe, unsafe_roc_auc}: the shares at or above the
    published warn threshold; AUC where the source has both kinds, with its bootstrap interval of 95 % on demand."""
    unsafe_score = 1 - scores[:, entry["labels"].index("safe")]
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[row.source].append(index)
    found: dict[str, dict[str, Any]] = {}
    for source, places in sorted(groups.items()):
        unsafe = np.array([rows[i].policy != "safe" for i in places])
        score = unsafe_score[places]
        warned = score >= entry["operating_points"]["warn"]
        found[source or "(none)"] = {
            "rows": len(places),
            "unsafe": int(unsafe.sum()),
            "warned_safe": float(warned[~unsafe].mean()) if (~unsafe).any() else None,
            "warned_unsafe": float(warned[unsafe].mean()) if unsafe.any() else None,
            "unsafe_roc_auc": metrics.roc_auc(unsafe, score),
        }
        if intervals:
            found[source or "(none)"]["interval"] = metrics.bootstrap(unsafe, score, metrics.roc_auc)
    return found


def evaluate_file(
    data: Path, score: RowScorer, entry: dict[str, Any], model: str, variant: str, by: str = ""
) -> dict[str, Any]:
    """The JSON object of `python -m models evaluate`; time is that of a row as the server runs the check, one thread.
    by: "source" adds `by_source`. Raises StepError."""
    rows = reader(model).rows(data)
    if not rows:
        raise StepError(f"{data} holds no rows.")
    if by and not any(row.source for row in rows):
        raise StepError(f"{data} has no column source to tell rows apart by.")
    began = time.perf_counter()
    scores = scores_of(rows, score, entry)
    spent = time.perf_counter() - began
    about = entry["variants"][variant]
    found = {"model": model, "variant": variant, "bytes": about["bytes"], "brotli_bytes": about["brotli_bytes"]}
    found |= figures(rows, scores, entry) | {"ms_per_row_1thread": spent / len(rows) * 1000}
    if by:
        found["by_source"] = by_source(rows, scores, entry)
    return found


def with_intervals(
    rows: Sequence[Row], score: RowScorer, entry: dict[str, Any], *, by_each_source: bool = False
) -> dict[str, Any]:
    """As `figures`, with bootstrap intervals of 95 % and the precision that a moderator would see at the warn
    threshold where 1 % of listings are unsafe."""
    scores = scores_of(rows, score, entry)
    unsafe_score = 1 - scores[:, entry["labels"].index("safe")]
    unsafe = np.array([row.policy != "safe" for row in rows])
    warned = unsafe_score >= entry["operating_points"]["warn"]
    found = figures(rows, scores, entry)
    if by_each_source:
        found["by_source"] = by_source(rows, scores, entry, intervals=True)
    return found | {
        "warn_recall": float(warned[unsafe].mean()) if unsafe.any() else None,
        "precision_at_1pct_prevalence": metrics.precision_at_prevalence(unsafe, warned, 0.01),
        "intervals": {
            "unsafe_roc_auc": metrics.bootstrap(unsafe, unsafe_score, metrics.roc_auc),
            "unsafe_recall_at_fpr_1pct": metrics.bootstrap(
                unsafe, unsafe_score, lambda u, s: metrics.recall_at_fpr(u, s, 0.01)
            ),
        },
    }
