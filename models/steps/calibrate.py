"""From logits to probabilities that mean what they say, and from those to thresholds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.steps import metrics


def temperatures(logits: NDArray[np.floating[Any]], truth: NDArray[np.int64], safe: int) -> NDArray[np.float32]:
    """One temperature for each label, float32 [P]: divide logits [rows, P] by them.

    They minimise the log loss of the labels plus that of unsafe against safe, which is the score that people see (Guo
    et al. 2017, arXiv:1706.04599, with a temperature for each class). truth int64 [rows]. A label without rows, of
    which nothing could be learned but to be quieter, gets the geometric mean of the other policies.
    """
    x = torch.from_numpy(np.asarray(logits, np.float64))
    y = torch.from_numpy(truth)
    unsafe = (y != safe).double()
    there = torch.bincount(y, minlength=x.shape[1]) > 0
    others = there & (torch.arange(x.shape[1]) != safe)
    log_t = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)

    def shared() -> torch.Tensor:
        mean = log_t[others].mean() if others.any() else torch.zeros((), dtype=torch.float64)
        return torch.where(there, log_t, mean)

    optimiser = torch.optim.LBFGS([log_t], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        log_p = torch.log_softmax(x / shared().exp(), 1)
        p_safe = log_p[:, safe].exp().clamp(1e-9, 1 - 1e-9)
        binary = -(unsafe * torch.log1p(-p_safe) + (1 - unsafe) * p_safe.log()).mean()
        # A pull towards 1 keeps a label with few rows from running away.
        loss = torch.nn.functional.nll_loss(log_p, y) + binary + 1e-3 * log_t.square().sum()
        loss.backward()
        return float(loss.detach())

    optimiser.step(closure)
    return shared().detach().exp().numpy().astype(np.float32)


Scored = tuple[NDArray[np.bool_], NDArray[np.float64]]


def operating_points(
    market: Scored, own: Scored, ordinary: Scored, labels: list[str], targets: dict[str, Any]
) -> dict[str, Any]:
    """Thresholds on the unsafe score by the recipe's [targets]. market, own, ordinary: (unsafe, score) of dev, of our
    own validation listings, and of our ordinary harmless ones, which have the descriptions that most of dev lacks.

    warn: at most `warn_fpr` of dev's safe rows and of the ordinary ones, and `warn_own_fpr` of our hard negatives.
    unsure, from where on nobody is told that all is well: `unsure_fpr` of dev's safe rows and of the ordinary ones, and
    never above warn. block: `block_precision` on dev and own together.
    """

    def limit(name: str, *sets: Scored) -> float:
        return rounded_up(max(metrics.threshold_at_fpr(*each, targets[name]) for each in sets))

    warn = max(limit("warn_fpr", market, ordinary), limit("warn_own_fpr", own))
    unsure = min(limit("unsure_fpr", market, ordinary), warn)
    unsafe, score = (np.concatenate([a, b]) for a, b in zip(market, own, strict=True))
    precise = (t for t in np.unique(score[score >= warn]) if unsafe[score >= t].mean() >= targets["block_precision"])
    block = max(warn, rounded_up(float(next(precise, 1.0))))
    return {
        "score": "1 - safe",
        "policies": [label for label in labels if label != "safe"],
        "unsure": unsure,
        "warn": warn,
        "block": block,
        "per_policy": {},
        "coverage": targets["coverage"],
        "evidence_floor": targets["evidence_floor"],
    }


def rounded_up(threshold: float) -> float:
    """To four digits, so that no more rows reach it than reached the exact one; below 1, which no score may reach."""
    return min(math.ceil(threshold * 1e4) / 1e4, 0.9999)
