"""One moment of the database, read as Arrow batches over PostgreSQL's binary COPY."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from adbc_driver_postgresql import dbapi
from django.db import connection
from psycopg import pq
from psycopg.conninfo import make_conninfo

# A server or role may limit how long statements and transactions last; a release takes what it takes.
BEGIN = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL transaction_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A transaction that sees the database as it was at ``taken_at``, whatever is written meanwhile."""

    taken_at: datetime
    _adbc: dbapi.Connection

    def count(self, statement: str) -> int:
        with self._adbc.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0])

    def batches(self, statement: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a statement in batches of about 16 MB, as the server sends them."""
        with self._adbc.cursor() as cursor:
            cursor.execute(statement)
            with cursor.fetch_record_batch() as reader:
                yield from reader


@contextmanager
def open_snapshot() -> Iterator[Snapshot]:
    """Open a connection of its own to the database of this process, and one read-only transaction on it."""
    with closing(dbapi.connect(conninfo())) as adbc:
        with adbc.cursor() as cursor:
            for statement in BEGIN:
                cursor.execute(statement)
            cursor.execute("SELECT now()")
            taken_at = cursor.fetchone()[0]
        yield Snapshot(taken_at, adbc)


def conninfo() -> str:
    """Return the libpq connection string of Django's own connection, test database and sockets included."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    params = connection.get_connection_params()
    return make_conninfo(**{key: value for key, value in params.items() if key in known})
