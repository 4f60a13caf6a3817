"""Exact intervals of a share (Clopper and Pearson 1934, Biometrika 26), by bisection over the binomial tail."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, lgamma, log, log1p

STEPS = 60


def share_upper(found: int, of: int, confidence: float = 0.95) -> float:
    """Above the true share with this confidence (one-sided); 1 while nothing was looked at."""
    if found >= of:
        return 1.0
    return _root(lambda p: _at_most(found, of, p) - (1 - confidence))


def share_interval(found: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided; (0, 1) while nothing was looked at."""
    half = (1 + confidence) / 2
    low = 1 - share_upper(of - found, of, half) if found else 0.0
    return low, share_upper(found, of, half)


def needed(upper: float, confidence: float = 0.95) -> int:
    """So many without a miss until the one-sided upper end is at `upper` (about 3 / upper)."""
    if upper <= 0:
        raise ValueError("no number of audits shows that a share is 0")
    if upper >= 1:
        return 1
    return ceil(log(1 - confidence) / log1p(-upper))


def _at_most(found: int, of: int, share: float) -> float:
    """P(X ≤ found) of a binomial."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(found >= of)
    logs = (
        lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1) + k * log(share) + (of - k) * log1p(-share)
        for k in range(found + 1)
    )
    return min(1.0, sum(map(exp, logs)))


def _root(falling: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
