"""The backend that Django loads: `ENGINE = "config.database"`.

Django can have the pool ask each connection before it lends it, which costs every request one more round trip.
A server that goes away closes its side, and the kernel knows that already.
"""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    pool: ConnectionPool[Any] | None  # not in the stubs

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Return a connection on which the server was still there a moment ago."""
        connection = super().get_new_connection(conn_params)
        while self.pool and not is_alive(connection):
            # The pool replaces what comes back closed, and waits for the database as long as it is told to.
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def is_alive(connection: Connection[Any]) -> bool:
    """Return whether an idle connection can be used, without a round trip unless the server has said something.

    A server that ends a session says so and closes; one whose configuration was changed may say that.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
