"""Ratings that a decision moves, as a set: lock them in the one order, and let images and raters follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

VOIDABLE = ["counted", "held", "quarantined"]
WAS_COUNTED = "WHERE state = 'counted'"

# Locks are taken in one order everywhere: comparisons, ratings, images, raters, accounts; each by id.
LOCK = """
    CREATE TEMPORARY TABLE moderated ON COMMIT DROP AS
    SELECT r.id, r.image_id, r.rater_id, r.state, r.aesthetic, r.artifacts, r.reward, r.void_debit,
        r.settlement_id IS NOT NULL AS is_settled
    FROM ratings_rating r WHERE {condition}
    ORDER BY r.id FOR NO KEY UPDATE
"""
LOCK_IMAGES = """
    SELECT 1 FROM ratings_image WHERE id IN (SELECT image_id FROM moderated) ORDER BY id FOR NO KEY UPDATE
"""
LOCK_RATERS = """
    SELECT 1 FROM ratings_rater WHERE id IN (SELECT rater_id FROM moderated UNION ALL SELECT unnest(%s::bigint[]))
    ORDER BY id FOR NO KEY UPDATE
"""
MOVE_IMAGES = """
    UPDATE ratings_image i SET
        rating_count = i.rating_count + %(sign)s * g.n,
        aesthetic_sum = i.aesthetic_sum + %(sign)s * g.aesthetic,
        artifacts_count = i.artifacts_count + %(sign)s * g.artifacts_n,
        artifacts_sum = i.artifacts_sum + %(sign)s * g.artifacts,
        is_open = i.status = 'active'
            AND i.rating_count + %(sign)s * g.n < coalesce(i.wanted_count, d.target_rating_count)
    FROM (
        SELECT image_id, count(aesthetic) AS n, coalesce(sum(aesthetic), 0) AS aesthetic,
            count(artifacts) AS artifacts_n, coalesce(sum(artifacts), 0) AS artifacts
        FROM moderated {which} GROUP BY image_id
    ) g, ratings_dataset d
    WHERE i.id = g.image_id AND d.id = i.dataset_id
"""
MOVE_RATERS = """
    UPDATE ratings_rater t SET counted_count = t.counted_count + %(sign)s * g.n
    FROM (SELECT rater_id, count(*) AS n FROM moderated {which} GROUP BY rater_id) g
    WHERE t.id = g.rater_id AND NOT t.is_shared
"""

NOTE_CHANGES = """
    INSERT INTO ratings_ratingchange (dataset_id, rating_id)
    SELECT r.dataset_id, r.id FROM moderated m JOIN ratings_rating r ON r.id = m.id ORDER BY r.id
"""


def lock_ratings(
    cursor: CursorWrapper, *, condition: str, params: Mapping[str, Any], raters: Sequence[int] = ()
) -> int:
    """Lock the ratings ``r`` that the condition names, their images and raters; return how many ratings.

    ``raters`` are locked in the same pass whether ratings of theirs are or not: afterwards would be out of order.
    They are in the temporary table ``moderated`` until the transaction ends, as they were when they were locked.
    """
    cursor.execute("DROP TABLE IF EXISTS pg_temp.moderated")
    cursor.execute(LOCK.format(condition=condition), params)
    count: int = cursor.rowcount
    # Else the planner knows nothing of it, and sorts fifty thousand images where it could join by key.
    cursor.execute("ANALYZE moderated")
    cursor.execute(LOCK_IMAGES)
    cursor.execute(LOCK_RATERS, [list(raters)])
    return count


def move_counters(cursor: CursorWrapper, *, sign: int, which: str = "") -> None:
    """Add (+1) or take away (-1) the locked ratings, or ``which`` of them, where images and raters count."""
    cursor.execute(MOVE_IMAGES.format(which=which), {"sign": sign})
    cursor.execute(MOVE_RATERS.format(which=which), {"sign": sign})


def note_changes(cursor: CursorWrapper) -> None:
    """Tell the engine that the locked ratings, which it may have taken, are no longer what they were."""
    cursor.execute(NOTE_CHANGES)
