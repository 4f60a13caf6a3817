"""What waits for a person."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from .. import policies
from ..models import ReviewJob

NO_POLICY = "none"  # in addresses


def open_jobs(policy: str = "") -> QuerySet[ReviewJob]:
    """Open jobs, the longest waiting first; `policy` narrows to one, NO_POLICY to those without a suspicion."""
    rows = ReviewJob.objects.filter(state=ReviewJob.State.OPEN)
    if policy:
        rows = rows.filter(policy="" if policy == NO_POLICY else policy)
    rows = rows.select_related("listing__seller").prefetch_related("listing__photos").defer("listing__search")
    return rows.order_by("created_at", "pk")


def counts() -> list[tuple[str, str, int]]:
    """(policy id, name, number waiting), the most first."""
    waiting = ReviewJob.objects.filter(state=ReviewJob.State.OPEN).order_by().values_list("policy")
    found = waiting.annotate(number=Count("pk")).order_by("-number", "policy")
    return [(policy, policies.name(policy), number) for policy, number in found]
