"""Answers to controls after they were given: in quarantine with their rater, revised, and looked behind.

To their rater they are ratings as any other, so whatever can be done to a rating can be done to them.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from accounts.access import Caller

# After the rater, whom whoever stores an answer locks last.
MOVE = """
    WITH moved AS (
        UPDATE ratings_controlanswer SET state = %(to)s
        WHERE rater_id = ANY(%(raters)s) AND state = %(from)s RETURNING rater_id
    ), counted AS (
        UPDATE ratings_rater t SET counted_count = t.counted_count + %(sign)s * m.n
        FROM (SELECT rater_id, count(*) AS n FROM moved GROUP BY rater_id) m WHERE t.id = m.rater_id AND NOT t.is_shared
    )
    SELECT count(*) FROM moved
"""
# As `revising.LOCK` has it for ratings.
LOCK = """
    SELECT c.id, c.image_id, c.said_aesthetic, c.said_artifacts, c.is_artifacts_unsure, c.state, c.created_at,
        c.looked_at, c.revision_count, c.reward, c.settlement_id IS NOT NULL,
        i.user_id IS NOT NULL OR i.kind = 'horde', m.status = 'active' AND d.state <> 'closed'
    FROM ratings_controlanswer c JOIN ratings_rater t ON t.id = c.rater_id
        JOIN accounts_identity i ON i.id = t.identity_id
        JOIN ratings_image m ON m.id = c.image_id JOIN ratings_dataset d ON d.id = c.dataset_id
    WHERE {which} AND NOT c.is_shared AND (i.id = %(identity)s OR i.user_id = %(user)s)
    ORDER BY c.id DESC LIMIT 1 FOR NO KEY UPDATE OF c
"""
WAS_SENT = "SELECT 1 FROM ratings_controlanswer WHERE id = %s AND %s = ANY(revision_keys)"
REVISE = """
    UPDATE ratings_controlanswer SET said_aesthetic = %(aesthetic)s, said_artifacts = %(artifacts)s,
        is_artifacts_unsure = %(is_artifacts_unsure)s, reward = %(reward)s, revision_count = revision_count + 1,
        revision_keys = CASE WHEN %(idempotency_key)s::text IS NULL THEN revision_keys
            ELSE revision_keys || %(idempotency_key)s::text END
    WHERE id = %(rating)s
"""
# Gold is never complete; an image that a repeat was of may be.
LOOK = """
    UPDATE ratings_controlanswer r SET looked_at = coalesce(r.looked_at, %(now)s)
    FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE r.id = %(rating)s AND {complete}
    RETURNING m.prompt, m.model_name
"""


def move_controls(cursor: CursorWrapper, raters: Sequence[int], *, is_out: bool) -> int:
    """Move the answers of these raters, who are locked, out of the count or into it; return how many."""
    states = ("counted", "quarantined") if is_out else ("quarantined", "counted")
    params: dict[str, Any] = {"raters": list(raters), "from": states[0], "to": states[1], "sign": -1 if is_out else 1}
    cursor.execute(MOVE, params)
    return int(cursor.fetchone()[0])


def lock_control(cursor: CursorWrapper, caller: Caller, answered: int | uuid.UUID) -> tuple[Any, ...] | None:
    """Return the caller's answer of this number, or their last about this image, as the columns of a rating."""
    which = "c.id = %(answered)s" if isinstance(answered, int) else "c.image_id = %(answered)s"
    params = {"answered": answered, "identity": caller.identity_id, "user": caller.user_id}
    cursor.execute(LOCK.format(which=which), params)
    row: tuple[Any, ...] | None = cursor.fetchone()
    return row
