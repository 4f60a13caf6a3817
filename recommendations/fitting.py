"""The weights of a search's score, fitted on graded queries: those of the training splits, over scratch catalogues.

A listwise softmax: of the candidates of a query, the relevant ones should have the higher scores. All features are
fitted but the cosine and the likeness: the towers learned from the same training queries and know them too well, so
these two weights are chosen on the dev queries, and the others are fitted beside the cosine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from listings.models import Listing

from . import dense, keyword, retrieval_quality, scratch, search, spelling, vocabulary
from .retrieval_quality import Query

COSINES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)  # weights that are tried
LIKENESSES = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)
RIDGE = 1e-3
SEED = 1
Floats = NDArray[Any]


class Judged(NamedTuple):
    """The candidates of one query. values: float32 [n, MEASURES]; vectors: float16 [n, 128]; grades: [n]."""

    values: Floats
    vectors: NDArray[np.float16]
    grades: NDArray[np.int64]
    query: Query


class Set(NamedTuple):
    """A collection's training and dev queries."""

    train: list[Judged]
    dev: list[Judged]


def measure(folder: Path, most: int, say: Callable[[str], None]) -> Set:
    """What the site finds for a collection's queries, at most so many of each split. Raises NoCollection."""
    splits = {split: retrieval_quality.read(folder / split) for split in Set._fields}
    rng = np.random.default_rng(SEED)
    with scratch.catalogue():
        products = scratch.filled(splits["train"].products, say)
        found = {}
        for split, collection in splits.items():
            order = rng.permutation(len(collection.queries))[:most]
            found[split] = [_judged(collection.queries[at], products) for at in order]
            say(f"{folder.name}: {len(found[split])} queries of {split} measured")
    return Set(**found)


def _judged(query: Query, products: dict[int, str]) -> Judged:
    known = vocabulary.current()
    text = spelling.corrected(query.text, known)
    asked, vector = keyword.ask(text, known), dense.query_vector(text)
    pool = search.gathered(Listing.objects.published(), asked, vector, known)
    grades = np.array([query.grades.get(products[each.pk], 0) for each in pool.candidates], np.int64)
    return Judged(pool.values, pool.vectors.astype(np.float16), grades, query)


class Tried(NamedTuple):
    """Weights, and what they gave on the dev queries of each collection: (NDCG@10, recall@100).

    worth: their sum over the collections, each by the root of its size: 39 queries must not decide for 1,759."""

    weights: dict[str, float]
    dev: list[tuple[float, float]]
    worth: float


def fit(sets: Sequence[Set], say: Callable[[str], None]) -> Tried:
    """The best of all that were tried."""
    best = max(
        (_tried(sets, fitted([each.train for each in sets], cosine), 0.0, say) for cosine in COSINES), key=_worth
    )
    at = np.array([best.weights[name] for name in search.MEASURES])
    return max((_tried(sets, at, likeness, say) for likeness in LIKENESSES), key=_worth)


def _worth(tried: Tried) -> float:
    return tried.worth


def _tried(sets: Sequence[Set], weights: Floats, likeness: float, say: Callable[[str], None]) -> Tried:
    named = dict(zip(search.MEASURES, map(float, weights), strict=True)) | {search.LIKENESS: likeness}
    dev = [quality(each.dev, weights, likeness) for each in sets]
    found = Tried(named, dev, sum(sum(figures) * len(each.dev) ** 0.5 for figures, each in zip(dev, sets, strict=True)))
    figures = ", ".join(f"NDCG@10 {ndcg:.4f} recall@100 {recall:.4f}" for ndcg, recall in found.dev)
    say(f"cosine {named[search.COSINE]:g}, likeness {likeness:g}: {figures}")
    return found


def fitted(collections: Sequence[list[Judged]], cosine: float) -> Floats:
    """[MEASURES]; the cosine's is the one given. Each collection counts by the root of its size."""
    at = search.MEASURES.index(search.COSINE)
    free = np.array([name != search.COSINE for name in search.MEASURES])
    judged = [each for collection in collections for each in collection if each.grades.any()]
    share = np.concatenate(
        [np.full(sum(bool(each.grades.any()) for each in one), len(one) ** -0.5) for one in collections]
    )
    share /= share.sum()
    values = np.concatenate([each.values for each in judged]).astype(np.float64)
    owner = np.repeat(np.arange(len(judged)), [len(each.grades) for each in judged])
    starts = np.searchsorted(owner, np.arange(len(judged)))
    gains = np.concatenate([2.0**each.grades - 1 for each in judged])
    wanted = gains / np.add.reduceat(gains, starts)[owner] * share[owner]
    base, moving = cosine * values[:, at], values[:, free]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = base + moving @ weights
        scores -= np.maximum.reduceat(scores, starts)[owner]
        powers = np.exp(scores)
        totals = np.add.reduceat(powers, starts)
        chances = powers / totals[owner] * share[owner]
        value = -(wanted * (scores - np.log(totals)[owner])).sum() + RIDGE * (weights**2).sum()
        return float(value), moving.T @ (chances - wanted) + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(int(free.sum())), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights = np.zeros(len(search.MEASURES))
    weights[free], weights[at] = found.x, cosine
    return weights


def quality(judged: list[Judged], weights: Floats, likeness: float) -> tuple[float, float]:
    """(NDCG@10, recall@100), means over the queries."""
    found = []
    for each in judged:
        scores = each.values @ weights
        if likeness and len(scores):
            scores = scores + likeness * search.likeness(scores, each.vectors.astype(np.float32))
        order = np.argsort(-scores, kind="stable")
        names = [str(at) for at in order]
        own = {str(at): int(grade) for at, grade in enumerate(each.grades)}
        missed = {f"missed {at}": grade for at, grade in enumerate(_missed(each))}
        found.append(retrieval_quality.figures(names, own | missed)[:2])
    return fmean(ndcg for ndcg, _ in found), fmean(recall for _, recall in found)


def _missed(each: Judged) -> list[int]:
    """Grades of the relevant products that are no candidates."""
    left = sorted(each.query.grades.values())
    for grade in each.grades[each.grades > 0]:
        left.remove(int(grade))
    return [grade for grade in left if grade > 0]


HEADER = """\
# What a candidate's score is made of (search.py and keyword.FEATURES). Written by `manage.py fit_search`, which fits it
# to training queries; the weights of cosine and likeness are chosen on dev queries, for the towers know the others.
"""
FLOORS = """\
# What is shown at all: title's and description's words, as a share of the query's by rarity; or a cosine of at least
# so much, and of at least this share of the best one. `perhaps`: the score from which words in the description alone
# are enough, and from which the others are offered as "Perhaps something like this". Set by hand.
"""


def written(weights: dict[str, float], floors: dict[str, float]) -> str:
    """The text of search.toml."""
    lines = [HEADER + "[weights]", *(f"{name} = {weight:.3f}" for name, weight in weights.items())]
    lines += ["", FLOORS + "[floors]", *(f"{name} = {floor}" for name, floor in floors.items())]
    return "\n".join(lines) + "\n"
