"""Yesterday's rows, written today: the one place that dates back what stands in the record (migration 0008)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def dating_back() -> Iterator[None]:
    """Within it, and no longer, `created_at` of verdicts, rulings, status changes and decisions may be changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL marketplace.dating_back = 'on'")
        yield
        # SET LOCAL would hold until the outermost transaction ends.
        cursor.execute("SET LOCAL marketplace.dating_back = 'off'")
