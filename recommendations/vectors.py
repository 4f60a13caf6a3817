"""Item vectors, kept as fresh as the listings: made when one is published or edited, gone when it leaves the market.

Nothing is owed anywhere: whatever was missed (no worker, no Redis, no model file) is seen by comparing the tables, as
the sweep does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from numpy.typing import NDArray
from pgvector import HalfVector

from listings import categories
from listings.lifecycle import Status
from listings.models import Listing, ListingQuerySet
from models import towers
from models.manifest import ModelUnavailable
from models.towers import ItemText

from .models import ItemVector

log = logging.getLogger(__name__)
BATCH = 64  # listings read at once: half a second
MOST_AT_A_TIME = 2_000  # of one sweep; the next goes on


def due(space: str) -> ListingQuerySet:
    """Published listings without a vector of this space and of their present words."""
    fresh = Q(item_vector__model_version=space, item_vector__revision=F("revision"))
    return Listing.objects.published().exclude(fresh)


def refresh(pks: Sequence[int]) -> int:
    """Make the vectors of those that are published, and remove those of the others; how many were made.

    May run twice, and two at once: what an older text overwrote is due again. Raises ModelUnavailable.
    """
    ItemVector.objects.filter(pk__in=pks).exclude(listing__status=Status.PUBLISHED).delete()
    space = towers.space()
    rows = list(due(space).filter(pk__in=pks).only("pk", "title", "category", "description", "revision"))
    made = 0
    for at in range(0, len(rows), BATCH):
        batch = rows[at : at + BATCH]
        encoded = towers.encode_items([read(row) for row in batch])
        try:
            with transaction.atomic():
                store(batch, encoded, space)
        except IntegrityError:  # one was deleted meanwhile; the sweep makes the others
            log.info("listings were deleted while their vectors were made")
        else:
            made += len(batch)
    return made


def read(listing: Listing) -> ItemText:
    """What the item tower is told of a listing."""
    category = categories.get(listing.category)
    return ItemText(listing.title, category.name if category else "", listing.description)


def store(rows: Sequence[Listing], vectors: NDArray[np.float32], space: str) -> None:
    """vectors: float32 [rows, 128]."""
    now = timezone.now()
    ItemVector.objects.bulk_create(
        [
            ItemVector(
                listing=row, vector=HalfVector(vector), model_version=space, revision=row.revision, updated_at=now
            )
            for row, vector in zip(rows, vectors, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["listing"],
        update_fields=["vector", "model_version", "revision", "updated_at"],
    )


def sweep() -> int:
    """Make what is missing or stale, remove what is left over; how many were made. Quiet while the towers are away."""
    ItemVector.objects.exclude(listing__status=Status.PUBLISHED).delete()
    try:
        return refresh(list(due(towers.space()).order_by("pk").values_list("pk", flat=True)[:MOST_AT_A_TIME]))
    except ModelUnavailable as error:
        log.warning("item vectors wait: %s", error)
        return 0


def nearest(vectors: NDArray[np.float32], limit: int) -> list[list[tuple[int, float]]]:
    """For each of float32 [k, 128] the nearest published listings of the present space, as (key, cosine). Raises
    ModelUnavailable."""
    rows = ItemVector.objects.of_space(towers.space()).on_sale()
    return [rows.nearest(vector, limit) for vector in vectors]
