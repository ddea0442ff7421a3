"""A database that was restarted: connections that idled through it are replaced, and nobody sees an error."""

import psycopg
import pytest
from django.db import connection

from config.database.base import is_alive
from exports.writers.snapshot import conninfo
from ratings.models import Dataset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def onlooker():
    """A connection that is not of the pool."""
    with psycopg.connect(conninfo(), autocommit=True) as alone:
        yield alone


def end_all_sessions(onlooker):
    """Do what a restart of the server does to those who are connected; return how many they were."""
    ended = onlooker.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return ended.rowcount


def test_connections_that_died_while_idle_are_not_lent(onlooker):
    with connection.pool.connection(), connection.pool.connection():
        pass
    connection.close()
    assert end_all_sessions(onlooker) >= 2

    assert Dataset.objects.count() == 0


def test_a_connection_on_which_the_server_said_something_is_lent(onlooker):
    connection.ensure_connection()
    idle = connection.connection
    idle.execute("LISTEN something")
    onlooker.execute("NOTIFY something")
    assert is_alive(idle)
    idle.execute("UNLISTEN *")


def test_a_connection_that_was_ended_is_dead(onlooker):
    connection.ensure_connection()
    assert is_alive(connection.connection)
    end_all_sessions(onlooker)
    assert not is_alive(connection.connection)
    connection.close()
