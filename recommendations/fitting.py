"""The weights of a search's score, fitted on graded queries: those of the training splits, over scratch catalogues.

A listwise softmax: of the candidates of a query, the relevant ones should have the higher scores. All features are fitted,
but the cosine: the towers learned from the same training queries and know them too well, so its weight is chosen on the
dev queries, and the others are fitted beside it.
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

COSINES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)  # weights that are tried
RIDGE = 1e-3
SEED = 1
Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """The candidates of one query. values: [n, MEASURES]; gains: [n], 2^grade - 1; ideal, relevant: of all products."""

    values: Floats
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
    candidates = search.gathered(Listing.objects.published(), asked, vector, known)
    grades = np.array([query.grades.get(products[each.pk], 0) for each in candidates], np.int64)
    return Judged(search.measured(candidates, asked, vector, known).astype(np.float64), grades, query)


def fit(sets: Sequence[Set]) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(weights by name, what each tried weight of the cosine gave on dev)."""
    tried = []
    for cosine in COSINES:
        weights = fitted([each.train for each in sets], cosine)
        figures = [quality(each.dev, weights) for each in sets]
        tried.append({"cosine": cosine, "ndcg": [n for n, _ in figures], "recall": [r for _, r in figures]})
        tried[-1]["weights"] = weights
    best = max(tried, key=lambda each: fmean(each["ndcg"]) + fmean(each["recall"]))
    return dict(zip(search.MEASURES, map(float, best["weights"]), strict=True)), tried


def fitted(collections: Sequence[list[Judged]], cosine: float) -> Floats:
    """[MEASURES]; the cosine's is the one given. Each collection counts by the root of its size."""
    at = search.MEASURES.index(search.COSINE)
    free = np.array([name != search.COSINE for name in search.MEASURES])
    judged = [each for collection in collections for each in collection if each.grades.any()]
    share = np.concatenate(
        [np.full(sum(bool(each.grades.any()) for each in one), len(one) ** -0.5) for one in collections]
    )
    share /= share.sum()
    values = np.concatenate([each.values for each in judged])
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


def quality(judged: list[Judged], weights: Floats) -> tuple[float, float]:
    """(NDCG@10, recall@100), means over the queries."""
    found = []
    for each in judged:
        order = np.argsort(-(each.values @ weights), kind="stable")
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
