"""Heavy checks that are owed by what is on sale already: begun, called in, paid.

The checks themselves are the rows of every other job (checks.py): while they are deferred nobody sends them. Whatever
calls a debt in makes them due. Views and doubts take the listing off the market at the same time; idle workers,
audits and age do not.

What leaves the market before (`checks.drop`) still owes them, for the record: edited words that anybody saw are
checked, and of what was sold or withdrawn so much as its views are worth (`drawn_after`); in the words in which it was
on sale, and a doubt goes before a moderator. The others owe nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import ExpressionWrapper, F, FloatField, Max, Q, QuerySet, Value
from django.db.models.functions import Extract, Greatest, Now
from django.utils import timezone

from .. import checks, policies
from ..lifecycle import Status
from ..models import Debt, Listing, OwedCheck, Photo, Ruling, ValidationJob, Verdict
from . import lot, settings, totals
from .rules import Ruled, another_price_level, rule, waiting_since
from .tiers import Tier, standing

Cause = Debt.Cause
OFF_THE_MARKET = (Cause.VIEWS, Cause.DOUBT)
HELD_NOTE = "Our full check looks at this listing before more people see it. It goes on by itself."
ONE_SELLER = 730_184  # the first key of the advisory lock
PAID_AT_ONCE = 20  # debts that idle workers are given each time
LEFT_AT_MOST = timedelta(days=1)  # what has left the market is checked after this, idle workers or not
UNSEEN_AFTER = timedelta(minutes=10)  # by then each page that was being made when something left is counted
WHILE_IDLE = timedelta(seconds=30)  # no check that somebody waits for is older


def consider(listing: Listing, photos: Sequence[Photo], verdicts: Sequence[Verdict], job: ValidationJob) -> bool:
    """Rule on a revision that was just stored, within its transaction, and publish it if it may. The ruling is kept
    either way."""
    terms = settings.values()
    _one_at_a_time(listing.seller_id)
    ruled = rule(listing, photos, verdicts, terms)
    ValidationJob.objects.filter(pk=job.pk).update(gate_clear=ruled.gate_clear)
    Ruling.objects.create(
        listing=listing,
        revision=listing.revision,
        granted=ruled.granted,
        grounds=ruled.grounds,
        tier=ruled.standing.tier,
        policies_version=policies.version(),
        terms=terms,
    )
    if not ruled.granted or not _publish(listing):
        return False
    _begin(listing, job, ruled, terms)
    listing.refresh_from_db(fields=["status", "published_at", "updated_at"])
    return True


def _one_at_a_time(seller: int) -> None:
    """Until the transaction ends: of two submits of a seller at once, the second counts the first one's debt."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ONE_SELLER, seller])


def _publish(listing: Listing) -> bool:
    return Listing.objects.move(
        listing.pk, source=Status.CHECKING, target=Status.PUBLISHED, at_revision=listing.revision
    )


def _begin(listing: Listing, job: ValidationJob, ruled: Ruled, terms: dict[str, float]) -> None:
    share = audit_share(ruled.standing.tier, terms)
    # Who was drawn stays drawn; who was not, and writes another text, may be now.
    lots = (listing.lot, lot.draw(listing.seller_id, timezone.localdate(), listing.fingerprint))
    place = min(map(lot.place, lots))
    # Who is drawn is not called in here: the submit would take longer, and its merchant could tell.
    Debt.objects.create(
        listing=listing,
        job=job,
        risk=ruled.risk,
        tier=ruled.standing.tier,
        audit=place < share,
        place=place,
        impressions=max(totals.of(listing.pk), _seen_unchecked(listing)),
    )
    checks.defer(job)


def _seen_unchecked(listing: Listing) -> int:
    """Views of earlier debts that ended unpaid: whoever withdraws a listing and sends it again begins where it was."""
    debts = Debt.objects.filter(listing=listing)
    paid = debts.filter(state=Debt.State.PAID).aggregate(last=Max("pk"))["last"] or 0
    return debts.filter(pk__gt=paid).aggregate(most=Max("impressions"))["most"] or 0


