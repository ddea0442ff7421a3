"""Up to which number every rating is there: ids are drawn before they are committed, so a later one may show first.

Whoever stores a rating locks its table (ROW EXCLUSIVE, which keeps nobody out) before they draw a number, and until
their transaction ends. So: look which number is the highest; see who holds that lock; when all of those have ended,
nothing below that number can appear any more. Who began after the look draws higher numbers.
"""

import time

from django.db import connection

POLL_SECONDS = 0.02

HIGHEST = """
    SELECT greatest((SELECT max(id) FROM ratings_rating), (SELECT max(id) FROM ratings_controlanswer), 0)
"""
WRITERS = """
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relation IN ('ratings_rating'::regclass, 'ratings_controlanswer'::regclass)
"""


def find_safe_horizon(*, patience: float) -> int | None:
    """Return a number below which no rating will appear any more, or None when ``patience`` seconds do not suffice.

    Not to be called inside a transaction whose snapshot is fixed: it would never see the others end.
    """
    with connection.cursor() as cursor:
        cursor.execute(HIGHEST)
        [[highest]] = cursor.fetchall()
        waiting_for = _writers(cursor)
        deadline = time.monotonic() + patience
        while waiting_for and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            waiting_for &= _writers(cursor)
    return None if waiting_for else int(highest)


def _writers(cursor: object) -> set[str]:
    cursor.execute(WRITERS)  # type: ignore[attr-defined]
    return {row[0] for row in cursor.fetchall()}  # type: ignore[attr-defined]
