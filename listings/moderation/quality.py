"""How good the moderation is, counted from decisions: precision, recall, and whether people agree.

A violation is what a moderator rejected or asked to be changed and no appeal overturned; an appeal that only changed
the ground or the measure leaves it one. What nobody decided on is known to nobody: that is why there are samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from .. import policies
from ..lifecycle import Status
from ..models import Decision, ReviewJob, SecondLook, ValidationJob
from ..trust import intervals
from .kappa import Agreement, agreement

Action, Kind = Decision.Action, ReviewJob.Kind
TAKEN_OFF = (Action.REJECT, Action.CHANGES)
WIDE = 0.1  # an interval of recall wider than this says little
NOTHING = "nothing forbidden"
UNNAMED = "no policy named"
SHOWN = 25  # cases on which two disagreed


@dataclass(frozen=True)
class Share:
    """So many of so many, with the exact two-sided 95 % interval."""

    found: int
    of: int

    @property
    def share(self) -> float | None:
        return self.found / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        return intervals.share_interval(self.found, self.of)


# --- Precision -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Suspicion:
    """Decided cases that a check suspected under one policy. under_another: violations, but of another policy or of
    none that was named; overturned: taken off first, and then found to be none."""

    policy: str
    violations: Share
    under_another: int
    overturned: int

    @property
    def name(self) -> str:
        return policies.name(self.policy) or self.policy


@dataclass(frozen=True)
class Precision:
    by_policy: list[Suspicion]  # the most cases first
    all: Share
    unnamed: int  # decided cases without a suspected policy; in nothing above


def precision(since: datetime) -> Precision:
    """Of what the checks put before a moderator and was decided since then."""
    rows = Decision.objects.filter(review_job__kind=Kind.CHECK, review_job__decided_at__gte=since).order_by()
    columns = ("review_job__policy", "action", "policy", "answers__action", "answers__policy")
    found: dict[str, Counter[str]] = {}
    for suspected, action, policy, answer, new_policy, number in rows.values_list(*columns).annotate(n=Count("pk")):
        counted = found.setdefault(suspected, Counter())
        counted["decided"] += number
        if is_violation(action, answer):
            counted["violations"] += number
            counted["another"] += number if (new_policy or policy) != suspected else 0
        elif action in TAKEN_OFF:
            counted["overturned"] += number
    unnamed = found.pop("", Counter())["decided"]
    by_policy = [
        Suspicion(policy, Share(each["violations"], each["decided"]), each["another"], each["overturned"])
        for policy, each in sorted(found.items(), key=lambda item: (-item[1]["decided"], item[0]))
    ]
    total = Share(sum(each.violations.found for each in by_policy), sum(each.violations.of for each in by_policy))
    return Precision(by_policy, total, unnamed)


def is_violation(action: str, answer: str | None) -> bool:
    """Of a decision and of what came of an appeal against it, if any."""
    return action in TAKEN_OFF and answer != Action.OVERTURN


# --- Recall ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Recall:
    """caught: violations that the checks put before a moderator. reported: violations that passed the checks and
    somebody reported. passed: revisions that passed, and only a sample may have looked at since; sample: violations
    among those of them that were drawn."""

    caught: int
    reported: int
    passed: int
    sample: Share

    @property
    def missed(self) -> float | None:
        """Violations among what passed, estimated; None without a sample."""
        share = self.sample.share
        return None if share is None else self.reported + share * self.passed

    @property
    def missed_between(self) -> tuple[float, float]:
        return self._between(self.sample.found, self.sample.of)

    @property
    def value(self) -> float | None:
        return None if self.missed is None else _share(self.caught, self.missed)

    @property
    def interval(self) -> tuple[float, float]:
        return self._recall_between(self.missed_between)

    @property
    def is_most(self) -> bool:
        """No sample was a violation: the estimate knows no miss but the reported, and is its interval's upper end."""
        return bool(self.sample.of) and not self.sample.found

    @property
    def is_wide(self) -> bool:
        low, high = self.interval
        return high - low > WIDE

    @property
    def needed(self) -> int:
        """So many samples in all until the interval is no wider than WIDE, if they find violations as often as so far;
        at most all that passed."""
        low, high = self.sample.of, max(self.passed, self.sample.of)
        while high - low > 1:
            middle = (low + high) // 2
            if self._width(middle) > WIDE:
                low = middle
            else:
                high = middle
        return high

    def _between(self, found: float, samples: int) -> tuple[float, float]:
        """Missed violations, if so many samples find so many: those that were found at least; at most those and all
        that no sample has seen."""
        low, high = intervals.share_interval(found, samples)
        unseen = self.passed - samples
        return self.reported + max(low * self.passed, found), self.reported + min(high * self.passed, found + unseen)

    def _recall_between(self, missed: tuple[float, float]) -> tuple[float, float]:
        best, worst = (_share(self.caught, number) for number in missed)
        return worst or 0.0, 1.0 if best is None else best

    def _width(self, samples: int) -> float:
        low, high = self._recall_between(self._between((self.sample.share or 0.0) * samples, samples))
        return high - low


def _share(caught: float, missed: float) -> float | None:
    return caught / (caught + missed) if caught + missed else None