def audit_share(tier: int, terms: dict[str, float]) -> float:
    return terms["audit_share"] * (1 if tier >= Tier.TRUSTED else 2)


def call_in(debt: Debt, cause: Debt.Cause) -> bool:
    """Make its heavy checks due. False when the debt is closed, or was called in for as good a cause. Raises
    Listing.DoesNotExist."""
    from .. import tasks

    with transaction.atomic():
        Listing.objects.hold(debt.listing_id)
        off_the_market = cause in OFF_THE_MARKET
        # What has left is not on sale, or it is in other words.
        states = (Debt.State.OPEN,) if off_the_market else Debt.UNPAID
        held = Debt.objects.filter(pk=debt.pk, state__in=states)
        first = held.filter(called_at=None).update(called_at=timezone.now(), cause=cause) == 1
        if not first:
            if not off_the_market or not held.exists():
                return False
            held.exclude(cause__in=OFF_THE_MARKET).update(cause=cause)
        checks.make_due(debt.job_id)
        moved = off_the_market and Listing.objects.move(
            debt.listing_id, source=Status.PUBLISHED, target=Status.CHECKING, note=HELD_NOTE
        )
        if not first and not moved:
            return False
        waited_for = None if off_the_market else tasks.CAN_WAIT
        transaction.on_commit(partial(tasks.enqueue_job, debt.job_id, waited_for))
    return True


def call_in_all_of(seller: int) -> int:
    """A listing of theirs broke a policy: whatever else of theirs owes its checks leaves the market until they are
    made. Returns how many."""
    owed = Debt.objects.filter(listing__seller=seller, state=Debt.State.OPEN).exclude(cause__in=OFF_THE_MARKET)
    return sum(call_in(debt, Cause.DOUBT) for debt in owed.order_by("pk"))


def must_wait(listing: Listing) -> bool:
    """Whether a paused listing may not be back on sale before its checks: views or a doubt called them in."""
    return Debt.objects.filter(listing=listing, state=Debt.State.OPEN, cause__in=OFF_THE_MARKET).exists()


def price_changed(listing: Listing) -> None:
    """A price needs no check by itself. That of another level than the seller's so far does: it calls a debt in."""
    debt = Debt.objects.filter(listing=listing, state=Debt.State.OPEN).first()
    if debt is None:
        return
    terms = settings.values()
    if another_price_level(float(listing.price), standing(listing.seller, listing.category, terms), terms):
        call_in(debt, Cause.DOUBT)


def light_made(job: ValidationJob) -> None:
    """Note when all light checks are made. Under the listing's lock."""
    if not job.checks.filter(name__in=checks.LIGHT).exclude(state=OwedCheck.State.DONE).exists():
        Debt.objects.filter(job=job, state=Debt.State.OPEN, light_at=None).update(light_at=timezone.now())


def close(job: ValidationJob) -> Debt | None:
    """All its checks have ended; what is seen from now on has no cap. The debt that was paid, if any. Under the
    listing's lock."""
    debt = Debt.objects.filter(job=job, state__in=Debt.UNPAID).first()
    if debt is None:
        return None
    seen = Greatest(F("impressions"), Value(totals.of(debt.listing_id)))
    Debt.objects.filter(pk=debt.pk).update(state=Debt.State.PAID, closed_at=timezone.now(), impressions=seen)
    transaction.on_commit(partial(totals.drop, [debt.listing_id]))
    return debt


