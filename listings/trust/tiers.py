"""How far a seller is known in a category: from listings that came through their checks and sales handed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..lifecycle import Status
from ..models import Decision, Order, User, ValidationJob


class Tier(IntEnum):
    NEW, KNOWN, TRUSTED = range(3)


@dataclass(frozen=True)
class Standing:
    """points: what was earned, no more a day than the setting says; after a violation that still weighs, only what was
    earned since. dearest: price of the dearest listing that earned any. violation: when the last listing was rejected,
    if that still weighs."""

    tier: Tier
    points: int
    dearest: Decimal | None
    violation: datetime | None


def standing(seller: User, category: str, terms: dict[str, float]) -> Standing:
    """Of the seller in this category; nothing earned elsewhere counts, and nothing from before the account may have
    changed hands (`User.trust_from`). A rejected listing, in whatever category, weighs for violation_days: then only
    what came through after it counts, and nobody is trusted."""
    now = timezone.now()
    since = seller.trust_from or seller.date_joined
    rejected = Decision.objects.violations().filter(listing__seller=seller)
    weighs = now - timedelta(days=terms["violation_days"])
    last = rejected.filter(created_at__gte=weighs).values_list("created_at", flat=True).first()
    approved = Decision.objects.filter(
        listing=OuterRef("listing"), review_job__revision=OuterRef("revision"), action=Decision.Action.APPROVE
    )
    clean = ValidationJob.objects.filter(
        Q(outcome=Status.PUBLISHED) | Exists(approved),
        listing__seller=seller,
        listing__created_at__gte=since,
        category=category,
        finished_at__isnull=False,  # also of what is owed again for photos that came later
    )
    clean = clean.exclude(state=ValidationJob.State.DROPPED).exclude(listing__in=rejected.values("listing"))
    jobs = list(clean.order_by("created_at").values_list("listing", "created_at", "price"))
    first_checks: dict[int, datetime] = {}
    for listing, at, _ in jobs:
        first_checks.setdefault(listing, at)
    # A sale counts beside the check of what was sold, and one of each buyer: two people may trade all day.
    sales = Order.objects.filter(listing__in=first_checks.keys(), status=Order.State.SETTLED)
    first_sales: dict[int, datetime] = {}
    for buyer, at in sales.order_by("created_at").values_list("buyer", "created_at"):
        first_sales.setdefault(buyer, at)
    dearest = max((price for _, _, price in jobs if price is not None), default=None)
    return weighed([*first_checks.values(), *first_sales.values()], dearest, last, terms)


def weighed(
    earned_at: Iterable[datetime], dearest: Decimal | None, violation: datetime | None, terms: dict[str, float]
) -> Standing:
    """earned_at: the first check of each listing and each buyer's first sale. violation: one that still weighs."""
    counted = [at for at in earned_at if violation is None or at > violation]
    points = _earned(counted, int(terms["trust_a_day"]))
    tier = Tier.NEW
    if points >= terms["known_after"]:
        tier = Tier.TRUSTED if points >= terms["trusted_after"] and violation is None else Tier.KNOWN
    return Standing(tier, points, dearest, violation)


def _earned(moments: Iterable[datetime], a_day: int) -> int:
    return sum(min(number, a_day) for number in Counter(at.date() for at in moments).values())
