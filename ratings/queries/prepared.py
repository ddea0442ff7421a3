"""Statements on the hot path, prepared on the server once a connection and then only bound and run."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor


def fetch_prepared(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement as a prepared one and return its rows.

    Django's own cursor puts the parameters into the text, so that PostgreSQL would plan the statement anew
    each time; planning the submit statement costs more than running it.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(sql, params, prepare=True)
        return cursor.fetchall()
