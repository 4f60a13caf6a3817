"""Exact intervals of a share: Clopper and Pearson 1934, Biometrika 26, by the quantiles of the beta distribution."""

from __future__ import annotations

from math import ceil, log, log1p

from scipy.special import betaincinv


def share_upper(found: float, of: float, confidence: float = 0.95) -> float:
    """Above the true share with this confidence (one-sided); 1 while nothing was looked at."""
    return 1.0 if found >= of else float(betaincinv(found + 1, of - found, confidence))


def share_interval(found: float, of: float, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided; (0, 1) while nothing was looked at."""
    half = (1 + confidence) / 2
    low = 1 - share_upper(of - found, of, half) if found else 0.0
    return low, share_upper(found, of, half)


def needed(upper: float, confidence: float = 0.95) -> int:
    """So many without a miss until the one-sided upper end is at `upper` (about 3 / upper). Raises ValueError for 0."""
    if upper <= 0:
        raise ValueError("no number of audits shows that a share is 0")
    return 1 if upper >= 1 else ceil(log(1 - confidence) / log1p(-upper))
