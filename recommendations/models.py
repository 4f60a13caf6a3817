"""What recommendations and search store beside the listings."""

from __future__ import annotations

import numpy as np
from django.db import connections, models, transaction
from django.utils import timezone
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.django import CosineDistance, HalfVectorField, HnswIndex

from listings.lifecycle import Status
from listings.models import Listing
from models.towers import DIMENSIONS

EF_SEARCH = 200  # at least so many are looked at: of 100,000 clustered vectors .95 of the right ones are found
MOST_NEAREST = 1_000  # hnsw.ef_search goes no further


class CatalogueWords(models.Model):
    """The one row of the catalogue's own statistics (vocabulary.py): made anew by a task, read by every process."""

    built_at = models.DateTimeField()
    of_change = models.CharField(max_length=60)  # what the catalogue's state was: vocabulary.state()
    listings = models.PositiveIntegerField()
    average_words = models.FloatField()  # of a title
    # zlib of JSON {"words": {word: listings}, "stems": {stem: listings}, "pairs": {"two words": listings}}
    counts = models.BinaryField()


class ItemVectorQuerySet(models.QuerySet["ItemVector"]):
    def of_space(self, space: str) -> ItemVectorQuerySet:
        return self.filter(model_version=space)

    def on_sale(self) -> ItemVectorQuerySet:
        """Of what is published now; a vector may outlive that by the moment until its task has run."""
        return self.filter(listing__status=Status.PUBLISHED)

    def nearest(self, vector: NDArray[np.float32], limit: int) -> list[tuple[int, float]]:
        """(listing, cosine), the nearest first. The index gives at most ef_search rows, so it is set to what is wanted
        for this transaction; where a filter leaves too few, it goes on (pgvector's iterative scan)."""
        limit = min(limit, MOST_NEAREST)
        with transaction.atomic():
            with connections[self.db].cursor() as cursor:
                cursor.execute("SET LOCAL hnsw.ef_search = %s", [max(limit, EF_SEARCH)])
                cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
            rows = self.annotate(distance=CosineDistance("vector", HalfVector(vector))).order_by("distance")
            return [(pk, 1 - distance) for pk, distance in rows.values_list("pk", "distance")[:limit]]


class ItemVector(models.Model):
    """Where a published listing stands in the space of the towers (models/towers.py)."""

    listing = models.OneToOneField(Listing, primary_key=True, on_delete=models.CASCADE, related_name="item_vector")
    vector = HalfVectorField(dimensions=DIMENSIONS)
    model_version = models.CharField(max_length=20)  # the space: vectors of two never meet
    revision = models.PositiveIntegerField()  # of the listing that was read
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ItemVectorQuerySet.as_manager()

    class Meta:
        indexes = [
            HnswIndex(
                name="item_vector_nearest", fields=["vector"], m=16, ef_construction=64,
                opclasses=["halfvec_cosine_ops"],
            )
        ]  # fmt: skip
