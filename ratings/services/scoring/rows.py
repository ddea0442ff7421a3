"""Answers as the engine takes them: read by columns, with numbers of ours for images and raters.

In it are ratings that were leased, whatever became of their rater, and the answers to gold, which measure and do not
vote. Relayed and imported ratings were never handed out by chance, held ones prove nothing: they count in the plain
mean only.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from psycopg import Cursor

from ratings.models import Task
from ratings.stats.levels import Floats, Ints

TASKS = (Task.AESTHETIC, Task.ARTIFACTS)
IS_LOOKED_AT = "r.state IN ('counted', 'quarantined') AND r.proof NOT IN ('relay', 'import', 'held')"

FIRST_VALUE = """coalesce(
    (SELECT v.{task} FROM ratings_revision v WHERE v.rating_id = r.id AND r.revision_count > 0 AND v.number = 1),
    r.{task}
)"""

# Each answer once, in the order of its number. The shared rater's are told apart by address.
ANSWERS = f"""
    SELECT r.id, r.image_id, r.rater_id, CASE WHEN t.is_shared THEN r.address_hash ELSE '' END AS address_hash,
        {{value}}::float8 AS value, 'NaN'::float8 AS gold, 'NaN'::float8 AS gold_share
    FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
    WHERE r.dataset_id = %(dataset)s AND {{bounds}} AND r.{{task}} IS NOT NULL AND {IS_LOOKED_AT}
"""
GOLD = """
    SELECT r.id, r.image_id, r.rater_id, CASE WHEN r.is_shared THEN r.address_hash ELSE '' END,
        r.{task}::float8, r.known_{task}, r.{task}_share
    FROM ratings_controlanswer r
    WHERE r.dataset_id = %(dataset)s AND {bounds} AND r.{task} IS NOT NULL AND r.known_{task} IS NOT NULL
        AND r.kind = 'gold'
"""
# A rater, and the shared one's address, gets its number with the first answer; so does an image.
OPEN_IMAGES = """
    INSERT INTO ratings_imagescore (image_id, dataset_id, task, rating_count, counted_count, effective_count)
    SELECT DISTINCT a.image_id, %(dataset)s::uuid, %(task)s, 0, 0, 0 FROM ({answers}) a
    WHERE NOT EXISTS (SELECT 1 FROM ratings_imagescore s WHERE s.image_id = a.image_id AND s.task = %(task)s)
"""
OPEN_RATERS = """
    INSERT INTO ratings_raterscore (
        rater_id, address_hash, dataset_id, task, rating_count, numbers, is_silent, weight, bias, noise, p_honest,
        reliability, reliability_low, reliability_high, trust_log_e, ban_log_e, change, repeat_log_e, reason
    )
    SELECT DISTINCT a.rater_id, a.address_hash, %(dataset)s::uuid, %(task)s, 0, '{{}}'::float8[], false, 0, 0, 0, 0.5,
        0, 0, 1, 0, 0, 0, 0, ''
    FROM ({answers}) a
    WHERE NOT EXISTS (
        SELECT 1 FROM ratings_raterscore s WHERE s.rater_id = a.rater_id AND s.address_hash = a.address_hash
            AND s.dataset_id = %(dataset)s AND s.task = %(task)s
    )
"""
NUMBERED = """
    SELECT a.id, i.id, s.id, a.value, a.gold, coalesce(a.gold_share, 'NaN')
    FROM ({answers}) a
        JOIN ratings_imagescore i ON i.image_id = a.image_id AND i.task = %(task)s
        JOIN ratings_raterscore s ON s.rater_id = a.rater_id AND s.address_hash = a.address_hash
            AND s.dataset_id = %(dataset)s AND s.task = %(task)s
    ORDER BY a.id
