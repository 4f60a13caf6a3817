"""How fast the moderators are, how long merchants wait, and what is taken back or overturned."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Aggregate, Case, CharField, Count, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import TruncDate

from ..models import Appeal, Decision, PendingDecision, ReviewJob, SecondLook, Suspension
from .quality import Share
from .queue import LANES

BLIND = (ReviewJob.Kind.SECOND, ReviewJob.Kind.GOLDEN)
OTHER_LANE = ""


class Percentile(Aggregate):
    """percentile_cont of an expression; `share`: 0.5 is the median. Interpolated between the two nearest."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True)
class Waited:
    """From the opening of a job to the decision."""

    label: str
    decided: int
    median: timedelta
    most: timedelta  # nine of ten waited no longer


@dataclass(frozen=True)
class Worker:
    moderator: str
    decided: int  # second looks and known answers too
    days: int  # on which they decided anything

    @property
    def a_day(self) -> float:
        return self.decided / self.days


@dataclass(frozen=True)
class Appeals:
    number: int
    waiting: int
    overturned: Share  # of the answered
    modified: int


@dataclass(frozen=True)
class Pace:
    by_day: dict[date, int]
    waited: list[Waited]
    workers: list[Worker]
    undone: Share  # of what was proposed and is no longer pending
    failed: int
    appeals: Appeals

    @property
    def decided(self) -> int:
        return sum(self.by_day.values())


def pace(since: datetime) -> Pace:
    ended = dict(
        PendingDecision.objects.filter(created_at__gte=since)
        .exclude(state=PendingDecision.State.PENDING)
        .order_by()
        .values_list("state")
        .annotate(n=Count("pk"))
    )
    undone = ended.get(PendingDecision.State.UNDONE, 0)
    return Pace(
        by_day=decided_by_day(since),
        waited=waited(since),
        workers=workers(since),
        undone=Share(undone, sum(ended.values())),
        failed=ended.get(PendingDecision.State.FAILED, 0),
        appeals=appeals(since),
    )


def decided_by_day(since: datetime) -> dict[date, int]:
    rows = ReviewJob.objects.filter(decided_at__gte=since, state=ReviewJob.State.DECIDED)
    counted = rows.order_by().annotate(day=TruncDate("decided_at")).values_list("day").annotate(n=Count("pk"))
    return dict(sorted(counted))


def waited(since: datetime) -> list[Waited]:
    """By lane of the queue. Second looks and known answers keep nobody waiting and are left out."""
    lanes = [When(inside, then=Value(lane)) for lane, (_, inside) in LANES.items() if inside]
    rows = ReviewJob.objects.filter(decided_at__gte=since, state=ReviewJob.State.DECIDED).exclude(kind__in=BLIND)
    rows = rows.annotate(
        lane=Case(*lanes, default=Value(OTHER_LANE), output_field=CharField()),
        time=ExpressionWrapper(F("decided_at") - F("created_at"), DurationField()),
    )
    grouped = (
        rows.order_by()
        .values_list("lane")
        .annotate(n=Count("pk"), median=Percentile("time", share=0.5), most=Percentile("time", share=0.9))
    )
    found = {lane: numbers for lane, *numbers in grouped}
    return [Waited(label, *found[lane]) for lane, (label, _) in LANES.items() if lane in found]


def workers(since: datetime) -> list[Worker]:
    """The busiest first."""
    decided: Counter[str] = Counter()
    days: dict[str, set[date]] = {}
    for rows in (Decision.objects.filter(created_at__gte=since), SecondLook.objects.filter(created_at__gte=since)):
        grouped = rows.order_by().annotate(day=TruncDate("created_at")).values_list("moderator__username", "day")
        for name, day, number in grouped.annotate(n=Count("pk")):
            decided[name] += number
            days.setdefault(name, set()).add(day)
    return [Worker(name, number, len(days[name])) for name, number in decided.most_common()]


def appeals(since: datetime) -> Appeals:
    """Of those that came since then, against decisions and against suspensions."""
    rows = Appeal.objects.filter(created_at__gte=since).order_by().values_list("decision__answers__action")
    by_answer: Counter[str | None] = Counter(dict(rows.annotate(n=Count("pk"))))
    ended_before = Q(answer="", lifted_at__isnull=False)  # with the strike that it was needed for
    suspended = Suspension.objects.filter(~ended_before, appealed_at__gte=since).order_by().values_list("answer")
    by_answer.update({answer or None: number for answer, number in suspended.annotate(n=Count("pk"))})
    waiting = by_answer.get(None, 0)
    number = sum(by_answer.values())
    overturned = by_answer.get(Decision.Action.OVERTURN, 0)
    return Appeals(number, waiting, Share(overturned, number - waiting), by_answer.get(Decision.Action.MODIFY, 0))
