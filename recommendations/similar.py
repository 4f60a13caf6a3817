"""What is like a listing: its neighbours in the space of the towers, those of its own category before others. Towers
that read words take "orange" of an orange radio for as telling as "radio"; a category says what a thing is.
"""

from __future__ import annotations

from collections import Counter

from listings import queries
from listings.models import Listing

from . import dense, vectors

SHOWN = 8
LOOKED_AT = 60
OF_ONE_SELLER = 3  # while others have something
OF_ITS_CATEGORY = 0.15  # what the same category is worth, as a difference of cosines
NO_LIKENESS = 0.35  # likeness below this is chance: two products of one shop have cosines of .12 to .17 at the median
SHARE = 0.6  # of the likeness of the nearest, below which something is not like it beside that


def to(listing: Listing) -> list[Listing]:
    """Published listings, the most alike first: not the same thing again, and not one seller's alone where others have
    something. None while the listing has no vector."""
    vector = dense.of([listing.pk])
    if not vector.any():
        return []
    cosines = {pk: cosine for pk, cosine in vectors.nearest(vector, LOOKED_AT + 1)[0] if pk != listing.pk}
    near = list(queries.in_this_order(list(cosines)))
    likeness = {other: cosines[other.pk] + OF_ITS_CATEGORY * (other.category == listing.category) for other in near}
    least = max(NO_LIKENESS, SHARE * max(likeness.values(), default=0.0))
    found: list[Listing] = []
    more: list[Listing] = []
    titles, sellers = {listing.title.casefold()}, Counter[int]()
    for other in sorted(near, key=lambda each: -likeness[each]):
        if other.title.casefold() in titles or likeness[other] < least:
            continue
        titles.add(other.title.casefold())
        (more if sellers[other.seller_id] >= OF_ONE_SELLER else found).append(other)
        sellers[other.seller_id] += 1
    return (found + more)[:SHOWN]
