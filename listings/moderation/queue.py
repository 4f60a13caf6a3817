"""What waits for a person, in which order, and how a job comes into the queue.

The most urgent first: risk counts as time waited, so that the dangerous goes ahead and the harmless is not left for
ever. The order is stored in the row (`rank_at`), so that a page of the queue is one step along an index, however long
the queue is ("keyset pagination": Winand, SQL Performance Explained, 2012).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from .. import policies
from ..lifecycle import Status
from ..models import (
    Decision,
    JobEvent,
    Listing,
    PendingDecision,
    Report,
    ReviewJob,
    SecondLook,
    Strike,
    User,
    Verdict,
    Where,
)

NO_POLICY = "none"  # in addresses
PAGE = 25
HEAD_START = timedelta(hours=48)  # of risk 1 before risk 0
SKIPPED_FOR = timedelta(hours=8)
# Somebody waits for an answer.
LEAST_RISK = {ReviewJob.Kind.REPORT: 0.4, ReviewJob.Kind.APPEAL: 0.5, ReviewJob.Kind.SELLER: 0.5}
MOST_SEVERE = 3
URGENT, OLDEST = "urgent", "oldest"
ORDERS = {URGENT: "rank_at", OLDEST: "created_at"}
# A blind job stands among the checks, or it would not be blind; what is passed on has a lane of its own.
LANE_OF = {
    "check": "checks", "left": "checks", "second": "checks", "golden": "checks", "report": "reports",
    "appeal": "appeals", "seller": "appeals", "sample": "samples",
}  # fmt: skip


def _in_lane(lane: str) -> Q:
    return Q(kind__in=[kind for kind, own in LANE_OF.items() if own == lane], escalated=False)


# Lanes of the queue: name → label, and what is in them.
LANES: dict[str, tuple[str, Q]] = {
    "all": ("Everything", Q()),
    "checks": ("Checks", _in_lane("checks")),
    "reports": ("Reports", _in_lane("reports")),
    "appeals": ("Appeals", _in_lane("appeals")),
    "samples": ("Samples", _in_lane("samples")),
    "escalated": ("Passed on", Q(escalated=True)),
}


def lane_of(kind: str, escalated: bool) -> str:
    return "escalated" if escalated else LANE_OF[kind]


@dataclass(frozen=True)
class Filters:
    """What a moderator wants to see of the queue, as it stands in the address."""

    lane: str = "all"
    policy: str = ""
    order: str = URGENT

    @classmethod
    def of(cls, asked: Any) -> Filters:
        lane, order = asked.get("lane", "all"), asked.get("order", URGENT)
        policy = asked.get("policy", "")
        known = policy == NO_POLICY or policies.get(policy) is not None
        return cls(lane if lane in LANES else "all", policy if known else "", order if order in ORDERS else URGENT)

    def as_query(self) -> dict[str, str]:
        """Without what is the default."""
        given = {"lane": self.lane, "policy": self.policy, "order": self.order}
        return {name: value for name, value in given.items() if value != getattr(Filters(), name)}


EVERYTHING = Filters()


def open_job(
    listing: Listing,
    *,
    revision: int,
    kind: str = ReviewJob.Kind.CHECK,
    cause: str,
    policy: str = "",
    risk: float | None = None,
    status_before: str = Status.CHECKING,
    about: Decision | None = None,
) -> ReviewJob:
    """A new job in the queue. risk: 0..1; None: by what the checks said of the revision."""
    found = risk_of(listing.pk, revision, policy) if risk is None else risk
    found = max(found, LEAST_RISK.get(ReviewJob.Kind(kind), 0.0))
    now = timezone.now()
    return ReviewJob.objects.create(
        listing_id=listing.pk, revision=revision, kind=kind, cause=cause, policy=policy, about=about,
        status_before=status_before, risk=found, rank_at=ranked(now, found), created_at=now,
    )  # fmt: skip


def ranked(since: datetime, risk: float) -> datetime:
    return since - risk * HEAD_START


def risk_of(listing_id: int, revision: int, policy: str) -> float:
    """The server's highest score for the policy (of none, for any), times how severe it is; 0..1."""
    said = Verdict.objects.filter(listing=listing_id, revision=revision).exclude(where=Where.DEVICE)
    scores = [row for row in said.values_list("scores", flat=True) if row]
    known = policies.get(policy)
    if known is None:
        return max((1.0 - float(row["safe"]) for row in scores if "safe" in row), default=0.0) / MOST_SEVERE
    score = max((float(row.get(policy, 0.0)) for row in scores), default=0.0)
    return min(1.0, max(score, 0.1)) * known.severity / MOST_SEVERE


def open_jobs(filters: Filters = EVERYTHING) -> QuerySet[ReviewJob]:
    """Open jobs in the order of `filters`; what is decided and only not yet in force is not among them."""
    rows = ReviewJob.objects.filter(LANES[filters.lane][1], state=ReviewJob.State.OPEN)
    if filters.policy:
        rows = rows.filter(policy="" if filters.policy == NO_POLICY else filters.policy)
    pending = PendingDecision.objects.filter(job=OuterRef("pk"), state=PendingDecision.State.PENDING)
    return rows.filter(~Exists(pending)).order_by(ORDERS[filters.order], "pk")


