"""Where the gate was measured: of what it passed with margin in a category, how much turned out to break a policy.

A cell is a policy in a category. What counts are revisions whose heavy checks are made (before publication, as a paid
debt, or for an audit); one is a miss of a policy if a moderator rejected it under that policy. What waits for a
moderator counts when it is decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from .. import policies
from ..models import Cell, Decision, ReviewJob, ValidationJob
from . import intervals

DAYS = 365
NEWEST = 5_000  # revisions of a category that are looked at


def refresh() -> int:
    """Count all cells anew; returns how many there are."""
    since = timezone.now() - timedelta(days=DAYS)
    checked = ValidationJob.objects.filter(gate_clear=True, state=ValidationJob.State.DONE, finished_at__gte=since)
    categories = checked.exclude(category="").order_by().values_list("category", flat=True).distinct()
    rows = [row for category in categories for row in _of(category, since)]
    with transaction.atomic():
        Cell.objects.all().delete()
        Cell.objects.bulk_create(rows)
    return len(rows)


def _of(category: str, since: object) -> list[Cell]:
    jobs = ValidationJob.objects.filter(
        gate_clear=True, state=ValidationJob.State.DONE, finished_at__gte=since, category=category
    )
    looked_at = set(jobs.order_by("-finished_at").values_list("listing_id", "revision")[:NEWEST])
    listings = {listing for listing, _ in looked_at}
    waiting = ReviewJob.objects.filter(listing__in=listings, state=ReviewJob.State.OPEN)
    looked_at -= set(waiting.values_list("listing_id", "revision"))
    rejected = Decision.objects.filter(listing__in=listings, action=Decision.Action.REJECT)
    missed: Counter[str] = Counter()
    for listing, revision, policy in rejected.values_list("listing_id", "review_job__revision", "policy"):
        missed[policy] += (listing, revision) in looked_at
    seen = len(looked_at)
    return [
        Cell(
            category=category,
            policy=policy.id,
            seen=seen,
            missed=missed[policy.id],
            upper=intervals.share_upper(missed[policy.id], seen),
        )
        for policy in policies.all()
    ]


def closed(category: str, terms: dict[str, float]) -> list[str]:
    """Policies for which this category is not open; all while nothing was counted."""
    return shut(dict(Cell.objects.filter(category=category).values_list("policy", "upper")), terms)


def shut(upper: Mapping[str, float], terms: dict[str, float]) -> list[str]:
    """upper: of a category's cells, by policy."""
    return [policy.id for policy in policies.all() if policy.id not in upper or upper[policy.id] > terms["cell_miss"]]
