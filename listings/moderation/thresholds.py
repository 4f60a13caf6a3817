"""What another threshold would have done: verdicts that are stored, with what became of their revisions.

A revision is a violation or none as its moderator decided (quality.py); without a decision it counts as none if it
passed, for a sample would have made a decision. Where nobody knows (it was edited or withdrawn, or sent back by the
checks alone), it counts for the queue and for neither precision nor recall. Nothing here changes what is published.

static/js/thresholds.js is the twin of `at`; tests/golden/thresholds.json holds both to the same answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    Exists,
    FloatField,
    IntegerField,
    Min,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Floor, Greatest
from django.db.models.lookups import Exact
from django.utils import timezone

from models import text

from .. import live_models
from ..lifecycle import Status
from ..models import Decision, ReviewJob, ValidationJob, Verdict, VerdictDecision, Where
from .quality import TAKEN_OFF

# Choices of the page: name → where, model, what it is called.
MODELS = {
    "device": (Where.GATE, text.MODEL, "Device’s model, as read at the gate"),
    "second": (Where.GATE, text.SECOND, "The gate’s second model"),
    "cloud": (Where.CLOUD, text.CLOUD, "The worker’s model"),
}
DECIDING = (ReviewJob.Kind.CHECK, ReviewJob.Kind.REPORT, ReviewJob.Kind.SAMPLE)
ANY = ""  # every policy
UNFAMILIAR = "-"
GRAIN = 10_000  # thresholds have four digits, as the manifest's
LEAST = 100  # of GRAIN; scores below are counted together: no threshold is set there
VIOLATION, NONE, UNKNOWN = 1, 2, 3  # where each stands in a row
Row = list[int]  # [score of GRAIN, violations, none, unknown]


@dataclass(frozen=True)
class Histogram:
    """rows: by policy, the lowest score first. A revision stands under the policy that the model suspects most of it.
    unfamiliar: those with too few words that the model knows; they wait for a person at any threshold, and are in no
    row. days: which the rows are of."""

    model: str
    version: str
    points: dict[str, Any]  # of the manifest, with those of the live release in their place
    days: float
    rows: dict[str, list[Row]]
    unfamiliar: int

    def of(self, policy: str) -> list[Row]:
        """Of one policy, or of all together."""
        if policy != ANY:
            return self.rows.get(policy, [])
        found: dict[int, Row] = {}
        for rows in self.rows.values():
            for at, *numbers in rows:
                row = found.setdefault(at, [at, 0, 0, 0])
                for place, number in enumerate(numbers, 1):
                    row[place] += number
        return [found[at] for at in sorted(found)]

    def published(self, policy: str) -> dict[str, float]:
        """The thresholds that count now: from "unsure" on a model doubts."""
        own = self.points.get("per_policy", {}).get(policy, {})
        return {name: float(own.get(name, self.points[name])) for name in ("unsure", "warn", "block")}


@dataclass(frozen=True)
class Outcome:
    """What a threshold comes to. Shares are None while nothing is held, or no violation is known."""

    held: int
    held_a_day: float
    passed: int
    precision: float | None
    recall: float | None
    saved: float | None  # share of revisions that pass


def at(rows: Sequence[Row], threshold: float, days: float) -> Outcome:
    """Of a histogram's rows, when everything from this score on is held."""
    lowest = round(threshold * GRAIN)
    held, known, caught, violations, total = 0, 0, 0, 0, 0
    for score, bad, good, unknown in rows:
        total += bad + good + unknown
        violations += bad
        if score >= lowest:
            held += bad + good + unknown
            known += bad + good
            caught += bad
    return Outcome(
        held=held,
        held_a_day=held / days,
        passed=total - held,
        precision=caught / known if known else None,
        recall=caught / violations if violations else None,
        saved=(total - held) / total if total else None,
    )


def histogram(choice: str, since: datetime) -> Histogram:
    """Of the present version of one of MODELS: with a release that is live, of what was scored as it scores. Raises
    ModelUnavailable."""
    where, model, _ = MODELS[choice]
    points, version = live_models.points(model), str(live_models.entry(model)["version"])
    versions: tuple[str, ...] = (version,)
    if model == text.MODEL:
        versions = live_models.scored_alike()
        if release := live_models.live().release:
            version = release.version(version)
    said = Verdict.objects.filter(
        where=where, model=model, version__in=versions, photo=None, created_at__gte=since, scores__has_key="safe"
    )
    counted = said.annotate(top=_top(points["policies"]), at=_score(), known=_known()).order_by()
    rows: dict[str, dict[int, Row]] = defaultdict(dict)
    unfamiliar, first = 0, timezone.now()
    grouped = counted.values_list("top", "at", "known").annotate(n=Count("pk"), first=Min("created_at"))
    for policy, score, known, number, earliest in grouped:
        first = min(first, earliest)
        if policy == UNFAMILIAR:
            unfamiliar += number
        elif policy is not None:  # None: a verdict without the scores that this version gives
            score = score if score >= LEAST else 0
            rows[policy].setdefault(score, [score, 0, 0, 0])[known] += number
    return Histogram(
        model=model,
        version=version,
        points=points,
        days=max(1.0, round((timezone.now() - first) / timedelta(days=1), 3)),
        rows={policy: [found[at] for at in sorted(found)] for policy, found in sorted(rows.items())},
        unfamiliar=unfamiliar,
    )


def _top(policies: Sequence[str]) -> Case:
    """The policy that `decide()` would name: of equal scores the first. UNFAMILIAR where it knew too few words."""
    scores = [Cast(KT(f"scores__{name}"), FloatField()) for name in policies]
    highest = Greatest(*scores)
    cases = [When(decision=VerdictDecision.UNSURE, policy="", then=Value(UNFAMILIAR))]
    cases += [When(Exact(score, highest), then=Value(name)) for name, score in zip(policies, scores, strict=True)]
    return Case(*cases, output_field=CharField())


def _score() -> Cast:
    """1 - safe, in whole parts of GRAIN, exactly."""
    safe = Cast(KT("scores__safe"), DecimalField(max_digits=9, decimal_places=6))
    return Cast(Floor((Value(1) - safe) * GRAIN), IntegerField())


def _known() -> Case:
    """What is known of the revision: VIOLATION, NONE or UNKNOWN."""
    same = Q(listing=OuterRef("listing"), review_job__revision=OuterRef("revision"))
    decided = Decision.objects.filter(same, review_job__kind__in=DECIDING)
    overturned = Decision.objects.filter(about=OuterRef("pk"), action=Decision.Action.OVERTURN)
    violations = decided.filter(~Exists(overturned), action__in=TAKEN_OFF)
    passed = ValidationJob.objects.filter(
        listing=OuterRef("listing"), revision=OuterRef("revision"), outcome=Status.PUBLISHED
    )
    return Case(
        When(Exists(violations), then=Value(VIOLATION)),
        When(Exists(decided), then=Value(NONE)),
        When(Exists(passed), then=Value(NONE)),
        default=Value(UNKNOWN),
        output_field=IntegerField(),
    )
