"""The nearest listings to a query by its vector, as search needs them."""

from __future__ import annotations

import base64
import logging

import numpy as np
from django.db.models import BinaryField, Func
from numpy.typing import NDArray

from models import towers
from models.manifest import ModelUnavailable

from . import vectors
from .models import ItemVector

log = logging.getLogger(__name__)
HEADER = 4  # bytes before the numbers of a packed halfvec
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


def of(pks: list[int]) -> Vector:
    """float32 [pks, 128]: the listings' vectors of the present space, zeros where there is none (yet)."""
    rows = ItemVector.objects.of_space(space()).filter(pk__in=pks)
    packed = dict(
        rows.annotate(packed=Func("vector", function="halfvec_send", output_field=BinaryField())).values_list(
            "pk", "packed"
        )
    )
    found = np.zeros((len(pks), towers.DIMENSIONS), np.float32)
    for at, pk in enumerate(pks):
        if pk in packed:
            found[at] = np.frombuffer(packed[pk], ">f2", offset=HEADER)
    return found


def on_the_wire(pks: list[int]) -> dict[int, str]:
    """{listing: base64 of its 128 bytes, round(127 x)} of those that have a vector of the present space."""
    quantized = np.rint(127 * of(pks)).astype(np.int8)
    return {pk: base64.b64encode(row).decode() for pk, row in zip(pks, quantized, strict=True) if row.any()}


def space() -> str:
    """The space that vectors are of now; "" while the towers are away."""
    try:
        return towers.space()
    except ModelUnavailable:
        return ""
