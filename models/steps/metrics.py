"""Figures of merit, by the definitions of the design. Plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


def roc_auc(unsafe: Bools, score: Floats) -> float | None:
    """Chance that an unsafe row scores above a safe one, ties count half; None without both kinds."""
    positives = int(unsafe.sum())
    negatives = len(unsafe) - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[unsafe].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(unsafe: Bools, score: Floats) -> float | None:
    """Sum of precision times the gain in recall over the distinct thresholds; None without unsafe rows."""
    if not unsafe.any():
        return None
    true, false = _counts_by_threshold(unsafe, score)
    precision = true / (true + false)
    recall = true / true[-1]
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def recall_at_fpr(unsafe: Bools, score: Floats, limit: float) -> float | None:
    """The best recall with a false-positive rate of at most `limit`; None without both kinds."""
    if not unsafe.any() or unsafe.all():
        return None
    true, false = _counts_by_threshold(unsafe, score)
    allowed = false / (~unsafe).sum() <= limit
    return float(true[allowed].max() / unsafe.sum()) if allowed.any() else 0.0


def threshold_at_fpr(unsafe: Bools, score: Floats, limit: float) -> float:
    """The lowest threshold (score >= threshold warns) with a false-positive rate of at most `limit`."""
    safe = np.sort(score[~unsafe])[::-1]
    allowed = int(np.floor(limit * len(safe)))
    if allowed >= len(safe):
        return 0.0
    return float(np.nextafter(safe[allowed], 2.0))


def precision_at_prevalence(unsafe: Bools, warned: Bools, prevalence: float) -> float | None:
    """The share of warnings that are right where `prevalence` of all listings are unsafe; None without both kinds, or
    without any warning."""
    if not unsafe.any() or unsafe.all() or not warned.any():
        return None
    hits, alarms = float(warned[unsafe].mean()) * prevalence, float(warned[~unsafe].mean()) * (1 - prevalence)
    return hits / (hits + alarms)


def bootstrap(
    unsafe: Bools,
    score: Floats,
    figure: Callable[[Bools, Floats], float | None],
    rounds: int = 300,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Percentile interval of 95 % of a figure, rows drawn anew with replacement within each kind (Efron 1979)."""
    rng = np.random.default_rng(seed)
    kinds = [np.flatnonzero(unsafe), np.flatnonzero(~unsafe)]
    if not all(len(kind) for kind in kinds):
        return None
    found = []
    for _ in range(rounds):
        rows = np.concatenate([rng.choice(kind, len(kind)) for kind in kinds])
        found.append(figure(unsafe[rows], score[rows]))
    low, high = np.quantile(np.array(found, float), [0.025, 0.975])
    return float(low), float(high)


def _counts_by_threshold(unsafe: Bools, score: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    true = np.cumsum(unsafe[order])[last].astype(float)
    return true, last + 1 - true


def expected_calibration_error(unsafe: Bools, score: Floats, bins: int = 15) -> float:
    """Mean distance between score and share of unsafe rows over equal-width bins, weighted by rows."""
    which = np.minimum((score * bins).astype(int), bins - 1)
    gaps = [abs(score[which == b].sum() - unsafe[which == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(score))


def per_policy(labels: list[str], truth: NDArray[np.int64], scores: Floats) -> dict[str, dict[str, Any] | None]:
    """For each label with rows {n, precision, recall, f1, ap, roc_auc, recall_at_fpr_1pct, recall_at_fpr_5pct}: the
    first three with argmax deciding, the others of the label's score against all other rows. None for a label without
    rows."""
    guess = scores.argmax(axis=1)
    found: dict[str, dict[str, Any] | None] = {}
    for index, label in enumerate(labels):
        is_true, is_guess = truth == index, guess == index
        if not is_true.any():
            found[label] = None
            continue
        hits = int((is_true & is_guess).sum())
        precision = hits / int(is_guess.sum()) if is_guess.any() else 0.0
        recall = hits / int(is_true.sum())
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        score = scores[:, index]
        found[label] = {
            "n": int(is_true.sum()),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "ap": average_precision(is_true, score),
            "roc_auc": roc_auc(is_true, score),
            "recall_at_fpr_1pct": recall_at_fpr(is_true, score, 0.01),
            "recall_at_fpr_5pct": recall_at_fpr(is_true, score, 0.05),
        }
    return found
