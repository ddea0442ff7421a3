"""Every app's invariants together, for the nightly task and the command."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import connection

from exports import invariants as exports_invariants
from kudos import invariants as kudos_invariants
from ratings import invariants as ratings_invariants

log = structlog.get_logger(__name__)


def find_violations() -> Iterator[str]:
    """Yield a sentence for everything that must be true and is not."""
    with without_nested_loops():
        yield from kudos_invariants.find_violations()
        yield from ratings_invariants.find_violations()
        yield from exports_invariants.find_violations()


@contextmanager
def without_nested_loops() -> Iterator[None]:
    """Have PostgreSQL join whole tables by hash or in order, whatever its statistics say.

    Every check reads whole tables. Where statistics are of a time when a table was empty, the planner would read one
    of them again for each row of the other, and a check that takes a second would take the night.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        [before] = cursor.fetchone()
        cursor.execute("SELECT set_config('enable_nestloop', 'off', false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('enable_nestloop', %s, false)", [before])


def report_violations() -> int:
    """Log every violation as an error; return how many there are."""
    count = 0
    for sentence in find_violations():
        log.error("invariant_violated", what=sentence)
        count += 1
    return count
