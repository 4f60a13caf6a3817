"""What deferring heavy checks saved and what it let through, counted from the rows of the running site.

Three clocks: revisions, their checks, views and what devices said belong to the days on which they were sent in;
audits to the day on which they were paid; seconds to the day on which a model ran. Nothing here is estimated but the
seconds avoided, and those from means of this very period.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from models import photo, text

from .. import checks
from ..lifecycle import Status
from ..models import Debt, Decision, OwedCheck, ReviewJob, StatusChange, ValidationJob, Verdict, VerdictDecision, Where
from . import intervals
from .tiers import Tier

MADE = (OwedCheck.State.DONE, OwedCheck.State.FAILED)  # also one that gave no answer has cost its time
# The model whose verdicts tell how long a heavy check takes.
TIMED_BY = {checks.WORDS: text.CLOUD, checks.PHOTO_MODEL: photo.CLOUD, checks.PHOTO_TEXT: checks.PHOTO_TEXT}

BEFORE, PAID, OWED, SPENT, AVOIDED, SPARED, WAITING, GONE = (
    "before",
    "paid",
    "owed",
    "spent",
    "avoided",
    "spared",
    "waiting",
    "gone",
)


@dataclass(frozen=True)
class Revisions:
    """What became of the heavy checks of each revision sent in. by_day: day → fate → revisions; causes: of the paid."""

    by_day: dict[date, Counter[str]]
    causes: Counter[str]

    @property
    def fates(self) -> Counter[str]:
        return sum(self.by_day.values(), Counter())

    @property
    def sent(self) -> int:
        return self.fates.total()


@dataclass(frozen=True)
class Check:
    """Checks of one name: made, owed (some of them deferred), avoided (a void debt's), dropped (no debt's)."""

    name: str
    heavy: bool
    made: int = 0
    owed: int = 0
    avoided: int = 0
    dropped: int = 0

    @property
    def all(self) -> int:
        return self.made + self.owed + self.avoided + self.dropped


@dataclass(frozen=True)
class Ran:
    """Verdicts of one model at one place; `timed` of them say how long they took."""

    where: str
    model: str
    verdicts: int
    timed: int
    ms: float

    @property
    def seconds(self) -> float:
        return self.ms / 1000

    @property
    def mean_ms(self) -> float | None:
        return self.ms / self.timed if self.timed else None


@dataclass(frozen=True)
class Misses:
    """Audits that are decided: how many of them a moderator rejected, with the exact two-sided 95 % interval."""

    missed: int
    decided: int

    @property
    def rate(self) -> float | None:
        return self.missed / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float]:
        return intervals.share_interval(self.missed, self.decided)


@dataclass(frozen=True)
class Audits:
    """waiting: with a moderator; withdrawn: by the merchant before a decision; neither is among the decided. changed:
    found to need changes without a moderator; decided, and no miss. left: all debts, audits or not, whose listings had
    left the market before their checks."""

    by_day: dict[date, Misses]
    by_tier: dict[Tier, Misses]
    waiting: int
    withdrawn: int
    changed: int
    left: Misses = Misses(0, 0)

    @property
    def all(self) -> Misses:
        return _together(self.by_tier.values())


@dataclass(frozen=True)
class Views:
    """Views of listings while they owed their checks. unsafe: of revisions that a moderator rejected later. squares:
    the sum of the squares of each one's views."""

    debts: int
    views: int
    unsafe_debts: int
    unsafe: int
    squares: int = 0

    @property
    def per_10k(self) -> float | None:
        return 10_000 * self.unsafe / self.views if self.views else None

    @property
    def interval(self) -> tuple[float, float]:
        """Per 10,000, 95 %. All views of a revision are unsafe or none is, so that many of one tell no more than one:
        the exact interval of Kish's effective number (1965, Survey Sampling), as Korn and Graubard 1998 have it."""
        effective = self.views**2 / self.squares if self.squares else 0.0
        share = self.unsafe / self.views if self.views else 0.0
        low, high = intervals.share_interval(share * effective, effective)
        return 10_000 * low, 10_000 * high

    @property
    def is_wide(self) -> bool:
        """Whether the rate may be half of it, or twice as much: then the count says more."""
        low, high = self.interval
        rate = self.per_10k or 0.0
        return low < rate / 2 or high > 2 * rate


