"""A catalogue of any size whose vectors are drawn: topics, things within them, listings of a thing; with visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import connections
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.django import HnswIndex

from listings import categories
from listings.lifecycle import Status
from listings.models import Listing, User
from models import towers
from recommendations import feed, scratch, standing
from recommendations.models import CoVisit, ItemVector, ListingViews, QueryClick, RememberedQuery, Standing

Vectors = NDArray[np.float32]
SELLERS = 200
TOPICS, OF_A_THING = 40, 100  # listings
THING_APART, LISTING_APART, QUERY_APART = 0.8, 0.7, 0.4  # length of what is added to a unit vector
QUERIES = 2_000
CHUNK = 50_000
SINCE_2000 = 946_684_800  # seconds, where PostgreSQL begins to count


@dataclass(frozen=True)
class Made:
    vectors: Vectors  # float32 [listings, 128], as halfvec holds them, in the order of the keys
    first: int  # key of the first listing; the others follow


def away(from_: Vectors, length: float, rng: np.random.Generator) -> Vectors:
    """Unit rows near these, in any direction."""
    step = rng.standard_normal(from_.shape, np.float32)
    found = from_ + length * step / np.linalg.norm(step, axis=1, keepdims=True)
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def drawn(number: int, rng: np.random.Generator) -> tuple[Vectors, NDArray[np.int64]]:
    """float32 [number, 128] and each one's thing."""
    topics = away(np.zeros((TOPICS, towers.DIMENSIONS), np.float32), 1, rng)
    things = away(topics[rng.integers(0, TOPICS, max(1, number // OF_A_THING))], THING_APART, rng)
    thing = rng.integers(0, len(things), number)
    return away(things[thing], LISTING_APART, rng).astype(np.float16).astype(np.float32), thing


def fill(number: int, rng: np.random.Generator) -> Made:
    """Into the scratch catalogue at hand."""
    vectors, thing = drawn(number, rng)
    sellers = User.objects.bulk_create(
        [User(username=f"seller-{at}", role=User.Role.MERCHANT) for at in range(SELLERS)]
    )
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO listings_listing (public_id, seller_id, title, description, category, attributes, price,"
            " currency, condition, status, status_note, revision, edits, fingerprint, created_at, updated_at,"
            " published_at)"
            " SELECT lpad(to_hex(n), 10, 'x'), %(seller)s + n %% %(sellers)s, 'Thing number ' || n, 'In good order.',"
            " (%(categories)s::text[])[1 + n %% %(kinds)s], '{}', 1 + n %% 500, 'EUR', 'good', %(status)s, '', 1,"
            " 1, '', now(), now(), now() - n * interval '1 second' FROM generate_series(1, %(number)s) n",
            {
                "seller": sellers[0].pk,
                "sellers": SELLERS,
                "categories": [each.id for each in categories.all()],
                "kinds": len(categories.all()),
                "status": Status.PUBLISHED,
                "number": number,
            },
        )
        cursor.execute("SELECT min(id) FROM listings_listing")
        (first,) = cursor.fetchone()
    store(vectors, first)
    visit(number, first, thing, rng)
    remember(vectors, first, thing, rng)
    standing.refresh()
    scratch.analyse(Listing, ItemVector, CoVisit, RememberedQuery, QueryClick, Standing)
    feed.forget()
    return Made(vectors, first)


def store(vectors: Vectors, first: int) -> None:
    """By binary COPY, the index at the end."""
    connection = connections["default"]
    index = next(index for index in ItemVector._meta.indexes if isinstance(index, HnswIndex))
    with connection.schema_editor() as editor:
        editor.remove_index(ItemVector, index)
    space = towers.space().encode()
    row = np.dtype(
        [
            ("columns", ">i2"), ("l1", ">i4"), ("listing", ">i8"), ("l2", ">i4"), ("size", ">i2"), ("zero", ">i2"),
            ("vector", ">f2", towers.DIMENSIONS), ("l3", ">i4"), ("space", f"S{len(space)}"), ("l4", ">i4"),
            ("revision", ">i4"), ("l5", ">i4"), ("at", ">i8"),
        ]
    )  # fmt: skip
    now = int((datetime.now(UTC).timestamp() - SINCE_2000) * 1_000_000)
    statement = (
        f'COPY "{ItemVector._meta.db_table}" (listing_id, vector, model_version, revision, updated_at)'
        " FROM STDIN WITH (FORMAT binary)"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
        for at in range(0, len(vectors), CHUNK):
            part = vectors[at : at + CHUNK]
            rows = np.zeros(len(part), row)
            rows["columns"], rows["l1"], rows["listing"] = 5, 8, first + at + np.arange(len(part))
            rows["l2"], rows["size"], rows["vector"] = 4 + 2 * towers.DIMENSIONS, towers.DIMENSIONS, part
            rows["l3"], rows["space"], rows["l4"], rows["revision"] = len(space), space, 4, 1
            rows["l5"], rows["at"] = 8, now
            copy.write(rows.tobytes())
        copy.write(b"\xff\xff")
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
    with connection.schema_editor() as editor:
        editor.add_index(ItemVector, index)


def visit(number: int, first: int, thing: NDArray[np.int64], rng: np.random.Generator) -> None:
    """People go on to listings of the same thing; some listings are opened far more often than others."""
    order = np.argsort(thing, kind="stable")
    steps = [
        CoVisit(before_id=first + int(a), after_id=first + int(b), count=count)
        for shift in (1, 2)
        for a, b, count in zip(order, np.roll(order, shift), rng.integers(1, 9, number), strict=True)
        if thing[a] == thing[b] and a != b
    ]
    CoVisit.objects.bulk_create(steps, batch_size=scratch.BATCH)
    seen = rng.permutation(number)[: number // 3]
    today = datetime.now(UTC).date()
    views = zip(seen, rng.zipf(1.7, len(seen)).clip(max=1000), strict=True)
    ListingViews.objects.bulk_create(
        [ListingViews(listing_id=first + int(at), day=today, count=int(count)) for at, count in views],
        batch_size=scratch.BATCH,
    )


def remember(vectors: Vectors, first: int, thing: NDArray[np.int64], rng: np.random.Generator) -> None:
    today, space = datetime.now(UTC).date(), towers.space()
    asked = rng.integers(0, len(vectors), QUERIES)
    queries = RememberedQuery.objects.bulk_create(
        [
            RememberedQuery(
                digest=str(at), text=str(at), vector=HalfVector(vector), model_version=space, days=9, last_day=today
            )
            for at, vector in enumerate(away(vectors[asked], QUERY_APART, rng))
        ]
    )
    QueryClick.objects.bulk_create(
        [
            QueryClick(query=query, listing_id=first + int(at), count=int(count))
            for query, to in zip(queries, asked, strict=True)
            for at, count in zip(np.flatnonzero(thing == thing[to])[:5], rng.integers(1, 30, 5), strict=False)
        ],
        batch_size=scratch.BATCH,
    )