def for_moderator(moderator: User, filters: Filters = EVERYTHING) -> QuerySet[ReviewJob]:
    """Those that this moderator may take now: free or theirs, not about themselves, not what they skipped lately,
    passed on, or are not to judge again."""
    mine = JobEvent.objects.filter(job=OuterRef("pk"), actor=moderator)
    since = timezone.now() - SKIPPED_FOR
    put_off = mine.filter(Q(kind="skipped", created_at__gt=since) | Q(kind="escalated"))
    # What was reported and is just being checked anew waits for that check; so does a sample of the same words.
    anew = Q(listing__status__in=[Status.CHECKING, Status.IN_REVIEW], listing__revision=F("revision"))
    on_market = Q(listing__status__in=[Status.PUBLISHED, Status.PAUSED])
    stands = ~Q(kind__in=["report", "sample"]) | (Q(kind="report") & on_market) | (Q(kind="sample") & ~anew)
    free = Q(claimed_until=None) | Q(claimed_until__lte=timezone.now()) | Q(claimed_by=moderator)
    rows = open_jobs(filters).filter(free, stands, ~Exists(put_off)).exclude(listing__seller=moderator)
    # Whoever judged a listing before does not judge it anew.
    decided = Decision.objects.filter(listing=OuterRef("listing"), moderator=moderator)
    looked = SecondLook.objects.filter(about__listing=OuterRef("listing"), moderator=moderator)
    reported = Report.objects.filter(job=OuterRef("pk"), reporter=moderator)
    return rows.filter(Q(about=None) | (~Exists(decided) & ~Exists(looked)), ~Exists(reported), ~struck_by(moderator))


def struck_by(moderator: User) -> Q:
    """Of jobs: appeals against suspensions to which a decision of this moderator led, where another moderator is there
    of whom none did and who may decide it. So that it is never left to nobody."""
    strikes = Strike.objects.filter(suspensions__decision=OuterRef("about"), decision__moderator=moderator)
    job, about, listing = (OuterRef(OuterRef(name)) for name in ("pk", "about", "listing"))
    barred = (
        Strike.objects.filter(suspensions__decision=about, decision__moderator=OuterRef("pk")),
        Decision.objects.filter(listing=listing, moderator=OuterRef("pk")),
        SecondLook.objects.filter(about__listing=listing, moderator=OuterRef("pk")),
        JobEvent.objects.filter(job=job, kind="escalated", actor=OuterRef("pk")),
    )
    others = User.objects.filter(role=User.Role.MODERATOR, is_active=True).exclude(pk=moderator.pk)
    for rows in barred:
        others = others.filter(~Exists(rows))
    return Q(kind=ReviewJob.Kind.SELLER) & Q(Exists(strikes)) & Q(Exists(others))


def why_nothing(moderator: User, filters: Filters = EVERYTHING) -> str:
    """Why there is no next case for this moderator, in a sentence."""
    rows = open_jobs(filters)
    others = rows.filter(claimed_until__gt=timezone.now()).exclude(claimed_by=moderator).count()
    since = timezone.now() - SKIPPED_FOR
    skipped = JobEvent.objects.filter(job=OuterRef("pk"), actor=moderator, kind="skipped", created_at__gt=since)
    put_off = rows.filter(Exists(skipped)).count()
    whole = rows.count()
    if not whole:
        return "Nothing waits here now."
    parts = [
        f"{others} held by others" if others else "",
        f"{put_off} that you skipped" if put_off else "",
        f"{rest} that you may not decide or that wait for a check"
        if (rest := max(0, whole - others - put_off))
        else "",
    ]
    return f"Nothing here is yours to take now. Of {whole} that wait: {', '.join(filter(None, parts))}."


def page(filters: Filters, after: str = "") -> tuple[list[ReviewJob], str]:
    """Jobs of a page of the queue, and the place from which the next one goes on ("" at its end). `after`: such a
    place; one that cannot be read is the beginning."""
    column = ORDERS[filters.order]
    rows = open_jobs(filters)
    if place := _place(after):
        since, pk = place
        rows = rows.filter(Q(**{f"{column}__gt": since}) | Q(**{column: since, "pk__gt": pk}))
        rows = rows.filter(**{f"{column}__gte": since})  # the index is entered here
    rows = rows.select_related("listing__seller", "claimed_by").prefetch_related(
        "listing__photos", "listing__revisions"
    )
    found = list(rows.defer("listing__search")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    return found[:PAGE], f"{getattr(last, column).isoformat()}_{last.pk}" if last else ""


def _place(written: str) -> tuple[datetime, int] | None:
    at, _, pk = written.replace(" ", "+").rpartition("_")
    try:
        found = parse_datetime(at)
        return (found, int(pk)) if found is not None and found.tzinfo else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Waiting:
    number: int
    oldest: datetime | None


Tally = list[tuple[str, bool, str, int, datetime]]  # kind, escalated, policy, how many wait, since when the first


def tally_rows() -> QuerySet[ReviewJob, Any]:
    rows = open_jobs().order_by().values_list("kind", "escalated", "policy")
    return rows.annotate(number=Count("pk"), oldest=Min("created_at"))


def tally() -> Tally:
    """All that waits, counted in one pass over an index."""
    return list(tally_rows())


def waiting(counted: Tally | None = None) -> dict[str, Waiting]:
    """By lane: how many wait, and since when the first of them."""
    found: dict[str, list[tuple[int, datetime]]] = {lane: [] for lane in LANES}
    for kind, escalated, _, number, oldest in tally() if counted is None else counted:
        for lane in {"all", lane_of(kind, escalated)}:
            found[lane].append((number, oldest))
    return {
        lane: Waiting(sum(number for number, _ in parts), min((oldest for _, oldest in parts), default=None))
        for lane, parts in found.items()
    }


def counts(lane: str = "all", counted: Tally | None = None) -> list[tuple[str, str, int]]:
    """(policy id, name, number waiting), the most first."""
    found: Counter[str] = Counter()
    for kind, escalated, policy, number, _ in tally() if counted is None else counted:
        found[policy] += number if lane in ("all", lane_of(kind, escalated)) else 0
    rows = sorted(((-number, policy) for policy, number in found.items() if number))
    return [(policy, policies.name(policy), -number) for number, policy in rows]
