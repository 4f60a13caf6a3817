"""From typed words to listings in order: spelling, candidates by words, by vector and near the best of these, one
score, filters, facets.

The score is a weighted sum of what `keyword.features` finds and of the cosine between the query's vector and the
listing's; its weights are in search.toml. Where the towers are away, words alone decide.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from listings.models import Listing, ListingQuerySet
from listings.queries import filtered

from . import dense, facets, keyword, spelling, vocabulary
from .facets import Facet
from .keyword import FEATURES, Asked
from .vocabulary import Vocabulary

WEIGHTS = Path(__file__).with_name("search.toml")
NEAREST = 300  # candidates by vector
WIDER = 200  # candidates near the best ones: their kind, in other words
RESULTS = 240  # of a search; whoever looks further had better ask otherwise
SORTED_LIMIT = 1_000  # candidates by words where the cheapest or the newest are asked for, not the best
NEAR = 8  # where little was found
PERHAPS = 24  # at most so many of what is not near enough are offered to a shopper: a page
FEW = 8  # below so many, what comes nearest is shown as well
COLUMNS = ("pk", "title", "category", "price", "currency", "condition", "published_at", "matched")
COSINE = "cosine"
LIKENESS = "likeness"
BEST = 10  # candidates that others are compared with
MEASURES = (*FEATURES, COSINE)
Vector = NDArray[np.float32]
Measures = NDArray[np.float32]


@dataclass(frozen=True)
class Candidate:
    pk: int
    title: str
    category: str
    price: Decimal
    currency: str
    condition: str
    published_at: datetime
    matched: float  # keyword.matched
    score: float = 0.0
    is_near: bool = False  # good enough to be shown
    has_words: bool = False  # enough of the query's, if only in its description


@dataclass(frozen=True)
class Results:
    """query: what was searched for; spelled: the same if it is not what was typed, else ""."""

    query: str
    spelled: str
    found: list[Candidate]
    facets: list[Facet]
    rest: list[Candidate] = field(default_factory=list)  # what is not near enough, the best first
    currency: str = ""  # the one in which prices are compared, or that was asked for

    @property
    def near(self) -> list[Candidate]:
        """For programs: what comes nearest, where little or nothing was found."""
        return self.rest[:NEAR] if len(self.found) < FEW else []

    @property
    def perhaps(self) -> list[Candidate]:
        """What a shopper is offered under a heading of its own: not near enough to be found, and not far off either;
        or its description has the words."""
        floor = settings()["floors"]["perhaps"]
        return [each for each in self.rest if each.score >= floor or each.has_words][:PERHAPS]

    @property
    def shown(self) -> list[Candidate]:
        """Everything that a shopper is shown, page after page."""
        return self.found + self.perhaps

    @property
    def in_order(self) -> list[Candidate]:
        """The whole order, without the floors of what is shown: only for measuring recall at a depth
        (retrieval_quality.py)."""
        return (self.found + self.rest)[:RESULTS]


class Pool(NamedTuple):
    """Candidates with what their score is made of. values: float32 [n, MEASURES]; vectors: float32 [n, 128]."""

    candidates: list[Candidate]
    values: Measures
    vectors: Vector

    def where(self, keep: Iterable[bool]) -> Pool:
        at = np.flatnonzero(np.fromiter(keep, bool, len(self.candidates)))
        return Pool([self.candidates[each] for each in at], self.values[at], self.vectors[at])


@cache
def settings() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = tomllib.loads(WEIGHTS.read_text("utf-8"))
    return found


def search(typed: str, filters: dict[str, Any], *, exact: bool = False) -> Results:
    """Published listings for `typed`, at most RESULTS. filters: as of `queries.browse`; exact: without spelling.

    A mistyped query that finds nothing is corrected more freely, and left as it was if that finds nothing either."""
    known = vocabulary.current()
    query = typed if exact else spelling.corrected(typed, known)
    found, finds = _searched(typed, query, filters, known)
    if not finds and not exact and (freely := spelling.freely(typed, known)) != query:
        other, finds = _searched(typed, freely, filters, known)
        return other if finds else found
    return found


def _searched(typed: str, query: str, filters: dict[str, Any], known: Vocabulary) -> tuple[Results, bool]:
    """The results of `query`, and whether it finds anything at all, whatever the filters."""
    asked = keyword.ask(query, known)
    vector = dense.query_vector(query)
    sort = filters.get("sort") or "relevance"
    limit = keyword.LIMIT if sort == "relevance" else SORTED_LIMIT
    rows = Listing.objects.published()
    everything = ranked(gathered(rows, asked, vector, known, limit))
    filters = facets.in_one_currency(filters, [each for each in everything if each.is_near])
    found = everything
    if facets.is_narrowed(filters):
        narrow = gathered(filtered(rows, filters), asked, vector, known, limit)
        found = ranked(narrow.where(facets.passes(each, filters) for each in narrow.candidates))
    shown = [each for each in found if each.is_near]
    results = Results(
        query,
        query if query != typed else "",
        in_order(shown, sort)[:RESULTS],
        facets.of_candidates([each for each in everything if each.is_near], filters),
        [each for each in found if not each.is_near],
        filters.get("currency") or "",
    )
    return results, any(each.is_near for each in everything)


def by_words(typed: str) -> list[Candidate]:
    """What is found while the towers are away."""
    known = vocabulary.current()
    asked = keyword.ask(spelling.corrected(typed, known), known)
    found = ranked(gathered(Listing.objects.published(), asked, None, known))
    return [each for each in found if each.is_near][:RESULTS]


def gathered(
    rows: ListingQuerySet, asked: Asked, vector: Vector | None, known: Vocabulary, limit: int = keyword.LIMIT
) -> Pool:
    """Candidates by words among `rows`, and by vector among all that is published, each once."""
    found = [Candidate(*row) for row in keyword.candidates(rows, asked, known, limit).values_list(*COLUMNS)]
    if vector is None:
        return measured(found, asked, None, known)
    found += _others(dense.nearest(vector, NEAREST), found, asked)
    pool = measured(found, asked, vector, known)
    middle = direction(scores(pool), pool.vectors)
    if not middle.any():
        return pool
    near = _others(dense.nearest(middle, WIDER), found, asked)
    more = measured(near, asked, vector, known)
    return Pool(found + near, np.vstack([pool.values, more.values]), np.vstack([pool.vectors, more.vectors]))


def _others(pks: Iterable[int], found: list[Candidate], asked: Asked) -> list[Candidate]:
    missing = set(pks) - {each.pk for each in found}
    rows = Listing.objects.published().filter(pk__in=missing).annotate(matched=keyword.matched(asked))
    return [Candidate(*row) for row in rows.values_list(*COLUMNS)]


def measured(candidates: list[Candidate], asked: Asked, vector: Vector | None, known: Vocabulary) -> Pool:
    titles, matched = [each.title for each in candidates], [each.matched for each in candidates]
    vectors = dense.of([each.pk for each in candidates])
    cosines = vectors @ (np.zeros(vectors.shape[1], np.float32) if vector is None else vector)
    return Pool(candidates, np.column_stack([keyword.features(asked, titles, matched, known), cosines]), vectors)


def scores(pool: Pool) -> Vector:
    """[candidates], but for the likeness."""
    weight = settings()["weights"]
    found: Vector = pool.values @ np.array([weight[name] for name in MEASURES])
    return found


def ranked(pool: Pool) -> list[Candidate]:
    """Candidates with their scores, the best first."""
    if not pool.candidates:
        return []
    found = scores(pool)
    found = found + settings()["weights"][LIKENESS] * likeness(found, pool.vectors)
    near, has_words = is_near(pool.values, found), said(pool.values)
    newest = {at: (-each.published_at.timestamp(), -each.pk) for at, each in enumerate(pool.candidates)}
    order = sorted(newest, key=lambda at: (-found[at], newest[at]))
    return [
        replace(pool.candidates[at], score=float(found[at]), is_near=bool(near[at]), has_words=bool(has_words[at]))
        for at in order
    ]


def direction(scores: Vector, item_vectors: Vector) -> Vector:
    """[128]: where the best ones lie, each counted by its score (pseudo-relevance feedback, Rocchio 1971). Of unit
    length, or zero where nothing was found or has a vector yet."""
    if not len(scores):
        return np.zeros(item_vectors.shape[1], np.float32)
    best = np.argsort(-scores, kind="stable")[:BEST]
    mean = np.exp(scores[best] - scores[best[0]]) @ item_vectors[best]
    found: Vector = (mean / max(float(np.linalg.norm(mean)), 1e-6)).astype(np.float32)
    return found


def likeness(scores: Vector, item_vectors: Vector) -> Vector:
    """[candidates]: the cosine to where the best ones lie."""
    found: Vector = item_vectors @ direction(scores, item_vectors)
    return found


def is_near(values: Measures, scores: Vector) -> NDArray[np.bool_]:
    """bool [candidates]: enough of the words, or near enough in meaning, to be shown at all.

    Words in the description alone are not enough where titles have them and the score says that the thing is something
    else: a drill with a lamp at its tip is no lamp."""
    floor = settings()["floors"]
    cosine = values[:, MEASURES.index(COSINE)]
    nearest = max(floor["cosine"], floor["cosine_share"] * float(cosine.max()))
    titled = values[:, MEASURES.index("coverage")] >= floor["words"]
    told = said(values)
    if titled.any() and cosine.any():  # else the score would know too little
        told &= scores >= floor["perhaps"]
    near: NDArray[np.bool_] = titled | told | (cosine >= nearest)
    return near


def said(values: Measures) -> NDArray[np.bool_]:
    """bool [candidates]: title and description have enough of the words."""
    words = values[:, MEASURES.index("coverage")] + values[:, MEASURES.index("described")]
    enough: NDArray[np.bool_] = words >= settings()["floors"]["words"]
    return enough


def in_order(found: list[Candidate], sort: str) -> list[Candidate]:
    match sort:
        case "price":
            return sorted(found, key=lambda each: (each.price, -each.pk))
        case "-price":
            return sorted(found, key=lambda each: (-each.price, -each.pk))
        case "newest":
            return sorted(found, key=lambda each: (each.published_at, each.pk), reverse=True)
        case _:
            return found
