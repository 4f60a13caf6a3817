"""What is like a listing: its neighbours in the space of the towers."""

from __future__ import annotations

from collections import Counter

from listings import queries
from listings.models import Listing

from . import dense, vectors

SHOWN = 8
LOOKED_AT = 24
OF_ONE_SELLER = 3  # while others have something
NO_LIKENESS = 0.2  # a cosine below this is chance: two products of one shop have .12 to .17 at the median


def to(listing: Listing) -> list[Listing]:
    """Published listings, the most alike first: not the same thing again, and not one seller's alone where others have
    something. None while the listing has no vector."""
    vector = dense.of([listing.pk])
    if not vector.any():
        return []
    near = [
        pk for pk, cosine in vectors.nearest(vector, LOOKED_AT + 1)[0] if cosine >= NO_LIKENESS and pk != listing.pk
    ]
    found: list[Listing] = []
    more: list[Listing] = []
    titles, sellers = {listing.title.casefold()}, Counter[int]()
    for other in queries.in_this_order(near):
        if other.title.casefold() in titles:
            continue
        titles.add(other.title.casefold())
        (more if sellers[other.seller_id] >= OF_ONE_SELLER else found).append(other)
        sellers[other.seller_id] += 1
    return (found + more)[:SHOWN]
