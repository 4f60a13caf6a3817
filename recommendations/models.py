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
            ),
            models.Index(name="item_vector_changed", fields=["updated_at"]),
        ]  # fmt: skip


# --- What the site knows from its own visits, without any person ------------------------------------------------------
class RememberedQuery(models.Model):
    """A query that listings were opened from. Its words are kept only once it led somewhere on several days
    (settings.REMEMBERED_QUERY_DAYS); until then the row is a keyed digest and counts, and nobody can read it."""

    digest = models.CharField(max_length=64, unique=True)
    text = models.CharField(max_length=200, blank=True)
    vector = HalfVectorField(dimensions=DIMENSIONS, null=True)  # of `text`, once a worker has read it
    model_version = models.CharField(max_length=20, blank=True)
    days = models.PositiveIntegerField(default=1)  # on which it led somewhere
    last_day = models.DateField()

    class Meta:
        indexes = [
            HnswIndex(
                name="remembered_query_nearest", fields=["vector"], m=16, ef_construction=64,
                opclasses=["halfvec_cosine_ops"],
            )
        ]  # fmt: skip


class QueryClick(models.Model):
    """How often a listing was opened from the results of a query."""

    query = models.ForeignKey(RememberedQuery, on_delete=models.CASCADE, related_name="clicks")
    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["query", "listing"], name="one_count_per_query_and_listing")]


class CoVisit(models.Model):
    """How often one listing was opened from another's page."""

    before = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="+")
    after = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="+")
    count = models.FloatField(default=1)  # a part of one where the step led over others (feed_quality.py)

    class Meta:
        indexes = [
            models.Index(fields=["before", "-count"], name="covisit_before"),
            models.Index(fields=["after", "-count"], name="covisit_after"),
        ]
        constraints = [models.UniqueConstraint(fields=["before", "after"], name="one_count_per_step")]


class ListingViews(models.Model):
    """How often a listing's page was opened on a day."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing", "day"], name="one_count_per_listing_and_day")]


class Standing(models.Model):
    """What the ranker is told of a published listing beside its vector; made anew by a task (standing.py)."""

    listing = models.OneToOneField(Listing, primary_key=True, on_delete=models.CASCADE, related_name="standing")
    category = models.CharField(max_length=30)
    popularity = models.FloatField()  # views, of which those of a fortnight ago count half
    price = models.FloatField()  # log(price) against others of its category and currency, in standard deviations
    seller_sales = models.PositiveIntegerField()  # things that its seller handed over

    class Meta:
        indexes = [models.Index(fields=["category", "-popularity", "-listing"], name="standing_popular")]