@dataclass(frozen=True)
class Device:
    """Revisions by what the device said of them and the gate found. claimed: the device said something; agreed: its
    scores and decisions are the gate's; warned: it was not sure, or warned, and the merchant sent it in all the same;
    doubted: the gate did not pass something. sellers: those whose device said something."""

    revisions: int = 0
    claimed: int = 0
    agreed: int = 0
    disbelieved: int = 0
    warned: int = 0
    doubted_claimed: int = 0
    doubted_unclaimed: int = 0
    sellers: int = 0

    @property
    def unclaimed(self) -> int:
        return self.revisions - self.claimed

    @property
    def with_claim(self) -> tuple[float, float]:
        """Interval of the share that the gate doubts, as everywhere here exact and 95 %."""
        return intervals.share_interval(self.doubted_claimed, self.claimed)

    @property
    def without_claim(self) -> tuple[float, float]:
        return intervals.share_interval(self.doubted_unclaimed, self.unclaimed)


@dataclass(frozen=True)
class Savings:
    since: datetime
    revisions: Revisions
    checks: list[Check]
    ran: list[Ran]
    audits: Audits
    views: Views
    device: Device
    avoided_ms: dict[str, float | None] = field(default_factory=dict)  # by heavy check; None: its time is not measured

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.ran)

    @property
    def seconds_avoided(self) -> float:
        return sum(ms or 0.0 for ms in self.avoided_ms.values()) / 1000


def count(days: int) -> Savings:
    """Everything of the last `days` times 24 hours."""
    since = timezone.now() - timedelta(days=days)
    made, ran = owed_checks(since), models_that_ran(since)
    return Savings(
        since, revisions(since), made, ran, audits(since), views(since), device(since), avoided_ms(made, ran)
    )


def revisions(since: datetime) -> Revisions:
    heavy = OwedCheck.objects.filter(job=OuterRef("pk"), name__in=checks.HEAVY, state__in=MADE)
    rows = _sent(since).annotate(day=TruncDate("created_at"), made=Exists(heavy))
    columns = ("day", "made", "state", "listing__status", "debt__state", "debt__cause")
    by_day: dict[date, Counter[str]] = {}
    causes: Counter[str] = Counter()
    found = rows.order_by().values_list(*columns).annotate(number=Count("pk"))
    for day, was_made, state, status, debt, cause, number in sorted(found, key=lambda row: row[0]):
        fate = _fate(was_made, state, status, debt)
        by_day.setdefault(day, Counter())[fate] += number
        if fate == PAID:
            causes[cause] += number
    return Revisions(by_day, causes)


def _fate(made: bool, state: str, status: str, debt: str | None) -> str:
    """status: of the listing now. A job that is owed again for photos that came later was decided before."""
    if debt == Debt.State.PAID:
        return PAID
    if debt in Debt.UNPAID:
        return OWED
    if debt == Debt.State.VOID:
        return SPENT if made else AVOIDED
    if state == ValidationJob.State.OWED and status == Status.CHECKING:
        return WAITING
    if made:
        return BEFORE
    # With a person, as the gate's warning said: its heavy checks were not asked for (checks.spare).
    return GONE if state == ValidationJob.State.DROPPED else SPARED


def _sent(since: datetime) -> QuerySet[ValidationJob]:
    """Jobs of revisions that a merchant sent in. Those without a category are of photos that came to a listing later,
    or from before there were debts."""
    return ValidationJob.objects.filter(created_at__gte=since).exclude(category="")


