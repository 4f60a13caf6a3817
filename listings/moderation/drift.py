"""Whether a model's scores are what they were: the unsafe score (1 - safe) of this week against the four weeks before.

The measure is the population stability index (Lewis 1994, An Introduction to Credit Scoring; Siddiqi 2006, Credit Risk
Scorecards, with the usual bands): over ten parts that held equally many before, the sum of (now - then) ln(now / then)
of their shares. Two draws from one and the same population differ too: in 95 of 100 cases by no more than that quantile
of chi-square times (1/n + 1/m) (Yurdakul 2018, Statistical Properties of the Population Stability Index). While that
alone could pass the first band, there is too little data, and we say so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log

from django.db.models import Case, Count, FloatField, Func, IntegerField, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Ln
from django.utils import timezone
from scipy.special import gammaincinv

from models import photo, text

from ..models import Verdict, Where

WEEKS_BEFORE = 4
PARTS = 10
SOME, MUCH = 0.1, 0.25  # the usual bands
# Scores are counted finely by their log-odds: most of them are near 0, where equal steps would tell nothing apart.
MOST_LOGIT, STEPS = 14, 280  # from -14 to 14, each a tenth
LEAST = 5e-7  # half of the last digit that a score has
LEAST_SCORES = 20  # of one version, where another has more
BANDS = (0.01, 0.1, 0.5, 0.9)  # of the plot; to the nearest tenth of the log-odds
MODELS = (
    (Where.GATE, text.MODEL),
    (Where.GATE, text.SECOND),
    (Where.CLOUD, text.CLOUD),
    (Where.GATE, photo.MODEL),
    (Where.CLOUD, photo.CLOUD),
)


@dataclass(frozen=True)
class Drift:
    """One version of a model at one place. weeks: of each, the newest first, how many scores lie in which band."""

    where: str
    model: str
    version: str
    now: int
    before: int
    psi: float | None  # None without scores on both sides
    chance: float | None  # what two draws of one population may come to
    needed: int  # scores this week, until chance stays below the first band; 0: they never can
    weeks: list[list[int]]

    @property
    def enough(self) -> bool:
        return self.chance is not None and self.chance < SOME

    @property
    def band(self) -> str:
        assert self.psi is not None
        return "stable" if self.psi < SOME else "some shift" if self.psi < MUCH else "large shift"


def drift(now: datetime | None = None) -> list[Drift]:
    """Of every version of the models of words and photos that said anything in the five weeks until now."""
    now = now or timezone.now()
    starts = [now - timedelta(weeks=back + 1) for back in range(WEEKS_BEFORE + 1)]
    which = Q()
    for where, model in MODELS:
        which |= Q(where=where, model=model)
    score = 1.0 - Cast(KT("scores__safe"), FloatField())
    rows = Verdict.objects.filter(which, created_at__gte=starts[-1], created_at__lte=now, scores__has_key="safe")
    rows = rows.annotate(
        week=Case(*(When(created_at__gte=start, then=Value(back)) for back, start in enumerate(starts))),
        step=_WidthBucket(Ln((score + LEAST) / (1.0 + LEAST - score))),
    )
    found: dict[tuple[str, str, str], list[Counter[int]]] = {}
    columns = ("where", "model", "version", "week", "step")
    for where, model, version, week, step, number in rows.order_by().values_list(*columns).annotate(n=Count("pk")):
        weeks = found.setdefault((where, model, version), [Counter() for _ in starts])
        weeks[week][step] += number
    sizes = {key: sum(map(Counter.total, weeks)) for key, weeks in found.items()}
    largest = {key[:2]: key for key in sorted(sizes, key=lambda key: sizes[key])}
    for key, size in sizes.items():
        if size < LEAST_SCORES and largest[key[:2]] != key:  # of a release of an hour there is nothing to see
            del found[key]
    order = list(MODELS)
    keys = sorted(found, key=lambda key: (order.index((Where(key[0]), key[1])), key[2]))
    return [_of(*key, found[key]) for key in keys]


class _WidthBucket(Func):
    """Which step of the log-odds; 0 and STEPS + 1 are what lies outside."""

    function = "WIDTH_BUCKET"
    template = f"%(function)s(%(expressions)s, -{MOST_LOGIT}, {MOST_LOGIT}, {STEPS})"
    output_field = IntegerField()


def _of(where: str, model: str, version: str, weeks: list[Counter[int]]) -> Drift:
    now, before = weeks[0], sum(weeks[1:], Counter())
    n, m = now.total(), before.total()
    cuts = quantile_cuts(before)
    then_parts, now_parts = parts(before, cuts), parts(now, cuts)
    has_both = bool(n and m)
    return Drift(
        where=where,
        model=model,
        version=version,
        now=n,
        before=m,
        psi=psi(then_parts, now_parts) if has_both else None,
        chance=by_chance(n, m, len(then_parts)) if has_both else None,
        needed=needed(m, len(then_parts)),
        weeks=[parts(week, _band_cuts()) for week in weeks],
    )


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Of two counts over the same parts, neither without any. A part without a score counts as half of one: the
    logarithm asks for more than none."""
    n, m = sum(now), sum(before)
    total = 0.0
    for then_number, now_number in zip(before, now, strict=True):
        share, earlier = max(now_number, 0.5) / n, max(then_number, 0.5) / m
        total += (share - earlier) * log(share / earlier)
    return total


def by_chance(n: int, m: int, number: int) -> float:
    """In 95 of 100 cases two draws of n and m scores from one population come to less than this, over so many parts."""
    return _quantile(number) * (1 / n + 1 / m)


def needed(m: int, number: int) -> int:
    """So many scores this week beside m before, until chance stays below the first band; 0: m are too few for any."""
    left = SOME / _quantile(number) - 1 / m if m else 0.0
    return ceil(1 / left) if left > 0 else 0


def _quantile(number: int) -> float:
    """The 95 % quantile of chi-square with one degree of freedom less than there are parts."""
    return 2 * float(gammaincinv(max(1, number - 1) / 2, 0.95))


def quantile_cuts(counts: Counter[int]) -> list[int]:
    """Steps at which another of the PARTS begins, so that each holds at least its share: the few suspected are with the
    highest tenth. Fewer parts where one step holds more."""
    wanted, held, cuts = counts.total() / PARTS, 0, []
    for step in sorted(counts, reverse=True):
        held += counts[step]
        if held >= wanted:
            cuts.append(step)
            held = 0
    if cuts and held < wanted / 2:  # what is left is no part of its own
        cuts.pop()
    return cuts[::-1]


def parts(counts: Counter[int], cuts: Sequence[int]) -> list[int]:
    """How many lie below the first cut, from it to the next, and so on: one more than there are cuts."""
    found = [0] * (len(cuts) + 1)
    for step, number in counts.items():
        found[bisect_right(cuts, step)] += number
    return found


def _band_cuts() -> list[int]:
    return [1 + round((log(score / (1 - score)) + MOST_LOGIT) * STEPS / (2 * MOST_LOGIT)) for score in BANDS]
