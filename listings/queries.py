"""What the pages read. Grids load photos and sellers with the rows; the search column stays in the database."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from .lifecycle import Status
from .models import Listing, ListingQuerySet, Order, User

CONFIG = "english"
ORDER = {
    "newest": ["-published_at", "-pk"],
    "price": ["price", "-pk"],
    "-price": ["-price", "-pk"],
}


def _rows() -> ListingQuerySet:
    return Listing.objects.select_related("seller").prefetch_related("photos").defer("search", "seller__about")


def browse(filters: dict[str, Any]) -> QuerySet[Listing]:
    """Published listings. filters: q, category, min_price, max_price, currency, condition (list), sort."""
    rows = _rows().published()
    for name, lookup in (
        ("category", "category"),
        ("min_price", "price__gte"),
        ("max_price", "price__lte"),
        ("currency", "currency"),
        ("condition", "condition__in"),
    ):
        if filters.get(name) not in (None, "", []):
            rows = rows.filter(**{lookup: filters[name]})
    sort = filters.get("sort", "newest")
    if q := filters.get("q"):
        query = SearchQuery(q, config=CONFIG, search_type="websearch")
        rows = rows.filter(search=query)
        if sort == "relevance":
            rows = rows.annotate(rank=SearchRank(F("search"), query))
            return rows.order_by("-rank", *ORDER["newest"])
    return rows.order_by(*ORDER.get(sort, ORDER["newest"]))


def my_listings(user: User) -> QuerySet[Listing]:
    """All of this merchant's, each with `sold`: somebody has bought it, so it cannot be listed again."""
    live = Order.objects.filter(listing=OuterRef("pk")).exclude(status=Order.State.CANCELLED)
    return _rows().filter(seller=user).annotate(sold=Exists(live)).order_by("-updated_at", "-pk")


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