def recall(since: datetime) -> Recall:
    """Samples are drawn at random from what is on sale and nobody had looked at. They stand for what passed in this
    period and nobody else looked at; so those of older passes are not among them."""
    others = Decision.objects.filter(
        listing=OuterRef("listing"),
        review_job__revision=OuterRef("revision"),
        review_job__kind__in=[Kind.CHECK, Kind.REPORT],
    )
    unseen = passes(since).filter(~Exists(others))
    return Recall(
        caught=_violations(_decided(Kind.CHECK, since)).found,
        reported=_violations(_about(_decided(Kind.REPORT, since), passes(since))).found,
        passed=unseen.count(),
        sample=_violations(_about(_decided(Kind.SAMPLE, since), unseen)),
    )


def passes(since: datetime) -> QuerySet[ValidationJob]:
    """Revisions that a merchant sent in and the checks let pass. Those without a category are of photos that came to a
    listing later."""
    rows = ValidationJob.objects.filter(outcome=Status.PUBLISHED, finished_at__gte=since)
    return rows.exclude(category="")


def _decided(kind: str, since: datetime) -> QuerySet[Decision]:
    return Decision.objects.filter(review_job__kind=kind, review_job__decided_at__gte=since).order_by()


def _about(rows: QuerySet[Decision], jobs: QuerySet[ValidationJob]) -> QuerySet[Decision]:
    return rows.filter(Exists(jobs.filter(listing=OuterRef("listing"), revision=OuterRef("review_job__revision"))))


def _violations(rows: QuerySet[Decision]) -> Share:
    found = of = 0
    for action, answer, number in rows.values_list("action", "answers__action").annotate(n=Count("pk")):
        of += number
        found += number if is_violation(action, answer) else 0
    return Share(found, of)


# --- Known answers, and cases decided twice -------------------------------------------------------------------------
@dataclass(frozen=True)
class Tested:
    """One moderator on cases whose answer is known."""

    moderator: str
    same_action: Share
    same_policy: Share  # of those that both took off the market


def golden(since: datetime) -> list[Tested]:
    """Without those whose known answer an appeal has overturned or modified."""
    rows = SecondLook.objects.filter(review_job__kind=Kind.GOLDEN, created_at__gte=since).order_by()
    rows = rows.exclude(about__answers__action__in=[Action.OVERTURN, Action.MODIFY])
    columns = ("moderator__username", "about__action", "about__policy", "action", "policy")
    found: dict[str, Counter[str]] = {}
    for name, known, known_policy, said, policy, number in rows.values_list(*columns).annotate(n=Count("pk")):
        counted = found.setdefault(name, Counter())
        counted["asked"] += number
        counted["same"] += number if known == said else 0
        if known in TAKEN_OFF and said in TAKEN_OFF:
            counted["both"] += number
            counted["policy"] += number if known_policy == policy else 0
    return [
        Tested(name, Share(each["same"], each["asked"]), Share(each["policy"], each["both"]))
        for name, each in sorted(found.items())
    ]


@dataclass(frozen=True)
class Twice:
    """Cases that two moderators decided, the second unseen: by what was done; by the policy named, "nothing forbidden"
    where it was approved; by what was done among those suspected of one policy. apart: those that came out otherwise,
    the newest first."""

    actions: Agreement
    grounds: Agreement
    by_policy: list[tuple[str, Agreement]]
    table: list[tuple[str, list[int]]]  # the first's action → how often the second took each, in the same order
    apart: list[SecondLook]

    @property
    def heads(self) -> list[str]:
        return [label for label, _ in self.table]


def decided_twice(since: datetime) -> Twice:
    looks = SecondLook.objects.filter(review_job__kind=Kind.SECOND, created_at__gte=since)
    columns = ("review_job__policy", "about__action", "about__policy", "action", "policy")
    actions: Counter[tuple[str, str]] = Counter()
    grounds: Counter[tuple[str, str]] = Counter()
    suspected: dict[str, Counter[tuple[str, str]]] = {}
    for policy, first, first_policy, second, second_policy, number in (
        looks.order_by().values_list(*columns).annotate(n=Count("pk"))
    ):
        actions[first, second] += number
        grounds[_ground(first, first_policy), _ground(second, second_policy)] += number
        suspected.setdefault(policy, Counter())[first, second] += number
    classes = [Action.APPROVE, Action.CHANGES, Action.REJECT]
    return Twice(
        actions=agreement(actions),
        grounds=agreement(grounds),
        by_policy=list(_by_policy(suspected)),
        table=[(first.label, [actions[first, second] for second in classes]) for first in classes],
        apart=list(_apart(looks)),
    )


def _ground(action: str, policy: str) -> str:
    return (policy or UNNAMED) if action in TAKEN_OFF else NOTHING


def _by_policy(suspected: dict[str, Counter[tuple[str, str]]]) -> Iterator[tuple[str, Agreement]]:
    for policy, pairs in sorted(suspected.items(), key=lambda item: (-item[1].total(), item[0])):
        yield policies.name(policy) or policy or "No policy in particular", agreement(pairs)


def _apart(looks: QuerySet[SecondLook]) -> QuerySet[SecondLook]:
    other_policy = Q(action__in=TAKEN_OFF) & ~Q(policy=F("about__policy"))
    rows = looks.filter(~Q(action=F("about__action")) | other_policy)
    return rows.select_related("moderator", "about__moderator", "about__listing").defer("about__listing__search")[
        :SHOWN
    ]
