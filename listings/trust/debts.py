"""Heavy checks that are owed by what is on sale already: begun, called in, paid, void.

The checks themselves are the rows of every other job (checks.py): while they are deferred nobody sends them. Whatever
calls a debt in makes them due. Views, doubts and reports take the listing off the market at the same time; idle
workers, audits and age do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import ExpressionWrapper, F, FloatField
from django.db.models.functions import Extract, Now
from django.utils import timezone

from .. import checks, policies
from ..lifecycle import Status
from ..models import Debt, Listing, OwedCheck, Photo, Ruling, ValidationJob, Verdict
from . import lot, settings
from .rules import Ruled, rule
from .tiers import Tier

Cause = Debt.Cause
OFF_THE_MARKET = (Cause.VIEWS, Cause.DOUBT, Cause.REPORT)
HELD_NOTE = "Our full check looks at this listing before more people see it. It goes on by itself."
PAID_AT_ONCE = 20  # debts that idle workers are given each time
WHILE_IDLE = timedelta(seconds=30)  # no check that somebody waits for is older


def consider(listing: Listing, photos: Sequence[Photo], verdicts: Sequence[Verdict], job: ValidationJob) -> bool:
    """Rule on a revision that was just stored, within its transaction, and publish it if it may. The ruling is kept
    either way."""
    terms = settings.values()
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
    return True


def _publish(listing: Listing) -> bool:
    return Listing.objects.move(
        listing.pk, source=Status.CHECKING, target=Status.PUBLISHED, at_revision=listing.revision
    )


def _begin(listing: Listing, job: ValidationJob, ruled: Ruled, terms: dict[str, float]) -> None:
    audit = lot.is_drawn(listing.lot, audit_share(ruled.standing.tier, terms))
    # What was seen before an edit counts after it.
    before = Debt.objects.filter(listing=listing).order_by("-pk").values_list("impressions", flat=True).first()
    debt = Debt.objects.create(
        listing=listing, job=job, risk=ruled.risk, tier=ruled.standing.tier, audit=audit, impressions=before or 0
    )
    checks.defer(job)
    if audit:
        call_in(debt, Cause.AUDIT)


def audit_share(tier: int, terms: dict[str, float]) -> float:
    return terms["audit_share"] * (1 if tier >= Tier.TRUSTED else 2)


def cap(tier: int, light_made: bool, terms: dict[str, float]) -> int:
    """Views that a listing may have while it owes its checks."""
    most = terms["heavy_cap"] if light_made else terms["light_cap"]
    return int(most if tier >= Tier.TRUSTED else most / 2)


def call_in(debt: Debt, cause: Debt.Cause) -> bool:
    """Make its heavy checks due. False when the debt is closed, or was called in for as good a cause."""
    from .. import tasks

    with transaction.atomic():
        Listing.objects.hold(debt.listing_id)
        held = Debt.objects.filter(pk=debt.pk, state=Debt.State.OPEN)
        off_the_market = cause in OFF_THE_MARKET
        first = held.filter(called_at=None).update(called_at=timezone.now(), cause=cause) == 1
        if not first and not (off_the_market and held.exists()):
            return False
        checks.make_due(debt.job_id)
        moved = off_the_market and Listing.objects.move(
            debt.listing_id, source=Status.PUBLISHED, target=Status.CHECKING, note=HELD_NOTE
        )
        if not first and not moved:
            return False
        transaction.on_commit(partial(tasks.enqueue_job, debt.job_id))
    return True


def light_made(job: ValidationJob) -> None:
    """Note when nothing but deferred checks is left. Under the listing's lock."""
    if not job.checks.filter(state=OwedCheck.State.OWED, name__in=checks.LIGHT).exists():
        Debt.objects.filter(job=job, state=Debt.State.OPEN, light_at=None).update(light_at=timezone.now())


def close(jobs: Sequence[int], state: Debt.State) -> None:
    """With their jobs. Under the listing's lock."""
    Debt.objects.filter(job__in=jobs, state=Debt.State.OPEN).update(state=state, closed_at=timezone.now())


def pay() -> int:
    """Call in what idle workers should look at, the most unsafe views first, and what is owed for too long. Returns
    how many."""
    terms = settings.values()
    _void_what_left()
    owed = Debt.objects.filter(state=Debt.State.OPEN, called_at=None).select_related("job")
    long_ago = timezone.now() - timedelta(days=terms["debt_days"])
    called = [call_in(debt, Cause.AGE) for debt in owed.filter(opened_at__lt=long_ago)[:PAID_AT_ONCE]]
    if _idle():
        most = owed.alias(expected=expected_harm()).filter(expected__gte=terms["worth"]).order_by("-expected")
        called += [call_in(debt, Cause.IDLE) for debt in most[:PAID_AT_ONCE]]
    return sum(called)


def expected_harm() -> ExpressionWrapper:
    """`harm` of each debt."""
    hours = Extract(Now() - F("opened_at"), "epoch") / 3600.0
    return ExpressionWrapper(harm(F("risk"), F("impressions"), hours), output_field=FloatField())


def harm(risk: Any, impressions: Any, hours: Any) -> Any:
    """Unsafe views of the next day: risk times views, from those of a listing so far; a new one counts as seen five
    times in its first hour. hours: since it is on sale. Numbers, or expressions of the database."""
    return risk * (impressions + 5.0) / (hours + 1.0) * 24.0


def _idle() -> bool:
    """Nobody has waited for a check for longer than it takes."""
    late = timezone.now() - WHILE_IDLE
    waited_for = OwedCheck.objects.filter(state=OwedCheck.State.OWED, job__listing__status=Status.CHECKING)
    return not waited_for.filter(job__created_at__lt=late, due_at__lte=timezone.now()).exists()


def _void_what_left() -> None:
    """A sold or withdrawn listing owes nothing."""
    gone = Debt.objects.filter(state=Debt.State.OPEN).exclude(listing__status__in=checks.ASKED)
    for job in ValidationJob.objects.filter(pk__in=gone.values("job")):
        with transaction.atomic():
            Listing.objects.hold(job.listing_id)
            if Listing.objects.filter(pk=job.listing_id, status__in=checks.ASKED).exists():
                continue
            checks.drop(ValidationJob.objects.filter(pk=job.pk))
