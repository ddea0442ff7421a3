"""One build at a time for each dataset, on as many machines as there are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from exports.writers.snapshot import conninfo
from ratings.models import Dataset


class ReleaseInProgress(Exception):
    """Another process is building a release of this dataset right now."""


@contextmanager
def lock_releases(dataset: Dataset) -> Iterator[Callable[[], None]]:
    """Hold the dataset's release lock; yield a function that raises if the lock has been lost.

    The lock belongs to a connection of its own and ends with it: when this process is killed, PostgreSQL
    lets go of the lock by itself, and no connection of the pool can lose it half-way.
    """
    with psycopg.connect(conninfo(), autocommit=True, application_name="kudoscope release lock") as holder:
        name = f"release of {dataset.pk}"
        got = holder.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if got != (True,):
            raise ReleaseInProgress(f"A release of {dataset.slug} is being built already.")

        def check() -> None:
            holder.execute("SELECT 1")

        try:
            yield check
        finally:
            # The server takes a while to see that a connection has ended, and the next build need not wait for it.
            with suppress(psycopg.Error):
                holder.execute("SELECT pg_advisory_unlock_all()")
