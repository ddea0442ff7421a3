"""The nursery of a dataset: images that gather ratings of trusted raters until they are beyond doubt, then are gold.

They are chosen at random, so that gold is like the other images. What can be told of an image from outside, by its
being left out of a release, it shares with the decoys. Gold is used up: each image goes after so many answers or days,
and another one comes.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db import connection, transaction

from ratings.stats.controls import ControlPolicy

# One at a time for each dataset; the first number says that it is about nurseries.
NURSERY_LOCK = 0x601D
# Leave the gold: taken down, used up, too old, or of a dataset that has none any more.
RETIRE = """
    UPDATE ratings_goldimage g SET state = 'retired', retired_at = %(now)s
    FROM ratings_image i
    WHERE i.id = g.image_id AND g.dataset_id = %(dataset)s AND g.state <> 'retired' AND (
        i.status <> 'active' OR i.adult_class <> 'safe' OR g.use_count >= %(uses)s OR g.added_at < %(oldest)s
        OR %(size)s = 0
    ) RETURNING g.image_id
"""
# What closed an image while it was gold is over; it is an image as any other again.
REOPEN = """
    WITH left_behind AS (
        SELECT id FROM ratings_image WHERE id = ANY(%(images)s) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE ratings_image i SET wanted_count = NULL,
        is_open = i.status = 'active' AND i.rating_count < d.target_rating_count
    FROM left_behind l, ratings_dataset d WHERE l.id = i.id AND d.id = i.dataset_id AND i.closed_because = ''
"""
COUNT_USES = """
    UPDATE ratings_goldimage g SET use_count = c.n
    FROM (
        SELECT image_id, count(*) AS n FROM ratings_controlanswer WHERE kind = 'gold' AND dataset_id = %(dataset)s
        GROUP BY image_id
    ) c WHERE c.image_id = g.image_id AND g.state = 'in_use' AND g.use_count <> c.n
"""
# Raised, and its score known: gold.
RAISE = """
    UPDATE ratings_goldimage g SET state = 'in_use'
    WHERE g.dataset_id = %(dataset)s AND g.state = 'raising'
        AND EXISTS (
            SELECT FROM ratings_imagescore s WHERE s.image_id = g.image_id AND s.task = 'aesthetic'
                AND s.score IS NOT NULL
        ) AND %(raised_at)s <= (
            SELECT count(*) FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
            WHERE r.image_id = g.image_id AND r.state = 'counted' AND r.aesthetic IS NOT NULL
                AND r.proof NOT IN ('relay', 'import', 'held') AND t.state = 'trusted'
        )
"""
# Gold is not handed out as an image as any other, also where its dataset asks for more ratings than it has.
KEEP_CLOSED = """
    WITH gold AS (
        SELECT i.id FROM ratings_goldimage g JOIN ratings_image i ON i.id = g.image_id
        WHERE g.dataset_id = %(dataset)s AND g.state = 'in_use' AND (i.is_open OR i.wanted_count IS NULL)
        ORDER BY i.id FOR NO KEY UPDATE OF i
    )
    UPDATE ratings_image i SET wanted_count = i.rating_count, is_open = false FROM gold WHERE gold.id = i.id
"""
# What is known of gold, and where it stands among gold: that is what an answer is held against.
KNOW = """
    WITH known AS (
        SELECT g.image_id, a.score AS aesthetic, f.score AS artifacts
        FROM ratings_goldimage g
            JOIN ratings_imagescore a ON a.image_id = g.image_id AND a.task = 'aesthetic'
            LEFT JOIN ratings_imagescore f ON f.image_id = g.image_id AND f.task = 'artifacts'
        WHERE g.dataset_id = %(dataset)s AND g.state = 'in_use'
    ), ranked AS (
        SELECT image_id, aesthetic, artifacts,
            (rank() OVER (ORDER BY aesthetic) - 0.5 + (count(*) OVER (PARTITION BY aesthetic) - 1) / 2.0)
                / count(*) OVER () AS aesthetic_share,
            CASE WHEN artifacts IS NOT NULL THEN
                (rank() OVER (PARTITION BY artifacts IS NULL ORDER BY artifacts) - 0.5
                    + (count(*) OVER (PARTITION BY artifacts) - 1) / 2.0)
                / count(*) OVER (PARTITION BY artifacts IS NULL)
            END AS artifacts_share
        FROM known
    )
    UPDATE ratings_goldimage g SET aesthetic = r.aesthetic, artifacts = r.artifacts,
        aesthetic_share = r.aesthetic_share, artifacts_share = r.artifacts_share
    FROM ranked r WHERE r.image_id = g.image_id
"""
COUNT_IMAGES = """
    SELECT count(*) FROM ratings_image WHERE dataset_id = %(dataset)s AND status = 'active' AND adult_class = 'safe'
"""
COUNT_NURSERY = """
    SELECT count(*) FILTER (WHERE state IN ('raising', 'in_use')), count(*) FILTER (WHERE state = 'decoy')
    FROM ratings_goldimage WHERE dataset_id = %(dataset)s AND state <> 'retired'
"""
# By chance, among images that nobody has rated: of others something may be in a release already, and their rows would
# be seen to go.
TAKE = """
    INSERT INTO ratings_goldimage (image_id, dataset_id, state, is_planted, use_count, added_at)
    SELECT id, %(dataset)s, %(state)s, false, 0, %(now)s FROM (
        SELECT id FROM ratings_image
        WHERE dataset_id = %(dataset)s AND status = 'active' AND adult_class = 'safe' AND rating_count = 0
            AND NOT EXISTS (SELECT FROM ratings_rating r WHERE r.image_id = ratings_image.id)
            AND id NOT IN (SELECT image_id FROM ratings_goldimage WHERE dataset_id = %(dataset)s)
        ORDER BY random() LIMIT %(count)s
    ) chosen
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one round changed."""

    taken: int = 0
    decoys: int = 0
    raised: int = 0
    retired: int = 0


def maintain_nursery(*, dataset_id: uuid.UUID, policy: ControlPolicy, now: datetime) -> Upkeep:
    """Retire gold that is used up, promote what has been raised, and take new images and decoys.

    A dataset of which the least nursery would be more than the share that it may be has none: see `nursery_size`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [NURSERY_LOCK, str(dataset_id)])
        if not cursor.fetchone()[0]:
            return Upkeep()
        params: dict[str, Any] = {"dataset": dataset_id, "now": now, "uses": policy.uses}
        params |= {"raised_at": policy.raised_at, "oldest": now - timedelta(days=policy.days)}
        cursor.execute(COUNT_IMAGES, params)
        size = nursery_size(image_count=cursor.fetchone()[0], policy=policy)
        cursor.execute(COUNT_USES, params)
        cursor.execute(RETIRE, params | {"size": size})
        retired = [image_id for (image_id,) in cursor.fetchall()]
        cursor.execute(REOPEN, {"images": retired})
        cursor.execute(RAISE, params)
        raised = cursor.rowcount
        cursor.execute(KEEP_CLOSED, params)
        cursor.execute(KNOW, params)
        cursor.execute(COUNT_NURSERY, params)
        gold, decoys = cursor.fetchone()
        taken = _take(cursor, params, state="raising", count=size - gold)
        taken_as_decoys = _take(cursor, params, state="decoy", count=ceil(size * policy.decoys) - decoys)
    return Upkeep(taken, taken_as_decoys, raised, len(retired))


def nursery_size(*, image_count: int, policy: ControlPolicy) -> int:
    """Return how many images of a dataset are gold or on their way: none where that would be a large share of it."""
    size = int(min(policy.nursery_size, image_count * policy.nursery_share))
    return size if size >= max(policy.nursery_least, 1) else 0


def _take(cursor: Any, params: dict[str, Any], *, state: str, count: int) -> int:
    if count <= 0:
        return 0
    cursor.execute(TAKE, params | {"state": state, "count": count})
    return int(cursor.rowcount)
