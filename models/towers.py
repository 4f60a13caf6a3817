"""The towers as the server runs them: queries, listings and histories in, unit vectors of one space out.

Every tower's entry in the manifest names the `space` it belongs to. Vectors of two spaces must never meet in a product:
whoever stores a vector or sends one says which space it is of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime, scoring
from models.manifest import ModelUnavailable

__all__ = [
    "DIMENSIONS",
    "KINDS",
    "ItemText",
    "ModelUnavailable",
    "common_words",
    "encode_items",
    "encode_queries",
    "is_word",
    "space",
    "user_interests",
]

QUERY, ITEM, USER = "query-tower", "item-tower", "user-tower"
DIMENSIONS = 128
KINDS = ("search", "view", "favourite", "purchase", "dismissal")  # of events, as the user tower counts them
Vectors = NDArray[np.float32]


class ItemText(NamedTuple):
    """What the item tower reads of a listing. category: its name in words."""

    title: str
    category: str = ""
    description: str = ""


def space(folder: Path = manifest.PUBLISHED) -> str:
    """The space that item vectors are of now (`model_version` in the database and over the wire). Raises
    ModelUnavailable."""
    found: str = manifest.model(manifest.load(folder), ITEM)["space"]
    return found


def packed_query(text: str, window_bytes: int) -> NDArray[np.uint8]:
    """UTF-8 bytes uint8 [n], n ≥ 1: a query as typed, cut between characters."""
    return np.frombuffer(cut(text, window_bytes) or b" ", np.uint8)


def packed_item(item: ItemText, window_bytes: int) -> NDArray[np.uint8]:
    """UTF-8 bytes uint8 [n] of everything that is read of a listing, the title first."""
    title = " ".join(item.title.split())
    return np.frombuffer(cut(f"{title}\n{item.category} {item.description}", window_bytes), np.uint8)


def cut(text: str, most: int) -> bytes:
    """At most so many bytes of the text's UTF-8, whole characters; lone surrogates become question marks."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").encode()


def encode_queries(texts: Sequence[str], variant: str = "device", folder: Path = manifest.PUBLISHED) -> Vectors:
    """float32 [n, 128]: unit rows; a zero row for a text without a known word or n-gram. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), QUERY)
    return queries_encoder(runtime.session(QUERY, variant, folder), entry)(texts)


def queries_encoder(session: Any, entry: dict[str, Any]) -> Callable[[Sequence[str]], Vectors]:
    """What encodes queries by an open session. entry: `window_bytes`."""

    def encode(texts: Sequence[str]) -> Vectors:
        feeds = ({"bytes": packed_query(text, entry["window_bytes"])} for text in texts)
        return stacked([session.run(["vector"], feed)[0] for feed in feeds])

    return encode


def encode_items(items: Sequence[ItemText], variant: str = "cloud", folder: Path = manifest.PUBLISHED) -> Vectors:
    """float32 [n, 128]: unit rows; a zero row for a listing without a known word or n-gram. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), ITEM)
    return items_encoder(runtime.session(ITEM, variant, folder), scoring.reader(entry, folder), entry)(items)


def items_encoder(session: Any, reader: Any, entry: dict[str, Any]) -> Callable[[Sequence[ItemText]], Vectors]:
    """What encodes listings by an open session. reader: `wordpieces.Reader`; entry: `window_bytes` and `pieces`."""
    from models import wordpieces  # the tokenizer is loaded by those who need it

    def encode(items: Sequence[ItemText]) -> Vectors:
        pieces = reader.pieces([packed_item(item, entry["window_bytes"]).tobytes() for item in items])
        feeds = (
            {"bytes": packed_query(item.title, entry["window_bytes"])} | wordpieces.batch([ids[: entry["pieces"]]])
            for item, ids in zip(items, pieces, strict=True)
        )
        return stacked([session.run(["vector"], feed)[0] for feed in feeds])

    return encode


def is_word(text: str, folder: Path = manifest.PUBLISHED) -> bool:
    """Whether MiniLM has it as one piece: an English word or name that people use. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), ITEM)
    return scoring.reader(entry, folder).tokenizer.token_to_id(text) is not None


@cache
def common_words(folder: Path = manifest.PUBLISHED) -> dict[str, int]:
    """{word: its place among all, the most frequent first}: what `is_word` knows and is of a to z alone. Raises
    ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), ITEM)
    pieces = scoring.reader(entry, folder).tokenizer.get_vocab()
    return {piece: at for piece, at in pieces.items() if piece.isascii() and piece.isalpha()}


def stacked(rows: list[Vectors]) -> Vectors:
    return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.float32)


def user_interests(
    vectors: Vectors,
    kinds: NDArray[np.int64],
    ages: Vectors,
    variant: str = "device",
    folder: Path = manifest.PUBLISHED,
) -> Vectors:
    """A history's interests float32 [k, 128], unit rows.

    vectors float32 [t, 128] of the queries and items, oldest first; kinds int64 [t], numbers in
    KINDS; ages float32 [t], days. Only the last `events` of the manifest are read. An empty history has no interests
    [0, 128]. Raises ModelUnavailable.
    """
    if not len(vectors):
        return np.zeros((0, DIMENSIONS), np.float32)
    entry = manifest.model(manifest.load(folder), USER)
    session = runtime.session(USER, variant, folder)
    last = slice(-entry["events"], None)
    feed = {"vectors": vectors[last], "kinds": kinds[last], "ages": ages[last]}
    found: Vectors = session.run(["interests"], feed)[0]
    return found
