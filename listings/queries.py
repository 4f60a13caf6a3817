"""What the pages read. Grids load photos and sellers with the rows; the search column stays in the database."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When

from .lifecycle import Status
from .models import Decision, Listing, ListingQuerySet, Order, StatusChange, User

CONFIG = "english"
ORDER = {
    "newest": ["-published_at", "-pk"],
    "price": ["price", "-pk"],
    "-price": ["-price", "-pk"],
}


def _rows() -> ListingQuerySet:
    return Listing.objects.select_related("seller").prefetch_related("photos").defer("search", "seller__about")


def filtered(rows: ListingQuerySet, filters: dict[str, Any]) -> ListingQuerySet:
    """filters: category, min_price, max_price, currency, condition (list); empty ones do not count."""
    for name, lookup in (
        ("category", "category"),
        ("min_price", "price__gte"),
        ("max_price", "price__lte"),
        ("currency", "currency"),
        ("condition", "condition__in"),
    ):
        if filters.get(name) not in (None, "", []):
            rows = rows.filter(**{lookup: filters[name]})
    return rows


def browse(filters: dict[str, Any]) -> QuerySet[Listing]:
    """Published listings. filters: as of `filtered`, and sort. Searches by words: recommendations/search.py."""
    rows = filtered(_rows().published(), filters)
    return rows.order_by(*ORDER.get(filters.get("sort", "newest"), ORDER["newest"]))


def in_this_order(pks: list[int]) -> list[Listing]:
    """Those of the listings that are published now, in the order given."""
    found = {listing.pk: listing for listing in _rows().published().filter(pk__in=pks)}
    return [found[pk] for pk in pks if pk in found]


def my_listings(user: User) -> QuerySet[Listing]:
    """All of this merchant's, each with `sold` (somebody has bought it, so it cannot be listed again) and what keeps it
    off the market: `decided`, the key of a moderator's decision, and `sent_back`, that of the checks' own change."""
    live = Order.objects.filter(listing=OuterRef("pk")).exclude(status=Order.State.CANCELLED)
    off_the_market = Q(status__in=[Status.REJECTED, Status.NEEDS_CHANGES])
    last = Decision.objects.filter(listing=OuterRef("pk"), review_job__revision=OuterRef("revision")).values("pk")[:1]
    decided = Case(When(off_the_market, then=Subquery(last)))
    by_checks = StatusChange.objects.filter(
        listing=OuterRef("pk"), revision=OuterRef("revision"), source=Status.CHECKING, target=Status.NEEDS_CHANGES
    )
    sent_back = Case(When(status=Status.NEEDS_CHANGES, then=Subquery(by_checks.order_by("-pk").values("pk")[:1])))
    return (
        _rows()
        .filter(seller=user)
        .annotate(sold=Exists(live), decided=decided, sent_back=sent_back)
        .order_by("-updated_at", "-pk")
    )


def status_counts(user: User) -> list[tuple[str, str, int]]:
    """(status, label, number) of the states this merchant has listings in, in the order of the states."""
    found = Listing.objects.filter(seller=user).order_by().values_list("status").annotate(number=Count("pk"))
    numbers = dict(found)
    return [(value, label, numbers[value]) for value, label in Status.choices if value in numbers]


def seller_page(seller: User) -> QuerySet[Listing]:
    return _rows().published().filter(seller=seller).order_by(*ORDER["newest"])


def item(public_id: str) -> Listing | None:
    """One listing in whatever state: the caller decides who may see it."""
    return _rows().filter(public_id=public_id).first()
