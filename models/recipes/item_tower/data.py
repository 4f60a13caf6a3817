"""What the towers learn from: products, typed queries with graded products, and searches that ended in a click.

Read from the data root: retrieval/<name>/ (products.csv.gz, train/queries.csv, train/labels.csv.gz) and feed/<name>/
(products.csv.gz, train/sessions.jsonl.gz). Nothing of a dev folder is read here.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.steps.errors import StepError
from models.towers import ItemText

GRADED = ("home_depot", "crowdflower")
VISITED = ("bestbuy_xbox", "amazon_office", "amazon_industrial")


@dataclass
class Catalogue:
    """products by id; queries: text → {product id: grade 0..2}, in order; clicked: (query, product id) pairs."""

    name: str
    products: dict[str, ItemText]
    queries: dict[str, dict[str, int]]
    clicked: list[tuple[str, str]]


def catalogues(data: Path) -> list[Catalogue]:
    """Every catalogue of the data root, in a fixed order. Raises StepError."""
    found = [graded(data / "retrieval" / name) for name in GRADED]
    return found + [visited(data / "feed" / name) for name in VISITED]


def graded(folder: Path) -> Catalogue:
    """Queries with graded products."""
    texts = {row["query_id"]: row["query"] for row in rows(folder / "train" / "queries.csv")}
    queries: dict[str, dict[str, int]] = {}
    for row in rows(folder / "train" / "labels.csv.gz"):
        queries.setdefault(texts[row["query_id"]], {})[row["product_id"]] = int(row["grade"])
    return Catalogue(folder.name, products(folder), queries, [])


def visited(folder: Path) -> Catalogue:
    """Sessions: of a search and what was opened after it, the pair."""
    path, pairs = folder / "train" / "sessions.jsonl.gz", []
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                query = ""
                for event in json.loads(line)["events"]:
                    if event["kind"] == "search":
                        query = event["query"]
                    elif query:
                        pairs.append((query, event["product_id"]))
    except OSError as error:
        raise StepError(f"{path} cannot be read: {error}") from error
    return Catalogue(folder.name, products(folder), {}, pairs)


def products(folder: Path) -> dict[str, ItemText]:
    return {
        row["product_id"]: ItemText(row["title"], "", row.get("description") or "")
        for row in rows(folder / "products.csv.gz")
    }


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a CSV(.gz). Raises StepError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="") as lines
        ):
            yield from csv.DictReader(lines)
    except OSError as error:
        raise StepError(f"{path} cannot be read: {error}") from error
