"""When an image has enough ratings: not before the dataset's target, then when its score is known well enough.

A contested image goes on a step at a time up to the dataset's cap. What was decided, and when, stays on the image.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

# Ratings that a contested image is opened for at a time: few, since each makes the score better known.
STEP = 2

# The images are locked in the order of their ids, as everywhere. Those of the nursery have rules of their own.
DECIDE = """
WITH touched AS (
    SELECT image_id FROM ratings_rating
    WHERE dataset_id = %(dataset)s AND (id > %(after)s AND id <= %(up_to)s OR id = ANY(%(ids)s))
), ready AS (
    SELECT m.id, m.rating_count, d.contested_rating_count AS cap, s.high - s.low <= d.narrow_enough AS is_narrow
    FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
        LEFT JOIN ratings_imagescore s ON s.image_id = m.id AND s.task = 'aesthetic'
    WHERE m.id IN (SELECT image_id FROM touched) AND m.status = 'active'
        AND d.contested_rating_count > d.target_rating_count AND m.rating_count >= d.target_rating_count
        AND NOT EXISTS (SELECT 1 FROM ratings_goldimage g WHERE g.image_id = m.id AND g.state <> 'retired')
    ORDER BY m.id FOR NO KEY UPDATE OF m
), decided AS (
    SELECT id, rating_count, cap,
        CASE WHEN is_narrow THEN 'narrow' WHEN rating_count >= cap THEN 'cap' ELSE '' END AS why
    FROM ready
)
UPDATE ratings_image m SET
    closed_because = d.why,
    closed_at = CASE WHEN d.why = '' THEN NULL WHEN m.closed_because = d.why THEN m.closed_at ELSE %(now)s END,
    wanted_count = CASE WHEN d.why <> '' THEN d.rating_count ELSE least(d.cap, d.rating_count + %(step)s) END,
    is_open = d.why = ''
FROM decided d WHERE m.id = d.id AND (d.why <> m.closed_because OR d.why = '' AND NOT m.is_open)
"""


def decide_images(*, dataset_id: uuid.UUID, after: int, up_to: int, rating_ids: Sequence[int], now: datetime) -> int:
    """Decide about the images of the ratings in (after, up_to] and of those given; return how many changed."""
    params: dict[str, Any] = {
        "dataset": dataset_id,
        "after": after,
        "up_to": up_to,
        "ids": list(rating_ids),
        "now": now,
        "step": STEP,
    }
    with connection.cursor() as cursor:
        cursor.execute(DECIDE, params)
        return int(cursor.rowcount)
