"""What the towers learn from: products, typed queries with graded products, and searches that ended in a click.

Read from the data root: retrieval/<name>/ (products.csv.gz, train/queries.csv, train/labels.csv.gz) and feed/<name>/
(products.csv.gz, train/sessions.jsonl.gz). Beside them titles of all
kinds of goods, from text/train.csv.gz (harmless rows) and texts/, for words that these catalogues lack. Nothing of a
dev folder is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.steps.data import read_text
from models.steps.graded import lines, products, rows
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


def broad(data: Path, most: int, seed: int) -> list[str]:
    """Titles of goods that no query of ours asks for, at most so many of each file, shuffled. Raises StepError."""
    market = [row.title for row in read_text(data / "text" / "train.csv.gz") if row.policy == "safe"]
    extra = [row["title"] for row in rows(data / "texts" / "products_extra_retrotech.csv.gz")]
    rng, found = np.random.default_rng(seed), []
    for titles in (market, extra):
        unique = sorted({" ".join(title.split()) for title in titles if title.strip()})
        found += [unique[at] for at in rng.permutation(len(unique))[:most]]
    return found


def needs(data: Path) -> list[str]:
    """What people typed when they needed something (WebShop)."""
    return [row["query"] for row in rows(data / "texts" / "webshop_need_query.csv")]


def graded(folder: Path) -> Catalogue:
    """Queries with graded products."""
    texts = {row["query_id"]: row["query"] for row in rows(folder / "train" / "queries.csv")}
    queries: dict[str, dict[str, int]] = {}
    for row in rows(folder / "train" / "labels.csv.gz"):
        queries.setdefault(texts[row["query_id"]], {})[row["product_id"]] = int(row["grade"])
    return Catalogue(folder.name, products(folder / "products.csv.gz"), queries, [])


def visited(folder: Path) -> Catalogue:
    """Sessions: of a search and what was opened after it, the pair."""
    pairs = []
    for session in lines(folder / "train" / "sessions.jsonl.gz"):
        query = ""
        for event in session["events"]:
            if event["kind"] == "search":
                query = event["query"]
            elif query:
                pairs.append((query, event["product_id"]))
    return Catalogue(folder.name, products(folder / "products.csv.gz"), {}, pairs)
