"""What is like a listing: its neighbours in the space of the towers."""

from __future__ import annotations

from listings import queries
from listings.models import Listing

from . import dense, vectors

SHOWN = 8
LOOKED_AT = 24
OF_ONE_SELLER = 3


def to(listing: Listing, shown: int = SHOWN) -> list[Listing]:
    """Published listings, the most alike first: not the same thing again, and not one seller's alone. None while the
    listing has no vector."""
    vector = dense.of([listing.pk])
    if not vector.any():
        return []
    near = [pk for pk, _ in vectors.nearest(vector, LOOKED_AT + 1)[0] if pk != listing.pk]
    found: list[Listing] = []
    titles, sellers = {listing.title.casefold()}, dict[int, int]()
    for other in queries.in_this_order(near):
        if other.title.casefold() in titles or sellers.get(other.seller_id, 0) == OF_ONE_SELLER:
            continue
        titles.add(other.title.casefold())
        sellers[other.seller_id] = sellers.get(other.seller_id, 0) + 1
        found.append(other)
    return found[:shown]
