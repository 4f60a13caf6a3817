"""Heavy checks that are owed by what is on sale already: begun, called in, paid, void.

The checks themselves are the rows of every other job (checks.py): while they are deferred nobody sends them. Whatever
calls a debt in makes them due. Views and doubts take the listing off the market at the same time; idle workers,
audits and age do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import ExpressionWrapper, F, FloatField, Value
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
    audit = any(lot.is_drawn(each, share) for each in lots)
    # What was seen of words that nobody checked counts after an edit.
    last = Debt.objects.filter(listing=listing).order_by("-pk").first()
    before = last.impressions if last and last.state == Debt.State.VOID else 0
    before = max(before, totals.of(listing.pk))
    debt = Debt.objects.create(
        listing=listing, job=job, risk=ruled.risk, tier=ruled.standing.tier, audit=audit, impressions=before
    )
    checks.defer(job)
    if audit:
        call_in(debt, Cause.AUDIT)


def audit_share(tier: int, terms: dict[str, float]) -> float:
    return terms["audit_share"] * (1 if tier >= Tier.TRUSTED else 2)


def call_in(debt: Debt, cause: Debt.Cause) -> bool:
    """Make its heavy checks due. False when the debt is closed, or was called in for as good a cause."""
    from .. import tasks

    with transaction.atomic():
        Listing.objects.hold(debt.listing_id)
        held = Debt.objects.filter(pk=debt.pk, state=Debt.State.OPEN)
        off_the_market = cause in OFF_THE_MARKET
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


def close(job: ValidationJob) -> None:
    """All its checks have ended; what is seen from now on has no cap. Under the listing's lock."""
    debt = Debt.objects.filter(job=job, state=Debt.State.OPEN).first()
    if debt is None:
        return
    seen = Greatest(F("impressions"), Value(totals.of(debt.listing_id)))
    Debt.objects.filter(pk=debt.pk).update(state=Debt.State.PAID, closed_at=timezone.now(), impressions=seen)
    transaction.on_commit(partial(totals.drop, [debt.listing_id]))


def pay() -> int:
    """Call in what idle workers should look at, the most unsafe views first, and what is owed for too long. Returns
    how many."""
    terms = settings.values()
    _void_what_left()
    called_in = Debt.objects.filter(state=Debt.State.OPEN, called_at__isnull=False).count()
    room = max(0, PAID_AT_ONCE - called_in)  # no more than workers get through
    owed = Debt.objects.filter(state=Debt.State.OPEN, called_at=None)
    long_ago = timezone.now() - timedelta(days=terms["debt_days"])
    called = [call_in(debt, Cause.AGE) for debt in owed.filter(opened_at__lt=long_ago)[:room]]
    if _idle():
        most = owed.alias(expected=expected_harm()).filter(expected__gte=terms["worth"]).order_by("-expected")
        called += [call_in(debt, Cause.IDLE) for debt in most[: room - len(called)]]
    return sum(called)


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


def _void_what_left() -> None:
    """A sold or withdrawn listing owes nothing."""
    gone = Debt.objects.filter(state=Debt.State.OPEN).exclude(listing__status__in=checks.ASKED)
    for job in ValidationJob.objects.filter(pk__in=gone.values("job")):
        with transaction.atomic():
            Listing.objects.hold(job.listing_id)
            if Listing.objects.filter(pk=job.listing_id, status__in=checks.ASKED).exists():
                continue
            checks.drop(ValidationJob.objects.filter(pk=job.pk))
