"""Shops that a query names: by their name, the merchant's username, or the town that stands on their cards."""

from __future__ import annotations

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from listings.models import Listing, User

SHORTEST = 3  # characters of a query; fewer begin too many names
SHOWN = 3


def named(query: str) -> list[User]:
    """Merchants with something on sale whose shop or username begins with the query, or whose town it is; those that
    are called just so first. At most SHOWN."""
    name = " ".join(query.replace("\x00", " ").split())
    if len(name) < SHORTEST:
        return []
    whole = Q(shop_name__iexact=name) | Q(username__iexact=name)
    found = User.objects.filter(
        whole | Q(shop_name__istartswith=name) | Q(username__istartswith=name) | Q(town__iexact=name),
        Exists(Listing.objects.published().filter(seller=OuterRef("pk"))),
        role=User.Role.MERCHANT,
        is_active=True,
    )
    order = Case(When(whole, then=Value(0)), default=Value(1))
    return list(found.defer("about").order_by(order, "username")[:SHOWN])
