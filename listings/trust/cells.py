"""Where the gate was measured: of what it passed with margin in a category, how much turned out to break a policy.

A cell is a policy in a category. What counts are revisions whose heavy checks are made (before publication, as a paid
debt, or for an audit) and ended on sale or with a moderator's decision; one is a miss of a policy if it was rejected
under that policy. What was edited or withdrawn after a doubt says nothing either way. What is owed again for photos
that came later was checked all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from .. import categories, policies
from ..lifecycle import Status
from ..models import Cell, Decision, ValidationJob
from . import intervals

DAYS = 365
NEWEST = 5_000  # revisions of a category that are looked at
SELLER_MOST = 15  # listings of one seller that count
COUNTING = 730_185  # key of the advisory lock: one counts at a time


def refresh() -> int:
    """Count all cells anew; returns how many there are."""
    since = timezone.now() - timedelta(days=DAYS)
    rows = [row for category in categories.all() for row in _of(category.id, since)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        Cell.objects.all().delete()
        Cell.objects.bulk_create(rows)
    return len(rows)


def _of(category: str, since: object) -> list[Cell]:
    jobs = ValidationJob.objects.filter(gate_clear=True, finished_at__gte=since, category=category)
    jobs = jobs.exclude(state=ValidationJob.State.DROPPED)
    decided = Decision.objects.filter(listing=OuterRef("listing"), review_job__revision=OuterRef("revision"))
    jobs = jobs.filter(Q(outcome=Status.PUBLISHED) | Exists(decided)).order_by("-finished_at")
    looked_at = _spread(jobs.values_list("listing_id", "revision", "listing__seller")[:NEWEST])
    if not looked_at:
        return []
    listings = {listing for listing, _ in looked_at}
    rejected = Decision.objects.violations().filter(listing__in=listings)
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


def _spread(rows: Iterable[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """(listing, revision) of the newest of each listing, and of a seller no more than SELLER_MOST: nobody opens a
    category for everybody by editing one thing."""
    found: dict[int, int] = {}
    sellers: Counter[int] = Counter()
    for listing, revision, seller in rows:
        if listing not in found and sellers[seller] < SELLER_MOST:
            found[listing] = revision
            sellers[seller] += 1
    return set(found.items())


def measured(category: str) -> dict[str, float]:
    """Upper ends of a category's cells, by policy; none while nothing was counted."""
    return dict(Cell.objects.filter(category=category).values_list("policy", "upper"))


def shut(upper: Mapping[str, float], terms: dict[str, float]) -> list[str]:
    """Policies for which a category is not open; all while nothing was counted. upper: of its cells, by policy."""
    return [policy.id for policy in policies.all() if policy.id not in upper or upper[policy.id] > terms["cell_miss"]]
