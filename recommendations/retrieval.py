"""Candidates for a page, from an ordered list of named sources. All that is known of the shopper are some vectors.

What the site remembers of queries and visits is looked up by vector, too: the remembered queries nearest to an
interest, and the listings that were opened from those nearest to an interest. So no request ever names a listing.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from listings.lifecycle import Status

from . import quick

Vectors = NDArray[np.float32]

NEAREST = 100  # listings of an interest
LOOKED_UP = 6  # nearest listings of an interest, whose steps to others are followed
STEPS = 50  # of one listing, the most frequent
QUERIES = 12  # remembered ones of an interest
NO_LIKENESS = 0.6  # a remembered query below this cosine says nothing of an interest
POPULAR, NEW = 60, 30
POPULAR_KEPT, NEW_KEPT = 300, 300  # by a process, for those of whom nothing is known
SAME = 0.999  # interests above this cosine are one
SPREAD = 60.0  # of reciprocal ranks
SECONDS = 30.0  # how long a process keeps what is popular and new
SECONDS_OF_SMALL = 1.0  # the same in a small market, where each listing is seen and all are soon read

LOOKUP_HEAT, WIDE_HEAT, QUERY_HEAT = 0.05, 0.15, 0.03  # differences of cosines by which a weight falls to a third
WHOLE = 2_000
# One statement for all that a request asks the database about its interests: what kind of row, then two keys and a
# number. Limits are written into it, so that the plan that is kept knows them.
LOOKED_WIDE = 20  # of the first interest
ITEM, QUERY, AHEAD, BEHIND, CLICK = range(5)
LOOK_UP = f"""
WITH asked AS (
  SELECT v, slot FROM unnest(%(vectors)s::text[]::halfvec[]) WITH ORDINALITY asked(v, slot)
), items AS MATERIALIZED (
  SELECT asked.slot, near.id, near.distance, near.category,
    row_number() OVER (PARTITION BY asked.slot ORDER BY near.distance) AS place
  FROM asked CROSS JOIN LATERAL (
    SELECT v.listing_id AS id, v.vector <=> asked.v AS distance, l.category FROM recommendations_itemvector v
    JOIN listings_listing l ON l.id = v.listing_id AND l.status = '{Status.PUBLISHED}'
    WHERE v.model_version = %(space)s ORDER BY v.vector <=> asked.v LIMIT {NEAREST}
  ) near
), queries AS MATERIALIZED (
  SELECT asked.slot, near.id, near.distance FROM asked CROSS JOIN LATERAL (
    SELECT q.id, q.vector <=> asked.v AS distance FROM recommendations_rememberedquery q
    WHERE q.model_version = %(space)s AND q.vector IS NOT NULL ORDER BY q.vector <=> asked.v LIMIT {QUERIES}
  ) near WHERE near.distance <= {1 - NO_LIKENESS}
), looked AS MATERIALIZED (
  SELECT id, bool_or(place <= {LOOKED_UP}) AS near FROM items
  WHERE place <= {LOOKED_UP} OR (slot = 1 AND place <= {LOOKED_WIDE}) GROUP BY id
)
SELECT {ITEM}, slot, id, distance, category FROM items
UNION ALL
SELECT {QUERY}, slot, id, distance, '' FROM queries
UNION ALL
SELECT {AHEAD}, looked.id, step.after_id, step.count, '' FROM looked CROSS JOIN LATERAL (
  SELECT after_id, count FROM recommendations_covisit WHERE before_id = looked.id ORDER BY count DESC LIMIT {STEPS}
) step
UNION ALL
SELECT {BEHIND}, looked.id, step.before_id, step.count, '' FROM looked CROSS JOIN LATERAL (
  SELECT before_id, count FROM recommendations_covisit WHERE after_id = looked.id ORDER BY count DESC LIMIT {STEPS}
) step WHERE looked.near
UNION ALL
SELECT {CLICK}, click.query_id, click.listing_id, click.count, '' FROM recommendations_queryclick click
WHERE click.query_id IN (SELECT id FROM queries)
"""
POPULAR_ONES = """
SELECT asked.category, first.listing_id, first.popularity FROM unnest(%(categories)s::text[]) asked(category)
CROSS JOIN LATERAL (
  SELECT listing_id, popularity FROM recommendations_standing WHERE category = asked.category
  ORDER BY popularity DESC, listing_id DESC LIMIT %(most)s
) first ORDER BY first.popularity DESC, first.listing_id DESC
"""
NEWEST = "SELECT id FROM listings_listing WHERE status = %s ORDER BY published_at DESC, id DESC LIMIT %s"

Shares = dict[int, float]  # by listing


@dataclass
class Found:
    """What is known of the candidates. Slots are the interests, the most telling first; an empty dict where there is
    none. `pks`: all candidates, the best ones of all sources first."""

    interests: Vectors  # float32 [k, 128], unit rows, no two the same
    nearest: list[list[tuple[int, float]]] = field(default_factory=list)  # of each slot: (listing, cosine)
    steps: list[Shares] = field(default_factory=list)  # of each slot: how often people went on from there to these
    back: list[Shares] = field(default_factory=list)  # of each slot: how often people came from these to there
    wide: Shares = field(default_factory=dict)  # steps from all that is like the first interest
    counted: float = 0.0  # how many steps from where the first interest is were counted
    known: float = 0.0  # cosine of the first interest with the nearest remembered query
    memory: list[Shares] = field(default_factory=list)  # of each slot: what was opened from queries like it
    category: str = ""  # where most of the nearest are
    pks: list[int] = field(default_factory=list)


class Market(NamedTuple):
    """What every request may know: listings, the first ones first."""

    popular: dict[str, list[int]]  # by category
    popular_overall: list[int]
    new: list[int]
    listings: int
    mean_popularity: float
    until: float


def distinct(interests: Vectors) -> Vectors:
    """Without rows that say the same as an earlier one, or nothing."""
    kept: list[Vectors] = []
    for row in interests:
        if row.any() and not any(float(row @ other) > SAME for other in kept):
            kept.append(row)
    return np.stack(kept) if kept else np.zeros((0, interests.shape[1]), np.float32)


def find(interests: Vectors, space: str, most: int) -> Found:
    """interests: float32 [k, 128], unit rows, the most telling first. At most so many candidates."""
    found = Found(distinct(interests))
    _look_up(found, space)
    ranked = [source(found) for source in SOURCES.values()]
    found.pks = fused(ranked, most)
    return found


Counted = dict[int, list[tuple[int, float]]]  # by what it was counted from: (listing, how often)


def _look_up(found: Found, space: str) -> None:
    slots = len(found.interests)
    items: list[list[tuple[int, float]]] = [[] for _ in range(slots)]
    queries: list[list[tuple[int, float]]] = [[] for _ in range(slots)]
    counted: dict[int, Counted] = {AHEAD: {}, BEHIND: {}, CLICK: {}}
    categories: dict[int, str] = {}
    for kind, first, second, number, category in quick.rows(LOOK_UP, {"vectors": _written(found), "space": space}):
        if kind == ITEM:
            items[first - 1].append((second, 1 - number))
            categories[second] = category
        elif kind == QUERY:
            queries[first - 1].append((second, 1 - number))
        else:
            counted[kind].setdefault(first, []).append((second, number))
    # The index gives them nearly in order.
    found.nearest = [sorted(each, key=lambda pair: -pair[1]) for each in items]
    near = Counter(categories[key] for each in found.nearest for key, _ in each[:10])
    found.category = near.most_common(1)[0][0] if near else ""
    _follow_steps(found, counted[AHEAD], counted[BEHIND])
    _remember(found, queries, counted[CLICK])


def _written(found: Found) -> list[str]:
    """The interests as the database reads vectors. Whole numbers are read quickest, and of a cosine the length does not
    matter; up to 2,048 a halfvec holds them exactly."""
    return [str(row) for row in np.rint(WHOLE * found.interests).astype(int).tolist()]


def _weights(pairs: Sequence[tuple[int, float]], heat: float) -> dict[int, float]:
    """How much each of the nearest stands for the interest; they sum to 1."""
    if not pairs:
        return {}
    cosines = np.array([cosine for _, cosine in pairs])
    weights = np.exp((cosines - cosines.max()) / heat)
    return dict(zip([key for key, _ in pairs], (weights / weights.sum()).tolist(), strict=True))


def _follow_steps(found: Found, ahead: Counted, behind: Counted) -> None:
    weights = [_weights(each[:LOOKED_UP], LOOKUP_HEAT) for each in found.nearest]
    found.steps = [_spread(each, ahead) for each in weights]
    found.back = [_spread(each, behind) for each in weights]
    first = found.nearest[0] if found.nearest else []
    found.wide = _spread(_weights(first[:LOOKED_WIDE], WIDE_HEAT), ahead)
    if weights:
        found.counted = sum(
            weight * sum(count for _, count in ahead.get(key, ())) for key, weight in weights[0].items()
        )


def _spread(weights: dict[int, float], steps: Counted) -> Shares:
    """Where one goes from listings held by these weights. One count more in each sum: few counts prove little."""
    shares: Shares = {}
    for key, weight in weights.items():
        taken = steps.get(key, ())
        total = sum(count for _, count in taken) + 1
        for other, count in taken:
            shares[other] = shares.get(other, 0.0) + weight * count / total
    return shares


def _remember(found: Found, queries: list[list[tuple[int, float]]], clicks: Counted) -> None:
    found.known = max((cosine for each in queries[:1] for _, cosine in each), default=0.0)
    weights = [{key: math.exp((cosine - 1) / QUERY_HEAT) for key, cosine in each} for each in queries]
    for each in weights:
        total, shares = 1e-3, Shares()
        for query, weight in each.items():
            for listing, count in clicks.get(query, ()):
                total += weight * count
                shares[listing] = shares.get(listing, 0.0) + weight * count
        found.memory.append({listing: share / total for listing, share in shares.items()})


# --- Sources ---------------------------------------------------------------------------------------------------------
Ranking = list[int]


def _nearest(found: Found) -> list[Ranking]:
    return [[pk for pk, _ in each] for each in found.nearest]


def _co_visited(found: Found) -> list[Ranking]:
    return [_best(shares) for shares in [*found.steps, *found.back[:1], found.wide]]


def _remembered(found: Found) -> list[Ranking]:
    return [_best(shares) for shares in found.memory]


def _popular(found: Found) -> list[Ranking]:
    """In the category where most of the nearest are."""
    now = market()
    ranking = now.popular.get(found.category, now.popular_overall)
    return [ranking[:POPULAR]]


def _new(found: Found) -> list[Ranking]:
    return [market().new[:NEW]]


# In the order in which they are asked; each gives a ranking or several.
SOURCES: dict[str, Callable[[Found], list[Ranking]]] = {
    "nearest": _nearest,
    "co-visited": _co_visited,
    "remembered": _remembered,
    "popular in category": _popular,
    "new": _new,
}


def _best(shares: Shares) -> Ranking:
    return sorted(shares, key=lambda pk: (-shares[pk], pk))


def fused(sources: list[list[Ranking]], most: int) -> list[int]:
    """Reciprocal ranks of all rankings added up; whatever stands high anywhere is looked at by the ranker."""
    scores: dict[int, float] = {}
    for rankings in sources:
        for ranking in rankings:
            for place, pk in enumerate(ranking):
                scores[pk] = scores.get(pk, 0.0) + 1 / (SPREAD + place)
    return sorted(scores, key=lambda pk: (-scores[pk], pk))[:most]


# --- What is the same for everybody ----------------------------------------------------------------------------------
_market: Market | None = None


def forget() -> None:
    """For another catalogue in the same process."""
    global _market
    _market = None


def market() -> Market:
    """Kept for some seconds by each process; whether they are still on sale is asked at the end (stock.py)."""
    global _market
    if _market is None or time.monotonic() > _market.until:
        _market = _read_market()
    return _market


def _read_market() -> Market:
    with connection.cursor() as cursor:
        cursor.execute("SELECT category, count(*), sum(popularity) FROM recommendations_standing GROUP BY category")
        counted = cursor.fetchall()
        cursor.execute(POPULAR_ONES, {"categories": [category for category, _, _ in counted], "most": POPULAR_KEPT})
        rows = cursor.fetchall()
        cursor.execute(NEWEST, [Status.PUBLISHED, NEW_KEPT])
        new = [pk for (pk,) in cursor.fetchall()]
    popular: dict[str, list[int]] = {}
    for category, pk, _ in rows:
        popular.setdefault(category, []).append(pk)
    overall = [pk for _, pk, _ in sorted(rows, key=lambda row: (-row[2], -row[1]))]
    listings = sum(number for _, number, _ in counted)
    mean = sum(views for _, _, views in counted) / max(1, listings)
    kept = SECONDS if len(new) == NEW_KEPT else SECONDS_OF_SMALL
    return Market(popular, overall[:POPULAR_KEPT], new, listings, mean, time.monotonic() + kept)