"""
WITHDRAWN = f"""
    SELECT r.id, i.id, s.id, 0::float8, 'NaN'::float8, 'NaN'::float8
    FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
        JOIN ratings_imagescore i ON i.image_id = r.image_id AND i.task = %(task)s
        JOIN ratings_raterscore s ON s.rater_id = r.rater_id AND s.dataset_id = %(dataset)s AND s.task = %(task)s
            AND s.address_hash = CASE WHEN t.is_shared THEN r.address_hash ELSE '' END
    WHERE r.dataset_id = %(dataset)s AND {{bounds}} AND NOT ({IS_LOOKED_AT} AND r.{{task}} IS NOT NULL)
    ORDER BY r.id
"""
# What binary COPY writes for each row: the number of fields, and each of them behind its length.
RECORD = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name, kind in (
            ("id", ">i8"),
            ("image", ">i8"),
            ("rater", ">i8"),
            ("value", ">f8"),
            ("gold", ">f8"),
            ("gold_share", ">f8"),
        )
        for part in ((f"{name}_length", ">i4"), (name, kind))
    ]
)
HEADER_BYTES, TRAILER_BYTES = 19, 2


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers by columns, in the order of their numbers; ``gold`` is NaN where the answer votes."""

    ids: Ints
    image: Ints
    rater: Ints
    value: Floats
    gold: Floats
    gold_share: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The answers of a dataset with numbers in (after, up_to], or those in ``among``.

    ``is_first`` asks for what was said at first, which the tests look at; else it is what is said now.
    """

    dataset_id: uuid.UUID
    after: int = 0
    up_to: int = 0
    among: tuple[int, ...] | None = None
    has_controls: bool = True
    is_first: bool = False

    @property
    def bounds(self) -> str:
        return "r.id > %(after)s AND r.id <= %(up_to)s" if self.among is None else "r.id = ANY(%(among)s)"

    def params(self, task: Task) -> dict[str, Any]:
        known: dict[str, Any] = {"dataset": self.dataset_id, "task": task.value}
        if self.among is not None:
            return known | {"among": list(self.among)}
        return known | {"after": self.after, "up_to": self.up_to}

    def answers(self, task: Task) -> str:
        parts = (ANSWERS, GOLD) if self.has_controls else (ANSWERS,)
        value = (FIRST_VALUE if self.is_first else "r.{task}").format(task=task.value)
        return " UNION ALL ".join(parts).format(task=task.value, bounds=self.bounds, value=value)


def open_rows(stretch: Stretch, task: Task) -> None:
    """Give numbers to the images and raters of these answers that have none."""
    answers, params = stretch.answers(task), stretch.params(task)
    with connection.cursor() as cursor:
        cursor.execute(OPEN_IMAGES.format(answers=answers), params)
        cursor.execute(OPEN_RATERS.format(answers=answers), params)


def read_answers(stretch: Stretch, task: Task) -> Answers:
    """Return the answers that are looked at; their images and raters have numbers."""
    return _copy(NUMBERED.format(answers=stretch.answers(task)), stretch.params(task))


def read_withdrawn(stretch: Stretch, task: Task) -> Answers:
    """Return the answers among these that were looked at once and are no longer."""
    sql = WITHDRAWN.format(task=task.value, bounds=stretch.bounds)
    return _copy(sql, stretch.params(task))


def _copy(sql: str, params: dict[str, object]) -> Answers:
    connection.ensure_connection()
    statement = f"COPY ({sql}) TO STDOUT (FORMAT binary)"
    with (
        connection.wrap_database_errors,
        Cursor(connection.connection) as cursor,
        cursor.copy(statement, params) as copy,
    ):
        raw = b"".join(bytes(part) for part in copy)
    rows = np.frombuffer(raw[HEADER_BYTES:-TRAILER_BYTES], dtype=RECORD)
    ids, image, rater = (rows[name].astype(np.int64) for name in ("id", "image", "rater"))
    value, gold, gold_share = (rows[name].astype(np.float64) for name in ("value", "gold", "gold_share"))
    return Answers(ids, image, rater, value, gold, gold_share)
