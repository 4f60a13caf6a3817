"""Jobs that measure the moderation itself: samples of what passed, second looks, cases whose answer is known.

Samples find what all checks miss (recall); second looks show how far two moderators agree (kappa); known answers how
far one agrees with the rules. The last two are blind: who gives the answer does not know that one exists.
"""

from __future__ import annotations

import random
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ..lifecycle import Status
from ..models import Decision, Listing, ReviewJob, SecondLook
from ..trust import settings
from . import queue

Kind = ReviewJob.Kind
SAMPLED_CAUSE = "Drawn at random from what is on sale: does it keep the rules?"
GOLDEN_AGE = timedelta(days=3)  # so that nobody remembers it
GOLDEN_POOL = 500
_random = random.SystemRandom()


def draw_second_look(decision: Decision) -> None:
    """A share of decisions is made twice. The second job reads as the first did."""
    first = decision.review_job
    if first.kind != Kind.CHECK or _random.random() >= settings.value("second_share"):
        return
    _repeat(decision, Kind.SECOND)


def draw_sample() -> int:
    """The day's share of what is on sale, once each; how many were drawn now. Spread over the day, a few at a time."""
    most = int(settings.value("samples_a_day"))
    since = timezone.now() - timedelta(days=1)
    drawn = ReviewJob.objects.filter(kind=Kind.SAMPLE, created_at__gt=since).count()
    open_ones = ReviewJob.objects.filter(kind=Kind.SAMPLE, state=ReviewJob.State.OPEN).count()
    wanted = min(most - drawn, 2 * most - open_ones, max(1, most // 24))
    looked_at = ReviewJob.objects.filter(listing=OuterRef("pk"), revision=OuterRef("revision")).exclude(
        kind__in=[Kind.SECOND, Kind.GOLDEN]
    )
    rows = Listing.objects.filter(~Exists(looked_at), status=Status.PUBLISHED)
    found = 0
    for _ in range(max(0, wanted)):
        listing = _any_of(rows)
        if listing is None:
            break
        found += _sample(listing.pk, rows)
    return found


def _sample(listing_id: int, rows: QuerySet[Listing]) -> bool:
    """Open a job of the listing as it is under its lock. False when it has changed since it was drawn, or another run
    has drawn it too."""
    with transaction.atomic():
        Listing.objects.hold(listing_id)
        listing = rows.filter(pk=listing_id).first()
        if listing is None:
            return False
        queue.open_job(
            listing, revision=listing.revision, kind=Kind.SAMPLE, cause=SAMPLED_CAUSE, risk=0.0,
            status_before=listing.status,
        )  # fmt: skip
    return True


def draw_golden() -> int:
    """Cases on which two moderators agreed, and whose listing has not changed since, asked anew of others: so many that
    they make the wanted share of what waits. How many were drawn now."""
    waiting = ReviewJob.objects.filter(state=ReviewJob.State.OPEN).count()
    open_ones = ReviewJob.objects.filter(kind=Kind.GOLDEN, state=ReviewJob.State.OPEN).count()
    wanted = int(settings.value("golden_share") * waiting) - open_ones
    known = agreed().filter(created_at__lt=timezone.now() - GOLDEN_AGE)
    asked = ReviewJob.objects.filter(about=OuterRef("pk"), kind=Kind.GOLDEN, state=ReviewJob.State.OPEN)
    pool = list(known.filter(~Exists(asked)).order_by("-pk")[:GOLDEN_POOL])
    chosen = _random.sample(pool, min(len(pool), max(0, wanted)))
    for decision in chosen:
        _repeat(decision, Kind.GOLDEN)
    return len(chosen)


def agreed() -> QuerySet[Decision]:
    """Decisions that a second, blind look came to as well and no appeal overturned, about words that still stand."""
    same = SecondLook.objects.filter(about=OuterRef("pk"), action=OuterRef("action"), review_job__kind=Kind.SECOND)
    changed = Listing.objects.filter(pk=OuterRef("listing"), revision__gt=OuterRef("review_job__revision"))
    rows = Decision.objects.standing().filter(Exists(same), ~Exists(changed))
    return rows.select_related("review_job", "listing")


def _repeat(decision: Decision, kind: str) -> None:
    first = decision.review_job
    queue.open_job(
        decision.listing, revision=first.revision, kind=kind, cause=first.cause, policy=first.policy, risk=first.risk,
        status_before=first.status_before, about=decision,
    )  # fmt: skip


def _any_of(rows: QuerySet[Listing]) -> Listing | None:
    """One of the rows, each as likely as the next."""
    number = rows.count()
    return rows.order_by("pk")[_random.randrange(number)] if number else None
