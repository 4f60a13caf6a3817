"""How far two moderators agree beyond chance.

Cohen 1960, Educational and Psychological Measurement 20: kappa = (observed - expected) / (1 - expected), where two who
answered at random, each with their own habits, would agree as often as `expected`. Its standard error for large
numbers: Fleiss, Cohen and Everitt 1969, Psychological Bulletin 72.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

NO_ERROR = 1e-6  # what is left of 0 after sums of floats
NORMAL = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Agreement:
    """Shares from 0 to 1. kappa is None without pairs, and where chance alone would agree always: both said one thing
    only."""

    pairs: int
    agreed: int
    kappa: float | None = None
    error: float | None = None  # of kappa; None where the formula gives 0: all agree, or one always says the same

    @property
    def observed(self) -> float | None:
        return self.agreed / self.pairs if self.pairs else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of kappa, two-sided 95 %. None where no error can be given."""
        if self.kappa is None or self.error is None:
            return None
        half = NORMAL * self.error
        return max(-1.0, self.kappa - half), min(1.0, self.kappa + half)


def agreement(pairs: Mapping[tuple[str, str], int]) -> Agreement:
    """pairs: (the first's answer, the second's) → how often."""
    n = sum(pairs.values())
    agreed = sum(number for (first, second), number in pairs.items() if first == second)
    if not n:
        return Agreement(0, 0)
    firsts = _counted((first, number) for (first, _), number in pairs.items())
    seconds = _counted((second, number) for (_, second), number in pairs.items())
    observed = agreed / n
    expected = sum(firsts[answer] * seconds[answer] for answer in firsts) / n**2
    if expected >= 1:
        return Agreement(n, agreed)
    off = 1 - expected
    within = between = 0.0
    for (first, second), number in pairs.items():
        share = number / n
        if first == second:
            within += share * (off - (seconds[first] + firsts[first]) / n * (1 - observed)) ** 2
        else:
            between += share * ((seconds[first] + firsts[second]) / n) ** 2
    rest = (observed * expected - 2 * expected + observed) ** 2
    variance = (within + (1 - observed) ** 2 * between - rest) / (n * off**4)
    error = sqrt(max(0.0, variance))
    return Agreement(n, agreed, (observed - expected) / off, error if error > NO_ERROR else None)


def _counted(answers: Iterable[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for answer, number in answers:
        found[answer] += number
    return found
