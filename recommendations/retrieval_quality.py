"""How well the search box finds what people judged relevant: a collection of graded queries over a scratch catalogue.

PATH holds queries.csv (query_id, query) and labels.csv.gz (query_id, product_id, grade), and products.csv.gz there or
in its parent. Everything goes through the site's own code: `search`, over the site's own tables. `fused` is the whole
order of `search`, of which pages show what is above the floors and little more.
"""

from __future__ import annotations

import csv
import gzip
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from models import manifest
from models.rankings import ndcg, recall, reciprocal_rank

from . import dense, scratch, search
from .scratch import Product

TOP, DEEP = 10, 100
Say = Callable[[str], None]


class NoCollection(Exception):
    """The folder cannot be used; the message says what is missing."""


@dataclass(frozen=True)
class Query:
    """grades: {product id: 0, 1 or 2}; others count as 0."""

    text: str
    grades: dict[str, int]


@dataclass(frozen=True)
class Collection:
    products: list[Product]
    queries: list[Query]  # with a relevant product each


def read(path: Path) -> Collection:
    """Raises NoCollection."""
    products = [
        Product(row["product_id"], row["title"], row.get("description") or "", row.get("category_path") or "")
        for row in rows_of(file_in("products.csv.gz", path, path.parent))
    ]
    grades: dict[str, dict[str, int]] = {}
    for row in rows_of(file_in("labels.csv.gz", path)):
        grades.setdefault(row["query_id"], {})[row["product_id"]] = int(row["grade"])
    asked = [Query(row["query"], grades.get(row["query_id"], {})) for row in rows_of(file_in("queries.csv", path))]
    queries = [query for query in asked if any(grade >= 1 for grade in query.grades.values())]
    if not queries:
        raise NoCollection(f"No query in {path} has a relevant product.")
    return Collection(products, queries)


def file_in(name: str, *folders: Path) -> Path:
    """The first of that name. Raises NoCollection."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise NoCollection(f"There is no {name} in {' or '.join(map(str, folders))}.")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file, packed or not. Raises NoCollection for one that cannot be read."""
    csv.field_size_limit(sys.maxsize)
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise NoCollection(f"{path} cannot be read: {error}") from None


# --- Figures ---------------------------------------------------------------------------------------------------------
def figures(ranking: Sequence[str], grades: dict[str, int]) -> tuple[float, float, float]:
    """(NDCG@10, recall@100, reciprocal rank)."""
    return ndcg(ranking, grades, TOP), recall(ranking, grades, DEEP), reciprocal_rank(ranking[:DEEP], grades)


def mean(measured: list[tuple[float, float, float]]) -> dict[str, float]:
    names = ("ndcg_at_10", "recall_at_100", "mrr")
    return {name: round(fmean(column), 4) for name, column in zip(names, zip(*measured, strict=True), strict=True)}


# --- The run ---------------------------------------------------------------------------------------------------------
def report(collection: Collection, say: Say) -> dict[str, Any]:
    """The fields of `manage.py evaluate_retrieval --json`. Raises ModelUnavailable when the towers are away."""
    with scratch.catalogue():
        products = scratch.filled(collection.products, say)
        return _measured(collection.queries, products, say)


def _measured(queries: list[Query], products: dict[int, str], say: Say) -> dict[str, Any]:
    """products: {listing key: product id}."""
    ways: dict[str, list[tuple[float, float, float]]] = {"dense": [], "keyword": [], "fused": []}
    seconds = 0.0
    for number, query in enumerate(queries, 1):
        begun = time.perf_counter()
        fused = [found.pk for found in search.search(query.text, {}).in_order]
        seconds += time.perf_counter() - begun
        for way, ranking in {**parts(query.text), "fused": fused}.items():
            ways[way].append(figures([products[pk] for pk in ranking], query.grades))
        if number % 200 == 0:
            say(f"{number} of {len(queries)} queries")
    return {
        "queries": len(queries),
        **{way: mean(measured) for way, measured in ways.items()},
        "ms_per_query_1thread": round(1000 * seconds / len(queries), 2),
        "query_tower_bytes": _tower_bytes(),
    }


def parts(query: str) -> dict[str, list[int]]:
    """What the towers alone and words alone would give, as keys of listings."""
    vector = dense.query_vector(query)
    return {
        "dense": dense.nearest(vector, DEEP) if vector is not None else [],
        "keyword": [found.pk for found in search.by_words(query)],
    }


def _tower_bytes() -> int:
    entry = manifest.model(manifest.load(), "query-tower")
    size: int = entry["variants"][manifest.variant_name(entry, "device")]["bytes"]
    return size
