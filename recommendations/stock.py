"""What a process knows of listings on sale: the item as it is answered with, its vector, and what the ranker weighs.

A page of recommendations shows 200 items out of some hundred candidates; reading them all from the database each time
would be most of its cost. So rows are kept, and whether they may still be shown is asked for those that are: one query
for what is published now, and with which change. A listing that left the market is never answered with, and a changed
one is read again.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.urls import reverse

from listings.lifecycle import Status
from listings.models import Condition
from models.towers import DIMENSIONS

from . import quick
from .dense import HEADER

CONDITIONS = dict(Condition.choices)
KEPT = 100_000  # rows of about a kilobyte
SECONDS = 600.0  # after which a row is read again, for what standing.py says of it

ROWS = """
SELECT l.id, l.public_id, l.title, l.price, l.currency, l.condition, l.category, l.published_at,
  (extract(epoch FROM l.updated_at) * 1000000)::bigint,
  u.username, u.town,
  (SELECT p.thumb FROM listings_photo p WHERE p.listing_id = l.id ORDER BY p.position, p.id LIMIT 1),
  halfvec_send(v.vector), s.popularity, s.price, s.seller_sales
FROM listings_listing l JOIN listings_user u ON u.id = l.seller_id
LEFT JOIN recommendations_itemvector v ON v.listing_id = l.id AND v.model_version = %s
LEFT JOIN recommendations_standing s ON s.listing_id = l.id
WHERE l.id = ANY(%s) AND l.status = %s
"""
ON_SALE = (
    "SELECT id, (extract(epoch FROM updated_at) * 1000000)::bigint FROM listings_listing"
    " WHERE id = ANY(%s::text::bigint[]) AND status = %s"
)


class Row(NamedTuple):
    body: str  # JSON of the item, open at its end for the score
    vector: bytes  # int8 [128]; zeros where there is none (yet)
    numbers: tuple[float, float, float, float]  # published_at (seconds), popularity, price, seller_sales
    seller: str
    category: str
    changed: int  # microseconds since 1970: quicker to read than a date
    space: str
    until: float


_rows: dict[int, Row] = {}


def forget() -> None:
    """For another catalogue in the same process."""
    _rows.clear()


def of(pks: Iterable[int], space: str) -> dict[int, Row]:
    """Rows of those that were on sale when they were last read."""
    now = time.monotonic()
    found = {}
    missing = []
    for pk in pks:
        row = _rows.get(pk)
        if row is not None and row.space == space and row.until > now:
            found[pk] = row
        else:
            missing.append(pk)
    return found | _read(missing, space) if missing else found


def on_sale(pks: Sequence[int], space: str) -> dict[int, Row]:
    """Rows, as they are now, of those that are published now."""
    written = "{" + ",".join(map(str, pks)) + "}"  # psycopg's own way of sending a list takes several times as long
    changes: dict[int, int] = dict(quick.rows(ON_SALE, [written, Status.PUBLISHED]))
    found = of(changes, space)
    stale = [pk for pk, row in found.items() if row.changed != changes[pk]]
    if not stale:
        return found
    return {pk: row for pk, row in found.items() if pk not in stale} | _read(stale, space)


def drop(pks: Iterable[int]) -> None:
    """These are not on sale any more."""
    for pk in pks:
        _rows.pop(pk, None)


def _read(pks: list[int], space: str) -> dict[int, Row]:
    if len(_rows) + len(pks) > KEPT:
        _drop_oldest(len(pks))
    for pk in pks:
        _rows.pop(pk, None)
    found = {row[0]: _row(row, space) for row in quick.rows(ROWS, [space, pks, Status.PUBLISHED])}
    _rows.update(found)
    return found


def _drop_oldest(number: int) -> None:
    """A tenth at least, so that it is seldom done. Rows stand in the order in which they were read."""
    for pk in list(_rows)[: max(number, KEPT // 10)]:
        _rows.pop(pk, None)


def _row(columns: tuple[Any, ...], space: str) -> Row:
    (
        _, public_id, title, price, currency, condition, category, published_at, changed, seller, town,
        thumb, packed, popularity, price_apart, sales,
    ) = columns  # fmt: skip
    vector = _quantized(packed)
    item = {
        "id": public_id,
        "title": title,
        "price": str(price),
        "currency": currency,
        "condition": condition,
        "condition_label": CONDITIONS[condition],
        "category": category,
        "seller": seller,
        "town": town,
        "photo": reverse("media", args=[thumb]) if thumb else "",
        "url": reverse("item", args=[public_id]),
        "published_at": published_at.isoformat() if published_at else "",
        "vector": base64.b64encode(vector).decode() if any(vector) else "",
    }
    numbers = (published_at.timestamp() if published_at else 0.0, popularity or 0.0, price_apart or 0.0, sales or 0.0)
    body = json.dumps(item, ensure_ascii=False, separators=(",", ":"))[:-1]
    return Row(body, vector, numbers, seller, category, changed, space, time.monotonic() + SECONDS)


def _quantized(packed: bytes | None) -> bytes:
    if packed is None:
        return bytes(DIMENSIONS)
    vector = np.frombuffer(bytes(packed), ">f2", offset=HEADER).astype(np.float32)
    return np.rint(127 * vector).astype(np.int8).tobytes()
