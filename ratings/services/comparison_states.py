"""Comparisons that a decision moves, as a set. No image counts them, so only the rows themselves change.

Locks are taken in one order everywhere: comparisons, ratings, images, raters, accounts; each by id.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from ratings.services.counters import VOIDABLE

LOCK = """
    CREATE TEMPORARY TABLE moderated_comparisons ON COMMIT DROP AS
    SELECT c.id, c.rater_id, c.image_set_id, c.state, c.reward, c.void_debit, c.settlement_id IS NOT NULL AS is_settled
    FROM ratings_comparison c WHERE {condition}
    ORDER BY c.id FOR NO KEY UPDATE
"""
MOVE = "UPDATE ratings_comparison c SET state = %s FROM moderated_comparisons m WHERE m.id = c.id"
PEOPLE_WHO_REPEAT = """
    SELECT DISTINCT i.user_id FROM ratings_comparison g JOIN ratings_rater a ON a.id = g.rater_id AND a.is_linked
        JOIN accounts_identity i ON i.id = a.identity_id
    WHERE g.id = ANY(%s) AND EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_comparison o ON o.rater_id = t.id AND o.image_set_id = g.image_set_id
        WHERE s.user_id = i.user_id AND o.id <> g.id AND o.state = ANY(%s)
    )
"""
REPEATED = """
    SELECT unnest(ids) FROM (
        SELECT array_agg(c.id) AS ids
        FROM ratings_comparison c JOIN ratings_rater t ON t.id = c.rater_id
            JOIN accounts_identity i ON i.id = t.identity_id
        WHERE i.user_id = %(user)s AND t.is_linked AND c.state = ANY(%(states)s)
        GROUP BY c.image_set_id HAVING count(*) > 1
    ) repeated
"""
KEEP_THE_FIRST = """
    DELETE FROM moderated_comparisons m USING (
        SELECT m.id, row_number() OVER (
            PARTITION BY m.image_set_id ORDER BY c.id = ANY(%s), c.created_at, c.id
        ) AS place
        FROM moderated_comparisons m JOIN ratings_comparison c ON c.id = m.id
    ) p WHERE p.id = m.id AND p.place = 1
"""
SUPERSEDE = f"{MOVE} RETURNING c.id"


def lock_comparisons(cursor: CursorWrapper, *, condition: str, params: Mapping[str, Any]) -> int:
    """Lock the comparisons ``c`` that the condition names; return how many.

    They are in the temporary table ``moderated_comparisons`` until the transaction ends, as they were when they were
    locked.
    """
    cursor.execute("DROP TABLE IF EXISTS pg_temp.moderated_comparisons")
    cursor.execute(LOCK.format(condition=condition), params)
    count: int = cursor.rowcount
    cursor.execute("ANALYZE moderated_comparisons")
    return count


def move_comparisons(cursor: CursorWrapper, *, state: str) -> int:
    """Give the locked comparisons a state; return how many."""
    cursor.execute(MOVE, [state])
    count: int = cursor.rowcount
    return count


def supersede_comparisons(*, user_id: int, newest: Sequence[int] = ()) -> set[int]:
    """Let the later comparisons of a set by one person count no more; return their ids. As for ratings."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REPEATED, {"user": user_id, "states": VOIDABLE})
        repeated = [pk for (pk,) in cursor.fetchall()]
        if not repeated:
            return set()
        condition = "c.id = ANY(%(ids)s) AND c.state = ANY(%(states)s)"
        lock_comparisons(cursor, condition=condition, params={"ids": repeated, "states": VOIDABLE})
        cursor.execute(KEEP_THE_FIRST, [list(newest)])
        cursor.execute(SUPERSEDE, ["superseded"])
        return {int(pk) for (pk,) in cursor.fetchall()}


def supersede_repeated_comparisons(*, comparison_ids: Sequence[int], newest: Sequence[int] = ()) -> set[int]:
    """Do the same for the people who gave these comparisons, if a set of them has another of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE_WHO_REPEAT, [list(comparison_ids), VOIDABLE])
        people = [user_id for (user_id,) in cursor.fetchall()]
    return {pk for user_id in people for pk in supersede_comparisons(user_id=user_id, newest=newest)}
