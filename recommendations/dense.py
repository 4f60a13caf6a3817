"""The nearest listings to a query by its vector, as search needs them."""

from __future__ import annotations

import base64
import logging

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.django import CosineDistance

from models import towers
from models.manifest import ModelUnavailable

from . import vectors
from .models import ItemVector

log = logging.getLogger(__name__)
Vector = NDArray[np.float32]


def query_vector(query: str) -> Vector | None:
    """float32 [128], or None where the tower is away or knows no part of the query."""
    try:
        vector: Vector = towers.encode_queries([query])[0]
    except ModelUnavailable as error:
        log.debug("searching by words alone: %s", error)
        return None
    return vector if vector.any() else None


def nearest(vector: Vector, limit: int) -> list[int]:
    """Keys of published listings, the nearest first."""
    return [pk for pk, _ in vectors.nearest(vector[None], limit)[0]]


def cosines(vector: Vector, pks: list[int]) -> dict[int, float]:
    """{listing: cosine} of those that have a vector of the present space."""
    rows = ItemVector.objects.of_space(space()).filter(pk__in=pks)
    distances = rows.annotate(distance=CosineDistance("vector", HalfVector(vector))).values_list("pk", "distance")
    return {pk: 1 - distance for pk, distance in distances}


def on_the_wire(pks: list[int]) -> dict[int, str]:
    """{listing: base64 of its 128 bytes, round(127 x)} of those that have a vector of the present space."""
    rows = ItemVector.objects.of_space(space()).filter(pk__in=pks).values_list("pk", "vector")
    return {
        pk: base64.b64encode(np.rint(127 * np.array(vector.to_list())).astype(np.int8)).decode() for pk, vector in rows
    }


def space() -> str:
    """The space that vectors are of now; "" while the towers are away."""
    try:
        return towers.space()
    except ModelUnavailable:
        return ""