def pay() -> int:
    """Call in what is owed for too long, audits, and what idle workers should look at: the most unsafe views first,
    then what has left the market. Returns how many."""
    terms, now = settings.values(), timezone.now()
    _note_what_left()
    _void_what_is_not_drawn(terms, now)
    called_in = Debt.objects.filter(state__in=Debt.UNPAID, called_at__isnull=False).count()
    room = max(0, PAID_AT_ONCE - called_in)  # no more than workers get through
    owed = Debt.objects.filter(state=Debt.State.OPEN, called_at=None)
    left = _left().filter(_looked_at(terms)).order_by("left_at")
    due = [
        (owed.filter(opened_at__lt=now - timedelta(days=terms["debt_days"])), Cause.AGE),
        (left.filter(left_at__lt=now - LEFT_AT_MOST), Cause.LEFT),
        (owed.filter(audit=True), Cause.AUDIT),
    ]
    if _idle():
        most = owed.alias(expected=expected_harm()).filter(expected__gte=terms["worth"]).order_by("-expected")
        due += [(most, Cause.IDLE), (left, Cause.LEFT)]
    called = 0
    for rows, cause in due:
        called += _call_in_each(rows[: room - called], cause)
    return called


def _call_in_each(rows: Iterable[Debt], cause: Debt.Cause) -> int:
    called = 0
    for debt in rows:
        try:
            called += call_in(debt, cause)
        except Listing.DoesNotExist:  # deleted this moment, and its debt with it
            continue
    return called


def expected_harm() -> ExpressionWrapper:
    """`harm` of each debt."""
    hours = Greatest(Extract(Now() - F("opened_at"), "epoch") / 3600.0, 0.0)  # a clock may jump
    return ExpressionWrapper(harm(F("risk"), F("impressions"), hours), output_field=FloatField())


def harm(risk: Any, impressions: Any, hours: Any) -> Any:
    """Unsafe views of the next day: risk times views, from those of a listing so far; a new one counts as seen twice
    within six hours. hours: since it is on sale. Numbers, or expressions of the database."""
    return risk * (impressions + 2.0) / (hours + 6.0) * 24.0


def _idle() -> bool:
    """Nobody has waited for a check for longer than it takes."""
    return not waiting_since(timezone.now() - WHILE_IDLE)


def _note_what_left() -> None:
    """Whatever way it went: what is not on sale any more owes its checks for the record."""
    gone = Debt.objects.filter(state=Debt.State.OPEN).exclude(listing__status__in=checks.ASKED)
    for job in ValidationJob.objects.filter(pk__in=gone.values("job")):
        with transaction.atomic():
            Listing.objects.hold(job.listing_id)
            if Listing.objects.filter(pk=job.listing_id, status__in=checks.ASKED).exists():
                continue
            checks.drop(ValidationJob.objects.filter(pk=job.pk))


def _left() -> QuerySet[Debt]:
    return Debt.objects.filter(state=Debt.State.LEFT, called_at=None)


def _looked_at(terms: dict[str, float]) -> Q:
    """Of what has left: audits, seen or not; words that were edited after somebody saw them, for its seller is still
    there; of what was sold or withdrawn what is drawn."""
    edited = Q(impressions__gt=0, job__revision__lt=F("listing__revision"))
    return Q(audit=True) | edited | Q(impressions__gt=drawn_after(F("place"), terms))


def drawn_after(place: Any, terms: dict[str, float]) -> Any:
    """Views from which on what was sold or withdrawn is looked at: by its place in the lot, with a probability of its
    views / left_views (sampling in proportion to size, Hansen and Hurwitz 1943). So the share of unsafe ones among
    those drawn estimates the share of unsafe views, and a seller who spreads forbidden things over many listings meets
    a check after left_views of them, as the mean. A number, or an expression of the database."""
    return place * terms["left_views"]


def _void_what_is_not_drawn(terms: dict[str, float], now: datetime) -> None:
    """What nobody saw harmed nobody, and what few saw is on no page any more: its checks are saved."""
    gone = _left().exclude(_looked_at(terms))
    for debt in gone.filter(left_at__lt=now - UNSEEN_AFTER):
        with transaction.atomic():
            if gone.filter(pk=debt.pk).update(state=Debt.State.VOID, closed_at=now):
                checks.drop(ValidationJob.objects.filter(pk=debt.job_id))
                transaction.on_commit(partial(totals.drop, [debt.listing_id]))
