"""Graded queries over a catalogue, and histories with what came next, as the towers are measured on."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import rankings
from models.steps.errors import StepError
from models.towers import ItemText

DEEP = 100
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Graded:
    """products by id; queries: each with its grades by product id, at least one of them 1 or more."""

    products: dict[str, ItemText]
    queries: list[tuple[str, dict[str, int]]]


def read(folder: Path) -> Graded:
    """queries.csv, labels.csv.gz, and products.csv.gz there or in the parent. Raises StepError."""
    grades: dict[str, dict[str, int]] = {}
    for row in rows(folder / "labels.csv.gz"):
        grades.setdefault(row["query_id"], {})[row["product_id"]] = int(row["grade"])
    asked = [(row["query"], grades.get(row["query_id"], {})) for row in rows(folder / "queries.csv")]
    queries = [(query, each) for query, each in asked if any(grade >= 1 for grade in each.values())]
    if not queries:
        raise StepError(f"No query in {folder} has a relevant product.")
    return Graded(products(beside(folder, "products.csv.gz")), queries)


def products(path: Path) -> dict[str, ItemText]:
    """By id, in the order of the file. Raises StepError."""
    return {row["product_id"]: ItemText(row["title"], "", row.get("description") or "") for row in rows(path)}


def beside(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_file() else folder.parent / name


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a CSV(.gz). Raises StepError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="") as lines
        ):
            yield from csv.DictReader(lines)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise StepError(f"{path} cannot be read: {error}") from error


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, packed. Raises StepError."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as opened:
            for line in opened:
                yield json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        raise StepError(f"{path} cannot be read: {error}") from error


def kept(
    folder: Path, name: str, items: Sequence[ItemText], encode: Callable[[Sequence[ItemText]], Vectors]
) -> Vectors:
    """The items' vectors float32 [items, 128], made once and kept in `folder` by `name` and by what they are of."""
    said = hashlib.sha256(json.dumps([name, *items]).encode()).hexdigest()[:16]
    path = folder / f"vectors-{said}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, encode(items))
    found: Vectors = np.load(path)
    return found


def named(content: bytes) -> str:
    """What tells one model file from another."""
    return hashlib.sha256(content).hexdigest()


def figures(found: Graded, queries: Vectors, items: Vectors) -> dict[str, Any]:
    """The contract's figures of the towers alone, by exact search. queries float32 [queries, 128], items float32
    [products, 128], in the order of `found`."""
    names = list(found.products)
    scores = queries @ items.T
    most = min(DEEP, len(names))
    best = np.argpartition(-scores, most - 1, axis=1)[:, :most]
    measured = []
    for (_, grades), row, score in zip(found.queries, best, scores, strict=True):
        order = [names[at] for at in row[np.argsort(-score[row], kind="stable")]]
        measured.append(
            (rankings.ndcg(order, grades), rankings.recall(order, grades), rankings.reciprocal_rank(order, grades))
        )
    mean = np.mean(measured, axis=0)
    return {"queries": len(measured)} | dict(zip(("ndcg_at_10", "recall_at_100", "mrr"), map(float, mean), strict=True))
