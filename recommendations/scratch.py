"""A catalogue to try things on: a database of its own on the same server, gone afterwards.

Inside `with scratch.catalogue():` everything that this thread asks the database for, by whatever code of the site, goes
to the scratch database; the real one is neither seen nor touched. A run that was killed leaves its database behind: the
next one removes it, for nobody is connected to it any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import OperationalError
from numpy.typing import NDArray
from pgvector import HalfVector

from listings import limits
from listings.lifecycle import Status
from listings.models import Listing, User
from models import manifest, towers
from models.towers import ItemText

from . import vocabulary
from .models import ItemVector

PREFIX = "scratch_"
LOCK = 5_720_114  # of the server: one run at a time makes or removes databases
BATCH = 2_000
LAST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Product(NamedTuple):
    """A row of a products file. price: None where it is missing."""

    id: str
    title: str
    description: str = ""
    category: str = ""
    price: Decimal | None = None


@contextlib.contextmanager
def catalogue() -> Iterator[None]:
    """The site over an empty database of its own, with all its tables."""
    real = connections[DEFAULT_DB_ALIAS]
    name = PREFIX + uuid4().hex
    scratch = _sibling(real, name)
    with _server(real) as server:
        _remove_leftovers(server)
        server.execute(f'CREATE DATABASE "{name}"')
        scratch.ensure_connection()  # from now on it is in use, and no leftover
    # Django hands out the connection of this thread by its alias.
    connections[DEFAULT_DB_ALIAS] = scratch
    vocabulary.forget()
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = real
        vocabulary.forget()
        scratch.close()
        with _server(real) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _sibling(real: BaseDatabaseWrapper, name: str) -> BaseDatabaseWrapper:
    """A connection with the same settings to another database of the server."""
    return type(real)({**real.settings_dict, "NAME": name, "CONN_MAX_AGE": None}, real.alias)


@contextlib.contextmanager
def _server(real: BaseDatabaseWrapper) -> Iterator[Any]:
    """A cursor outside any transaction, alone among all runs."""
    maintenance = _sibling(real, "postgres")
    try:
        with maintenance.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            yield cursor
    finally:
        maintenance.close()


def _remove_leftovers(server: Any) -> None:
    server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
    for (name,) in server.fetchall():
        with contextlib.suppress(OperationalError):  # somebody is at work in it
            server.execute(f'DROP DATABASE "{name}"')


def load(products: Iterable[Product]) -> dict[str, int]:
    """Publish the products as listings of one merchant, cut to what a listing may have; {product id: listing key}."""
    seller, _ = User.objects.get_or_create(username="scratch", role=User.Role.MERCHANT)
    keys: dict[str, int] = {}
    rows: list[tuple[str, Listing]] = []
    for number, product in enumerate(products):
        rows.append((product.id, _listing(product, number, seller)))
        if len(rows) == BATCH:
            keys |= _stored(rows)
            rows = []
    return keys | _stored(rows)


def _listing(product: Product, number: int, seller: User) -> Listing:
    at = LAST_DAY - timedelta(seconds=number)  # among equals the newest comes first: the order of the file
    return Listing(
        seller=seller,
        title=_title(product),
        description=_description(product),
        category=product.category[:30],
        price=product.price or Decimal(0),
        status=Status.PUBLISHED,
        published_at=at,
        updated_at=at,
        created_at=at,
    )


def _title(product: Product) -> str:
    return product.title.replace("\x00", "")[: limits.TITLE_CHARS]


def _description(product: Product) -> str:
    """What a title has no room for comes first."""
    text = f"{product.title[limits.TITLE_CHARS :]} {product.description}".replace("\x00", "")
    return text.strip()[: limits.DESCRIPTION_CHARS]


def _stored(rows: list[tuple[str, Listing]]) -> dict[str, int]:
    made = Listing.objects.bulk_create([listing for _, listing in rows])
    return {product: listing.pk for (product, _), listing in zip(rows, made, strict=True)}


# --- Vectors ---------------------------------------------------------------------------------------------------------
def filled(products: list[Product], say: Callable[[str], None]) -> dict[int, str]:
    """Publish the products with their vectors and statistics, as the site's tasks would; {listing key: product id}.

    Raises ModelUnavailable when the item tower is away.
    """
    begun = time.monotonic()
    item_vectors = encoded(products, say)
    say(f"{len(products)} products encoded, {time.monotonic() - begun:.0f} s")
    keys = load(products)
    space = towers.space()
    connection = connections[DEFAULT_DB_ALIAS]
    indexes = list(ItemVector._meta.indexes)
    with connection.schema_editor() as editor:  # an index made at the end takes a fraction of the time
        for index in indexes:
            editor.remove_index(ItemVector, index)
    ItemVector.objects.bulk_create(
        [
            ItemVector(listing_id=keys[product.id], vector=HalfVector(vector), model_version=space, revision=1)
            for product, vector in zip(products, item_vectors, strict=True)
        ],
        batch_size=BATCH,
    )
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(ItemVector, index)
    vocabulary.refresh(force=True)
    analyse(Listing, ItemVector)
    say(f"{len(products)} products on sale in the scratch catalogue, {time.monotonic() - begun:.0f} s")
    return {pk: product for product, pk in keys.items()}


def analyse(*kinds: type[models.Model]) -> None:
    """As the server does by itself after a while: until then its planner knows nothing of so many new rows."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        for kind in kinds:
            cursor.execute(f'VACUUM (ANALYZE) "{kind._meta.db_table}"')


def encoded(products: list[Product], say: Callable[[str], None]) -> NDArray[np.float32]:
    """float32 [products, 128]; kept under var/ by their texts and the tower's file, part by part: a run that was ended
    in the middle is gone on with."""
    entry = manifest.model(manifest.load(), towers.ITEM)
    tower = entry["variants"][manifest.variant_name(entry, "cloud")]["sha256"]
    texts = [ItemText(_title(product), product.category, _description(product)) for product in products]
    found = []
    for at in range(0, len(texts), BATCH):
        found.append(_part(texts[at : at + BATCH], tower))
        if at and at % (5 * BATCH) == 0:
            say(f"{at} of {len(texts)} products encoded")
    return np.concatenate(found) if found else np.zeros((0, towers.DIMENSIONS), np.float32)


def _part(texts: list[ItemText], tower: str) -> NDArray[np.float32]:
    name = hashlib.sha256(json.dumps([tower, texts]).encode()).hexdigest()
    path = settings.VAR / "vectors" / f"{name[:32]}.npy"
    if path.is_file():
        kept: NDArray[np.float32] = np.load(path).astype(np.float32)
        return kept
    threads = os.cpu_count() or 1  # the model itself runs on one
    with ThreadPoolExecutor(threads) as pool:
        found = np.concatenate(list(pool.map(towers.encode_items, [texts[at::threads] for at in range(threads)])))
    order = np.concatenate([np.arange(len(texts))[at::threads] for at in range(threads)])
    found = found[np.argsort(order)]
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{uuid4().hex}.tmp")
    with open(aside, "wb") as file:
        np.save(file, found.astype(np.float16))
    aside.rename(path)  # never half a file under the name
    return found
