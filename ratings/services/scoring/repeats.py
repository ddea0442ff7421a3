"""Repeats of a batch become evidence: whether a rater agrees with themself. It votes for nothing and bans nobody."""

from typing import Any

import numpy as np
from django.db import connection

from ratings.models import Task
from ratings.services.scoring.rows import Stretch
from ratings.stats.repeats import repeat_log_e
from ratings.stats.state import State

REPEATS = """
    SELECT s.id, r.known_{task}, r.{task}::float8
    FROM ratings_controlanswer r
        JOIN ratings_raterscore s ON s.rater_id = r.rater_id AND s.address_hash = '' AND s.dataset_id = %(dataset)s
            AND s.task = %(task)s
    WHERE r.dataset_id = %(dataset)s AND {bounds} AND r.kind = 'repeat' AND NOT r.is_shared
        AND r.{task} IS NOT NULL AND r.known_{task} IS NOT NULL
    ORDER BY r.id
"""
ADD = """
    UPDATE ratings_raterscore s SET repeat_log_e = s.repeat_log_e + e.log_e
    FROM (SELECT id, sum(log_e) AS log_e FROM unnest(%s::bigint[], %s::float8[]) e (id, log_e) GROUP BY id) e
    WHERE s.id = e.id
"""


def take_repeats(stretch: Stretch, task: Task, state: State) -> int:
    """Add what the repeats of a stretch say of their raters; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(REPEATS.format(task=task.value, bounds=stretch.bounds), stretch.params(task))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not rows:
            return 0
        ids, first, second = np.array(rows, dtype=np.float64).T
        ids = ids.astype(np.int64)
        place = state.rater_index.find(ids)
        is_known = place >= 0
        place, table = place[is_known], state.raters
        count = np.maximum(table.count[place], 1.0)
        mean = table.y[place] / count
        log_e = repeat_log_e(
            state.levels.to_steps(first[is_known]),
            state.levels.to_steps(second[is_known]),
            mean=mean,
            variance=np.maximum(table.yy[place] / count - mean**2, 0.0),
        )
        cursor.execute(ADD, [ids[is_known].tolist(), log_e.tolist()])
    return len(rows)
