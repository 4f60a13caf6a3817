"""Moments that the device's re-ranker is fitted to and measured on: real histories, the page that the cloud gave for
them, and what was opened next. A page is also asked for as it was some events ago: between two requests the device
sorts what it holds, and has to make up for what the cloud did not know yet.

JSON lines: {set, stale, asked: [vector], events: [{kind, item?, vector, is_new}], interests: [vector], items: [item],
target}, items as the cloud answers, vectors in base64; is_new: the cloud did not know it. Read by
models/recipes/reranker/fit.mjs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import towers

from . import feed, feed_quality, stock
from .feed_quality import Case, Device, Event

FIRST = 60  # items of a page, as the device asks for them at first
STALE = (0, 1, 2)  # events that the cloud did not know


def of_sessions(
    name: str, sessions: list[list[Event]], ids: dict[int, str], most: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Moments in sessions that the counters do not know (half of all; the other half is counted). Inside
    `feed_quality.site`; ids: {listing key: product id}."""
    rng = np.random.default_rng(seed)
    is_counted = rng.random(len(sessions)) < 0.5
    keys = {product: pk for pk, product in ids.items()}
    feed_quality.count([each for each, counted in zip(sessions, is_counted, strict=True) if counted], keys)
    moments = [
        Case(session[:at], session[at].about)
        for session, counted in zip(sessions, is_counted, strict=True)
        if not counted
        for at in range(1, len(session))
        if session[at].kind != "search"
    ]
    chosen = sorted(rng.permutation(len(moments))[:most])
    yield from _moments(name, [moments[at] for at in chosen], keys)


def of_cases(
    name: str, cases: list[Case], sessions: list[list[Event]], ids: dict[int, str], most: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Cases that are held back, where the counters know all sessions."""
    keys = {product: pk for pk, product in ids.items()}
    feed_quality.count(sessions, keys)
    chosen = sorted(np.random.default_rng(seed).permutation(len(cases))[:most])
    yield from _moments(name, [cases[at] for at in chosen], keys)


def _moments(name: str, cases: Iterable[Case], keys: dict[str, int]) -> Iterator[dict[str, Any]]:
    device, space = Device(keys), towers.space()
    for case in cases:
        if case.target not in keys:
            continue
        target = stock.of([keys[case.target]], space)[keys[case.target]]
        events = [_event(device, event, space) for event in case.history]
        count = len(events)
        for stale in STALE:
            if stale >= count:
                continue
            feed.forget_answers()
            asked = device.sends(case.history[: count - stale])
            page = feed.page(space, asked, FIRST)
            items = [json.loads(row.body + "}") for row, _ in page.items]
            target_id = json.loads(target.body + "}")["id"]
            if any(item["id"] == target_id for item in items):
                yield {
                    "set": name,
                    "stale": stale,
                    "asked": [_encoded(row) for row in asked],
                    "events": [event | {"is_new": at >= count - stale} for at, event in enumerate(events) if event],
                    # What the device knows now, whatever it asked with.
                    "interests": [_encoded(row) for row in device.sends(case.history)],
                    "items": items,
                    "target": target_id,
                }


def _event(device: Device, event: Event, space: str) -> dict[str, Any] | None:
    vector = device.vector(event)
    if vector is None:
        return None
    told: dict[str, Any] = {"kind": event.kind, "vector": _encoded(np.rint(127 * vector).astype(np.int8))}
    if event.kind != "search":
        pk = device.keys[event.about]
        told["item"] = json.loads(stock.of([pk], space)[pk].body + "}")
    return told


def _encoded(row: NDArray[np.int8]) -> str:
    return base64.b64encode(row.tobytes()).decode()
