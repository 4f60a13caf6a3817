"""The nearest listings to a vector, from a copy of all item vectors that each process holds while the market is of
middling size: a large part of a request's cost is the walk through the index in the database.

Vectors lie sorted by groups of likes; the groups nearest to a vector are compared in full. What changed since the copy
was made is read every second and compared as well; what has left the market is told by whoever found out (`gone`).
Below and above these sizes, and while a copy is being made, the database is asked (retrieval.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils import timezone
from numpy.typing import NDArray

from models.towers import DIMENSIONS

from . import quick
from .dense import HEADER

log = logging.getLogger(__name__)
Vectors = NDArray[np.float32]
Pairs = list[tuple[int, float]]

HELD_FROM, HELD_AT_MOST = 5_000, 400_000  # listings; half a kilobyte each
SHARE, AT_LEAST = 0.04, 2_000  # of all vectors, of which so many are compared
ROUNDS, OF_A_GROUP = 5, 40  # of grouping, and vectors of each group that are read for it
SECONDS = 1.0  # between looks at what changed
LATE = timedelta(seconds=10)  # a row may be committed so long after its time was taken
GONE_SECONDS = 60.0  # after which a listing that was off the market may be there again
AGE = 3_600.0  # seconds after which a copy is made anew
OUT = -2.0  # below every cosine
AGAIN = 30.0  # seconds until a copy is tried again that could not be made
DRIFT = 0.05  # or so large a share of it has changed

EVERYTHING = "SELECT listing_id, halfvec_send(vector) FROM recommendations_itemvector WHERE model_version = %(space)s"
CHANGED = f"{EVERYTHING} AND updated_at > %(since)s"


class Fresh(NamedTuple):
    """What changed since a copy was made. Replaced as a whole: several threads answer requests."""

    rows: dict[int, Vectors] = {}
    keys: NDArray[np.int64] = np.zeros(0, np.int64)
    vectors: Vectors = np.zeros((0, DIMENSIONS), np.float32)


NOTHING = Fresh()


@dataclass
class Copy:
    """vectors: float32 [n, 128], unit rows, group by group; keys: int64 [n]; starts: int64 [groups + 1]; centres:
    float32 [groups, 128]."""

    database: str
    space: str
    since: datetime
    made: float
    keys: NDArray[np.int64]
    vectors: Vectors
    starts: NDArray[np.int64]
    centres: Vectors
    looked: float = 0.0
    fresh: Fresh = NOTHING
    by_key: NDArray[np.int64] = field(init=False)  # places in the order of the keys
    gone: dict[int, float] = field(default_factory=dict)  # until when they are not looked for

    def __post_init__(self) -> None:
        self.by_key = np.argsort(self.keys)

    def holds(self, keys: NDArray[np.int64], vectors: Vectors) -> NDArray[np.bool_]:
        """Which of these it holds just so (what changed since `since` may have been in it from the beginning)."""
        at = np.minimum(np.searchsorted(self.keys, keys, sorter=self.by_key), len(self.keys) - 1)
        place = self.by_key[at]
        same: NDArray[np.bool_] = (self.keys[place] == keys) & (self.vectors[place] == vectors).all(axis=1)
        return same


_copy: Copy | None = None
_making = threading.Lock()
_not_before = 0.0  # monotonic seconds


def forget() -> None:
    """For another catalogue in the same process."""
    global _copy, _not_before
    _copy, _not_before = None, 0.0


def gone(pks: Iterable[int]) -> None:
    """These were not on sale just now."""
    if _copy is not None:
        _copy.gone = _copy.gone | dict.fromkeys(pks, time.monotonic() + GONE_SECONDS)


def nearest(interests: Vectors, space: str, listings: int, limit: int) -> list[Pairs] | None:
    """For each of float32 [k, 128] (unit rows) the nearest, as (key, cosine), the nearest first. None: ask the
    database. listings: how many there are, about."""
    if not HELD_FROM <= listings <= HELD_AT_MOST:
        return None
    held = _usable(space)
    if held is None or _is_old(held):
        _make_soon(space)
        held = _usable(space)
    if held is None:
        return None
    _look_for_changes(held)
    return [_search(held, row, limit) for row in interests]


def _usable(space: str) -> Copy | None:
    if _copy is None or (_copy.database, _copy.space) != (_database(), space):
        return None
    return _copy


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _search(held: Copy, row: Vectors, limit: int) -> Pairs:
    fresh = held.fresh
    nearness = held.centres @ row
    order = np.argsort(-nearness)
    sizes = held.starts[order + 1] - held.starts[order]
    enough = int(np.searchsorted(np.cumsum(sizes), max(AT_LEAST, SHARE * len(held.keys)))) + 1
    parts = [(held.starts[group], held.starts[group + 1]) for group in order[:enough]]
    cosines = np.concatenate([*(held.vectors[a:b] @ row for a, b in parts), fresh.vectors @ row])
    keys = np.concatenate([*(held.keys[a:b] for a, b in parts), fresh.keys])
    now = time.monotonic()
    gone = [pk for pk, until in dict(held.gone).items() if until >= now]
    if gone:
        cosines[np.isin(keys, gone)] = OUT
    if fresh.rows:  # what the copy itself still says of them is outdated
        old = len(keys) - len(fresh.keys)
        cosines[:old][np.isin(keys[:old], fresh.keys)] = OUT
    wanted = min(len(keys), limit)
    best = np.argpartition(-cosines, wanted - 1)[:wanted]
    best = best[np.argsort(-cosines[best], kind="stable")]
    best = best[cosines[best] > OUT]
    return list(zip(keys[best].tolist(), cosines[best].tolist(), strict=True))


def _look_for_changes(held: Copy) -> None:
    now = time.monotonic()
    if now - held.looked < SECONDS:
        return
    held.looked = now
    since = timezone.now() - LATE
    changed = quick.rows(CHANGED, {"space": held.space, "since": held.since})
    held.since = max(held.since, since)
    if not changed:
        return
    keys, vectors = np.array([pk for pk, _ in changed], np.int64), _unpacked(changed)
    is_new = ~held.holds(keys, vectors)
    new = dict(zip(keys[is_new].tolist(), vectors[is_new], strict=True))
    there = set(keys.tolist())
    held.gone = {pk: until for pk, until in dict(held.gone).items() if pk not in there}
    known = held.fresh.rows
    back = {pk for pk in keys[~is_new].tolist() if pk in known}  # changed, and changed back
    if back or any(pk not in known or not np.array_equal(known[pk], row) for pk, row in new.items()):
        rows = {pk: row for pk, row in known.items() if pk not in back} | new
        vectors = np.stack(list(rows.values())) if rows else NOTHING.vectors
        held.fresh = Fresh(rows, np.array(list(rows), np.int64), vectors)


def _is_old(held: Copy) -> bool:
    changed = len(held.fresh.keys) + len(held.gone)
    return time.monotonic() - held.made > AGE or changed > 1_000 + DRIFT * len(held.keys)


# --- Making a copy ---------------------------------------------------------------------------------------------------
def _make_soon(space: str) -> None:
    global _not_before
    if _database() != connections.settings[DEFAULT_DB_ALIAS]["NAME"]:
        make(space)  # a scratch catalogue is this thread's alone: another would read the site's own
        return
    if time.monotonic() < _not_before or not _making.acquire(blocking=False):
        return
    _not_before = time.monotonic() + AGAIN
    try:
        threading.Thread(target=_make_and_release, args=(space,), name="nearby", daemon=True).start()
    except RuntimeError:
        _making.release()
        log.exception("no thread for a copy of the item vectors")


def _make_and_release(space: str) -> None:
    try:
        make(space)
    except Exception:
        log.exception("no copy of the item vectors")
    finally:
        connection.close()  # this thread's own
        _making.release()


def make(space: str) -> None:
    """Read all vectors of the space and group them: a second or two for 100,000."""
    global _copy
    begun, since = time.monotonic(), timezone.now() - LATE
    rows = quick.rows(EVERYTHING, {"space": space})
    if not rows:
        return
    keys, vectors = np.array([pk for pk, _ in rows], np.int64), _unpacked(rows)
    del rows
    centres, group = grouped(vectors)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(centres) + 1)).astype(np.int64)
    _copy = Copy(_database(), space, since, time.monotonic(), keys[order], vectors[order], starts, centres)
    log.info("%d item vectors held, %.1f s", len(keys), time.monotonic() - begun)


def _unpacked(rows: list[tuple[Any, ...]]) -> Vectors:
    """float32 [rows, 128] of unit length, or zero."""
    packed = b"".join(vector[HEADER:] for _, vector in rows)
    vectors = np.frombuffer(packed, ">f2").reshape(len(rows), DIMENSIONS).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


def grouped(vectors: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
    """(centres float32 [groups, 128], group of each int64 [n]) by k-means on the sphere, from a fixed beginning."""
    rng = np.random.default_rng(1)
    count = max(1, round(len(vectors) ** 0.5))
    sample = vectors[rng.permutation(len(vectors))[: OF_A_GROUP * count]]
    centres = sample[:count].copy()
    for _ in range(ROUNDS):
        group = _nearest_centre(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, group, sample)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-6), centres).astype(np.float32)
    return centres, _nearest_centre(vectors, centres)


def _nearest_centre(vectors: Vectors, centres: Vectors) -> NDArray[np.int64]:
    parts = [(vectors[at : at + 4_096] @ centres.T).argmax(axis=1) for at in range(0, len(vectors), 4_096)]
    return np.concatenate(parts).astype(np.int64)