def owed_checks(since: datetime) -> list[Check]:
    """Each check by its name, the light ones first."""
    rows = OwedCheck.objects.filter(job__in=_sent(since)).order_by()
    grouped = rows.values_list("name", "state", "job__debt__state").annotate(number=Count("pk"))
    found: dict[str, Counter[str]] = {name: Counter() for name in (*checks.LIGHT, *checks.HEAVY)}
    for name, state, debt, number in grouped:
        if state in MADE:
            found.setdefault(name, Counter())["made"] += number
        elif state == OwedCheck.State.OWED:
            found.setdefault(name, Counter())["owed"] += number
        else:
            found.setdefault(name, Counter())["avoided" if debt == Debt.State.VOID else "dropped"] += number
    return [Check(name, name not in checks.LIGHT, **numbers) for name, numbers in found.items()]


def models_that_ran(since: datetime) -> list[Ran]:
    """On the server, the longest first. What a device says of its own time is not among it: anybody can write it."""
    rows = Verdict.objects.filter(created_at__gte=since).exclude(where=Where.DEVICE).order_by()
    grouped = rows.values_list("where", "model").annotate(
        number=Count("pk"), timed=Count("ms"), total=Coalesce(Sum("ms"), 0.0)
    )
    return sorted((Ran(*row) for row in grouped), key=lambda each: -each.ms)


def avoided_ms(made: Iterable[Check], ran: Iterable[Ran]) -> dict[str, float | None]:
    """Milliseconds of the heavy checks avoided: their number times the mean of those that were made."""
    means = {each.model: each.mean_ms for each in ran if each.where == Where.CLOUD}
    found: dict[str, float | None] = {}
    for check in made:
        if check.heavy:
            mean = means.get(TIMED_BY.get(check.name, check.name))
            found[check.name] = None if mean is None and check.avoided else check.avoided * (mean or 0.0)
    return found


def audits(since: datetime) -> Audits:
    reviews = ReviewJob.objects.filter(
        listing=OuterRef("listing"),
        revision=OuterRef("job__revision"),
        kind__in=[ReviewJob.Kind.CHECK, ReviewJob.Kind.LEFT],
    )
    changes = StatusChange.objects.filter(
        listing=OuterRef("listing"), revision=OuterRef("job__revision"), target=Status.NEEDS_CHANGES
    )
    needs_changes = Q(left_at__isnull=False, job__outcome=Status.NEEDS_CHANGES)  # no status says so of what left
    paid = Debt.objects.filter(state=Debt.State.PAID, closed_at__gte=since)
    rows = paid.filter(Q(audit=True) | Q(left_at__isnull=False)).annotate(
        day=TruncDate("closed_at"),
        has_left=ExpressionWrapper(Q(left_at__isnull=False), BooleanField()),
        rejected=_rejected(),
        waiting=Exists(reviews.filter(state=ReviewJob.State.OPEN)),
        withdrawn=Exists(reviews.filter(state=ReviewJob.State.WITHDRAWN)),
        changed=ExpressionWrapper(Q(Exists(changes)) | needs_changes, BooleanField()),
    )
    columns = ("day", "tier", "audit", "has_left", "rejected", "waiting", "withdrawn", "changed")
    by_day: dict[date, list[Misses]] = {}
    by_tier: dict[Tier, list[Misses]] = {}
    not_yet: Counter[str] = Counter()
    found = rows.order_by().values_list(*columns).annotate(number=Count("pk"))
    left: list[Misses] = []
    for day, tier, audit, has_left, rejected, waiting, withdrawn, changed, number in sorted(found):
        these = Misses(number if rejected else 0, number)
        decided = rejected or not (waiting or withdrawn)
        if has_left and decided:
            left.append(these)
        if not audit:
            continue
        if not decided:
            not_yet["waiting" if waiting else "withdrawn"] += number
            continue
        not_yet["changed"] += number if changed and not rejected else 0
        by_day.setdefault(day, []).append(these)
        by_tier.setdefault(Tier(tier), []).append(these)
    return Audits(
        {day: _together(parts) for day, parts in by_day.items()},
        {tier: _together(parts) for tier, parts in sorted(by_tier.items())},
        not_yet["waiting"],
        not_yet["withdrawn"],
        not_yet["changed"],
        _together(left),
    )


