"""Sessions of the feed data as the user tower reads them: vectors and kinds of events, and what came next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.steps import graded
from models.towers import KINDS, ItemText

KIND = {"search": KINDS.index("search"), "view": KINDS.index("view"), "buy": KINDS.index("purchase")}
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Histories:
    """items float32 [i, 128]; queries float32 [q, 128]; cases: events as (kind, number of query or item), oldest first,
    and the number of the item that came next."""

    items: Vectors
    queries: Vectors
    cases: list[tuple[list[tuple[int, int]], int]]


def read(
    folder: Path,
    split: str,
    of_items: Callable[[Sequence[ItemText]], Vectors],
    of_queries: Callable[[Sequence[str]], Vectors],
    least: int = 1,
) -> Histories:
    """split "train": every event but the first that opened an item is a case; "dev": as the file says. Histories of
    fewer than `least` events are left out of training. Raises StepError."""
    products = graded.products(folder / "products.csv.gz")
    number = {product: at for at, product in enumerate(products)}
    texts: dict[str, int] = {}

    def numbered(event: dict[str, Any]) -> tuple[int, int] | None:
        if event["kind"] == "search":
            return KIND["search"], texts.setdefault(event["query"], len(texts))
        return (KIND[event["kind"]], number[event["product_id"]]) if event["product_id"] in number else None

    cases: list[tuple[list[tuple[int, int]], int]] = []
    if split == "train":
        for session in graded.lines(folder / split / "sessions.jsonl.gz"):
            events = [each for event in session["events"] if (each := numbered(event))]
            cases += [
                (events[:at], events[at][1]) for at in range(least, len(events)) if events[at][0] != KIND["search"]
            ]
    else:
        for case in graded.lines(folder / split / "cases.jsonl.gz"):
            events = [each for event in case["history"] if (each := numbered(event))]
            if events and case["target"] in number:
                cases.append((events, number[case["target"]]))
    return Histories(of_items(list(products.values())), of_queries(list(texts)), cases)


def arrays(found: Histories, events: Sequence[tuple[int, int]]) -> tuple[Vectors, NDArray[np.int64], Vectors]:
    """vectors float32 [t, 128], kinds int64 [t], ages float32 [t] (the data has no times: all 0) of one history."""
    vectors = np.stack([(found.queries if kind == KIND["search"] else found.items)[at] for kind, at in events])
    return vectors, np.array([kind for kind, _ in events], np.int64), np.zeros(len(events), np.float32)
