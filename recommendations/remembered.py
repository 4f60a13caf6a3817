"""Vectors of remembered queries, so that they can be found by an interest that was never typed here."""

from __future__ import annotations

import logging

from pgvector import HalfVector

from models import towers
from models.manifest import ModelUnavailable

from .models import RememberedQuery

log = logging.getLogger(__name__)
BATCH = 2_000


def sweep() -> int:
    """Read what has words and no vector of the present space; how many were read. Quiet while the tower is away."""
    try:
        space = towers.space()
        waiting = RememberedQuery.objects.exclude(text="").exclude(model_version=space)
        rows = list(waiting.order_by("pk").only("pk", "text")[:BATCH])
        vectors = towers.encode_queries([row.text for row in rows])
    except ModelUnavailable as error:
        log.warning("remembered queries wait: %s", error)
        return 0
    for row, vector in zip(rows, vectors, strict=True):
        # Nothing is near a query without a known word.
        row.vector, row.model_version = HalfVector(vector) if vector.any() else None, space
    RememberedQuery.objects.bulk_update(rows, ["vector", "model_version"], batch_size=500)
    return len(rows)
