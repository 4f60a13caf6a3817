"""Reading from the database with as little around it as can be: prepared once per connection, rows in binary.

For the few statements of a page of recommendations, of which the server gives hundreds a second; others go through the
ORM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from .models import EF_SEARCH

Parameters = Mapping[str, Any] | Sequence[Any]


def rows(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Everything that a statement gives. Raises django.db.DatabaseError."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


def look_far(sender: Any, connection: BaseDatabaseWrapper, **more: Any) -> None:
    """For the life of a new connection: the index of vectors looks at so many at least, and where a filter leaves too
    few it goes on. A statement each time would cost more than looking."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET hnsw.ef_search = {EF_SEARCH}; SET hnsw.iterative_scan = relaxed_order")
