"""A page of recommendations for somebody of whom nothing is known but a few vectors."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import towers
from models.manifest import ModelUnavailable

from . import nearby, ranking, retrieval, stock
from .dense import space as present_space
from .stock import Row

log = logging.getLogger(__name__)
Vectors = NDArray[np.float32]

MOST = 200  # items of an answer
MOST_VECTORS = 16
MOST_EVENTS = 48
SPARE = 20  # candidates beyond the limit, for what leaves the market meanwhile
FEWEST, CANDIDATES = 150, 280  # that the ranker looks at, for a short and for a long page
NEAREST, POPULAR = "nearest", "popular"
ANSWERS, ANSWER_SECONDS = 2_000, 15.0
_answers: dict[bytes, tuple[float, list[int], list[float]]] = {}  # by a digest of what was asked, the oldest first


class Page(NamedTuple):
    items: list[tuple[Row, float]]  # the best first, with scores that are comparable within one answer
    keys: list[int]  # of the same listings
    source: str
    model_version: str


class Event(NamedTuple):
    """vector: int8 [128]; kind: one of towers.KINDS; age in days."""

    vector: NDArray[np.int8]
    kind: str
    age: float


def units(quantized: NDArray[np.int8]) -> Vectors:
    """float32 [k, 128] of unit length, from int8; rows of zeros are left out."""
    vectors = quantized.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    kept: Vectors = (vectors / np.maximum(lengths, 1.0))[lengths[:, 0] > 0]
    return kept


def page(model_version: str, vectors: NDArray[np.int8], limit: int) -> Page:
    """At most `limit` items for int8 [k, 128], the most telling vector first. Without a vector of the present space:
    what is popular and new."""
    space = present_space()
    interests = units(vectors) if model_version == space and space else np.zeros((0, towers.DIMENSIONS), np.float32)
    if len(interests):
        found, gone = _shown(*_ranked(interests, space, limit), space, limit, NEAREST)
        if gone and len(found.items) < limit:  # many left the market at once; by now that is known
            found, _ = _shown(*_ranked(interests, space, limit), space, limit, NEAREST)
        if found.items:
            return found
    return popular_and_new(limit)


def popular_and_new(limit: int) -> Page:
    """At most `limit` items for somebody of whom nothing is known."""
    space = present_space()
    found, gone = _shown(*_in_turns(limit), space, limit, POPULAR)
    if gone and len(found.items) < limit:  # many left the market at once: what is kept of it is of another one
        retrieval.forget_market()
        found, _ = _shown(*_in_turns(limit), space, limit, POPULAR)
    return found


def interests_of(events: Sequence[Event]) -> NDArray[np.int8]:
    """int8 [k, 128]: the user tower on the server, for a device that cannot run it and whose owner agreed. Nothing is
    kept. Empty without events, or while the tower is away."""
    told = [event for event in events if event.vector.any()]
    nothing = np.zeros((0, towers.DIMENSIONS), np.int8)
    if not told:
        return nothing
    try:
        found = towers.user_interests(
            units(np.stack([event.vector for event in told])),
            np.array([towers.KINDS.index(event.kind) for event in told], np.int64),
            np.array([event.age for event in told], np.float32),
        )
    except ModelUnavailable as error:
        log.warning("no user tower: %s", error)
        return nothing
    return np.rint(127 * found).astype(np.int8)


def forget_answers() -> None:
    _answers.clear()


def forget() -> None:
    """For another catalogue in the same process."""
    forget_answers()
    retrieval.forget()
    stock.forget()


def _ranked(interests: Vectors, space: str, limit: int) -> tuple[list[int], list[float]]:
    """Kept for some seconds: shoppers who have just searched for the same send the same, and so does one who scrolls
    back and forth. What of it is still on sale is asked each time (`_shown`)."""
    now = time.monotonic()
    asked = blake2b(f"{space} {limit} ".encode() + interests.tobytes(), digest_size=16).digest()
    kept = _answers.get(asked)
    if kept is not None and kept[0] > now:
        return kept[1], kept[2]
    keys, scores = _rank(interests, space, limit)
    if retrieval.market().listings >= retrieval.SMALL:
        for old in list(_answers):
            if _answers.get(old, (now,))[0] > now and len(_answers) < ANSWERS:
                break
            _answers.pop(old, None)
        _answers.pop(asked, None)
        _answers[asked] = (now + ANSWER_SECONDS, keys, scores)
    return keys, scores


def candidates_for(limit: int) -> int:
    """How many the ranker looks at: a few for each that is asked for."""
    return max(FEWEST, min(CANDIDATES, 2 * limit), limit + SPARE)


def _rank(interests: Vectors, space: str, limit: int) -> tuple[list[int], list[float]]:
    found = retrieval.find(interests, space, candidates_for(limit))
    known = stock.of(found.pks, space)
    pks = [pk for pk in found.pks if pk in known]
    nearby.gone(pk for pk in found.pks if pk not in known)
    if not pks:
        return [], []
    rows = [known[pk] for pk in pks]
    scores = ranking.scores(ranking.features(found, pks, rows, retrieval.market()))
    best = np.argsort(-scores, kind="stable")[: limit + SPARE].tolist()
    order = ranking.diverse(best, rows)
    # The device reads the order as it was ranked; what diversity moved must not look better than what stands before it.
    falling = sorted((float(scores[at]) for at in order), reverse=True)
    return [pks[at] for at in order], falling


def _in_turns(limit: int) -> tuple[list[int], list[float]]:
    """Keys and scores: two popular ones, then a new one, and so on; each once. Some more than the limit, for what
    has left the market meanwhile."""
    market = retrieval.market()
    popular, new = iter(market.popular_overall), iter(market.new)
    order: dict[int, None] = {}
    while len(order) < limit + SPARE:
        turn = [next(popular, None), next(popular, None), next(new, None)]
        if turn == [None, None, None]:
            break
        order.update(dict.fromkeys(pk for pk in turn if pk is not None))
    keys = list(order)
    return keys, [1 - at / (len(keys) + 1) for at in range(len(keys))]


def _shown(keys: list[int], scores: list[float], space: str, limit: int, source: str) -> tuple[Page, int]:
    """Those that are published at this moment, and how many of the keys are not."""
    rows = stock.on_sale(keys, space)
    if gone := [pk for pk in keys if pk not in rows]:
        nearby.gone(gone)
        stock.drop(gone)
        forget_answers()
    kept = [(pk, score) for pk, score in zip(keys, scores, strict=True) if pk in rows][:limit]
    return Page([(rows[pk], score) for pk, score in kept], [pk for pk, _ in kept], source, space), len(gone)


def as_json(page: Page) -> bytes:
    """The answer's body; the items' own JSON is kept ready with their rows."""
    items = ",".join(f'{row.body},"score":{score:.4f}}}' for row, score in page.items)
    return f'{{"items":[{items}],"source":"{page.source}","model_version":"{page.model_version}"}}'.encode()
