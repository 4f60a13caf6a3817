"""How good an order is: the measures of the retrieval and feed contracts (design section 5)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def ndcg(order: Sequence[str], grades: Mapping[str, int], most: int = 10) -> float:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002), gain 2^grade - 1; what has no grade is 0.
    0 where nothing is relevant."""
    ideal = sorted(grades.values(), reverse=True)[:most]
    best = discounted(ideal)
    return discounted([grades.get(each, 0) for each in order[:most]]) / best if best else 0.0


def discounted(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def recall(order: Sequence[str], grades: Mapping[str, int], most: int = 100) -> float:
    """The share of the relevant (grade ≥ 1) among the first `most`."""
    relevant = {each for each, grade in grades.items() if grade >= 1}
    return len(relevant.intersection(order[:most])) / len(relevant) if relevant else 0.0


def reciprocal_rank(order: Sequence[str], relevant: Mapping[str, int]) -> float:
    """1 over the place of the first with a grade ≥ 1; 0 where there is none."""
    return next((1 / (place + 1) for place, each in enumerate(order) if relevant.get(each, 0) >= 1), 0.0)
