"""Candidates for a page, from an ordered list of named sources. All that is known of the shopper are some vectors.

What the site remembers of queries and visits is looked up by vector, too: the remembered queries nearest to an
interest, and the listings that were opened from those nearest to an interest. So no request ever names a listing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from listings.lifecycle import Status
from models.towers import DIMENSIONS

from . import nearby, quick, stock
from .dense import HEADER

Vectors = NDArray[np.float32]

NEAREST = 100  # listings of an interest
LOOKED_UP = 6  # nearest listings of an interest, whose steps to others are followed
STEPS = 50  # of one listing, the most frequent
QUERIES = 12  # remembered ones of an interest
NO_LIKENESS = 0.6  # a remembered query below this cosine says nothing of an interest
POPULAR, NEW = 60, 30
SMALL = 300  # listings, or queries
POPULAR_KEPT, NEW_KEPT = 300, 300  # by a process, for those of whom nothing is known
SAME = 0.999  # interests above this cosine are one
SPREAD = 60.0  # of reciprocal ranks
SECONDS = 30.0  # how long a process keeps what is popular and new
SECONDS_OF_STEPS = 600.0  # and where people went on to from a listing: in a large market a day's counts move slowly
SECONDS_OF_SMALL = 1.0  # the same in a small market, where each listing is seen and all are soon read

LOOKED_WIDE = 20  # of the first interest
MOST_REMEMBERED = 5_000  # queries that a process knows, those that led somewhere on most days
KEPT_STEPS = 100_000  # listings whose steps a process keeps

LOOKUP_HEAT, WIDE_HEAT, QUERY_HEAT = 0.05, 0.15, 0.03  # differences of cosines by which a weight falls to a third
WHOLE = 2_000
# Limits are written into the statements, so that the plan that is kept knows them. Whether a listing is still on sale
# is asked of those that are shown (stock.py); vectors of others are removed by a task within seconds.
NEIGHBOURS = f"""
SELECT asked.slot, near.id, near.distance FROM unnest(%(vectors)s::text[]::halfvec[]) WITH ORDINALITY asked(v, slot)
CROSS JOIN LATERAL (
  SELECT v.listing_id AS id, v.vector <=> asked.v AS distance FROM recommendations_itemvector v
  WHERE v.model_version = %(space)s ORDER BY v.vector <=> asked.v LIMIT {NEAREST}
) near
"""  # noqa: S608
STEPPED = f"""
SELECT true, asked.id, step.after_id, step.count FROM unnest(%(pks)s::bigint[]) asked(id) CROSS JOIN LATERAL (
  SELECT after_id, count FROM recommendations_covisit WHERE before_id = asked.id ORDER BY count DESC LIMIT {STEPS}
) step
UNION ALL
SELECT false, asked.id, step.before_id, step.count FROM unnest(%(pks)s::bigint[]) asked(id) CROSS JOIN LATERAL (
  SELECT before_id, count FROM recommendations_covisit WHERE after_id = asked.id ORDER BY count DESC LIMIT {STEPS}
) step
"""  # noqa: S608
REMEMBERED = f"""
SELECT halfvec_send(q.vector), array_agg(click.listing_id), array_agg(click.count) FROM (
  SELECT id, vector FROM recommendations_rememberedquery WHERE model_version = %(space)s AND vector IS NOT NULL
  ORDER BY days DESC, id LIMIT {MOST_REMEMBERED}
) q JOIN recommendations_queryclick click ON click.query_id = q.id GROUP BY q.id, q.vector
"""  # noqa: S608
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
    pks: list[int] = field(default_factory=list)


Counted = list[tuple[int, float]]  # (listing, how often)


class Steps(NamedTuple):
    """Of one listing: where people went on to from it, and where they came from."""

    ahead: Counted
    behind: Counted
    until: float


class Memory(NamedTuple):
    """Remembered queries: unit vectors float32 [n, 128], and what was opened from each."""

    space: str
    vectors: Vectors
    clicks: list[Counted]
    until: float


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
    _look_around(found, space)
    _follow_steps(found)
    _remember(found, space)
    ranked = [source(found, space) for source in SOURCES.values()]
    found.pks = fused(ranked, most)
    return found


def _look_around(found: Found, space: str) -> None:
    held = nearby.nearest(found.interests, space, market().listings, NEAREST)
    if held is not None:
        found.nearest = held
        return
    found.nearest = [[] for _ in found.interests]
    for slot, pk, distance in quick.rows(NEIGHBOURS, {"vectors": _written(found), "space": space}):
        found.nearest[slot - 1].append((pk, 1 - distance))
    for each in found.nearest:  # the index gives them nearly in order
        each.sort(key=lambda pair: -pair[1])


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


def _follow_steps(found: Found) -> None:
    weights = [_weights(each[:LOOKED_UP], LOOKUP_HEAT) for each in found.nearest]
    wide = _weights(found.nearest[0][:LOOKED_WIDE], WIDE_HEAT) if weights else {}
    steps = _steps_of({key for each in [*weights, wide] for key in each})
    ahead = {pk: each.ahead for pk, each in steps.items()}
    behind = {pk: each.behind for pk, each in steps.items()}
    found.steps = [_spread(each, ahead) for each in weights]
    found.back = [_spread(each, behind) for each in weights]
    found.wide = _spread(wide, ahead)
    if weights:
        counts = {key: sum(count for _, count in ahead[key]) for key in weights[0]}
        found.counted = sum(weight * counts[key] for key, weight in weights[0].items())


def _spread(weights: dict[int, float], steps: dict[int, Counted]) -> Shares:
    """Where one goes from listings held by these weights. One count more in each sum: few counts prove little."""
    shares: Shares = {}
    for key, weight in weights.items():
        taken = steps[key]
        if not taken:
            continue
        total = sum(count for _, count in taken) + 1
        for other, count in taken:
            shares[other] = shares.get(other, 0.0) + weight * count / total
    return shares


def _remember(found: Found, space: str) -> None:
    memory = _memory_of(space)
    cosines = memory.vectors @ found.interests.T
    found.known = float(cosines[:, 0].max(initial=0.0)) if cosines.size else 0.0
    for column in cosines.T:
        near = np.flatnonzero(column >= NO_LIKENESS)
        if len(near) > QUERIES:
            near = near[np.argpartition(-column[near], QUERIES)[:QUERIES]]
        total, shares = 1e-3, Shares()
        for query, weight in zip(near.tolist(), np.exp((column[near] - 1) / QUERY_HEAT).tolist(), strict=True):
            for listing, count in memory.clicks[query]:
                total += weight * count
                shares[listing] = shares.get(listing, 0.0) + weight * count
        found.memory.append({listing: share / total for listing, share in shares.items()})


# --- Sources ---------------------------------------------------------------------------------------------------------
Ranking = list[int]


def _nearest(found: Found, space: str) -> list[Ranking]:
    return [[pk for pk, _ in each] for each in found.nearest]


def _co_visited(found: Found, space: str) -> list[Ranking]:
    return [_best(shares) for shares in [*found.steps, *found.back[:1], found.wide]]


def _remembered(found: Found, space: str) -> list[Ranking]:
    return [_best(shares) for shares in found.memory]


def _popular(found: Found, space: str) -> list[Ranking]:
    """In the category where most of the nearest are."""
    now = market()
    nearest = [pk for each in found.nearest for pk, _ in each[:10]]
    rows = stock.of(nearest, space)
    near = Counter(rows[pk].category for pk in nearest if pk in rows)
    ranking = now.popular.get(near.most_common(1)[0][0], []) if near else now.popular_overall
    return [ranking[:POPULAR]]


def _new(found: Found, space: str) -> list[Ranking]:
    return [market().new[:NEW]]


# In the order in which they are asked; each gives a ranking or several.
SOURCES: dict[str, Callable[[Found, str], list[Ranking]]] = {
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
_memory: Memory | None = None
_steps: dict[int, Steps] = {}


def forget() -> None:
    """For another catalogue in the same process."""
    global _memory
    _memory = None
    forget_market()
    _steps.clear()
    nearby.forget()


def _kept_until(*, small: bool) -> float:
    return time.monotonic() + (SECONDS_OF_SMALL if small else SECONDS)


def _steps_of(pks: set[int]) -> dict[int, Steps]:
    now = time.monotonic()
    found = {pk: steps for pk in pks if (steps := _steps.get(pk)) is not None and steps.until > now}
    if missing := [pk for pk in pks if pk not in found]:
        is_small = market().listings < SMALL
        until = time.monotonic() + (SECONDS_OF_SMALL if is_small else SECONDS_OF_STEPS)
        read = {pk: Steps([], [], until) for pk in missing}
        for is_ahead, pk, other, count in quick.rows(STEPPED, {"pks": missing}):
            (read[pk].ahead if is_ahead else read[pk].behind).append((other, count))
        if len(_steps) + len(read) > KEPT_STEPS:
            _steps.clear()
        _steps.update(read)
        found |= read
    return found


def _memory_of(space: str) -> Memory:
    global _memory
    if _memory is None or _memory.space != space or time.monotonic() > _memory.until:
        rows = quick.rows(REMEMBERED, {"space": space})
        packed = b"".join(vector[HEADER:] for vector, _, _ in rows)
        vectors = np.frombuffer(packed, ">f2").reshape(len(rows), DIMENSIONS).astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        clicks = [list(zip(listings, counts, strict=True)) for _, listings, counts in rows]
        _memory = Memory(space, vectors, clicks, _kept_until(small=len(rows) < SMALL))
    return _memory


def market() -> Market:
    """Kept for some seconds by each process; whether they are still on sale is asked at the end (stock.py)."""
    global _market
    if _market is None or time.monotonic() > _market.until:
        _market = _read_market()
    return _market


def forget_market() -> None:
    global _market
    _market = None


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
    return Market(popular, overall[:POPULAR_KEPT], new, listings, mean, _kept_until(small=len(new) < SMALL))