def _rejected() -> Exists:
    """Of a debt: whether a moderator rejected the very revision that owed its checks."""
    rejections = Decision.objects.violations().filter(listing=OuterRef("listing"))
    return Exists(rejections.filter(review_job__revision=OuterRef("job__revision")))


def _together(parts: Iterable[Misses]) -> Misses:
    parts = list(parts)
    return Misses(sum(part.missed for part in parts), sum(part.decided for part in parts))


def audits_needed(missed: int, target: float) -> int:
    """So many audits in all, with no further miss, until the one-sided 95 % upper end is at `target`. Raises ValueError
    for a target of 0."""
    if not missed:
        return intervals.needed(target)
    if target >= 1:
        return missed
    if target <= 0:
        raise ValueError("no number of audits shows that a share is 0")
    low, high = missed, 2 * missed
    while intervals.share_upper(missed, high) > target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if intervals.share_upper(missed, middle) > target:
            low = middle
        else:
            high = middle
    return high


def views(since: datetime) -> Views:
    """Of debts begun in the period."""
    rows = Debt.objects.filter(opened_at__gte=since).annotate(rejected=_rejected()).order_by()
    grouped = rows.values_list("rejected").annotate(
        number=Count("pk"),
        total=Sum("impressions"),
        squares=Sum(Cast("impressions", BigIntegerField()) * F("impressions")),
    )
    seen = {rejected: numbers for rejected, *numbers in grouped}
    (safe_debts, safe, squares), (unsafe_debts, unsafe, more) = seen.get(False, [0] * 3), seen.get(True, [0] * 3)
    return Views(safe_debts + unsafe_debts, safe + unsafe, unsafe_debts, unsafe, squares + more)


def device(since: datetime) -> Device:
    """Of revisions whose words or photos the gate looked at; one without any verdict of the gate is left out."""
    said = Verdict.objects.filter(created_at__gte=since, where__in=(Where.DEVICE, Where.GATE)).order_by()
    claim, gate = Q(where=Where.DEVICE), Q(where=Where.GATE)
    passed = Q(decision=VerdictDecision.PASS)
    revisions = said.values("listing", "revision").annotate(
        looked=_any(gate),
        claimed=_any(claim),
        disbelieved=_any(claim & Q(detail__has_key="disbelieved")),
        differs=_any(claim & Q(detail__has_any_keys=["differs_from_gate", "gate_decided"])),
        warned=_any(claim & ~passed),
        doubted=_any(gate & ~passed),
    )
    claimed = Q(looked=True, claimed=True)
    numbers: dict[str, Any] = revisions.aggregate(
        revisions=Count("listing", filter=Q(looked=True)),
        said=Count("listing", filter=claimed),
        agreed=Count("listing", filter=claimed & Q(disbelieved=False, differs=False)),
        not_believed=Count("listing", filter=claimed & Q(disbelieved=True)),
        not_sure=Count("listing", filter=claimed & Q(warned=True)),
        doubted_claimed=Count("listing", filter=claimed & Q(doubted=True)),
        doubted_unclaimed=Count("listing", filter=Q(looked=True, claimed=False, doubted=True)),
    )
    sellers = said.filter(claim).aggregate(number=Count("listing__seller", distinct=True))["number"]
    return Device(
        numbers["revisions"],
        numbers["said"],
        numbers["agreed"],
        numbers["not_believed"],
        numbers["not_sure"],
        numbers["doubted_claimed"],
        numbers["doubted_unclaimed"],
        sellers,
    )


def _any(condition: Q) -> Coalesce:
    return Coalesce(BoolOr(condition), False)
