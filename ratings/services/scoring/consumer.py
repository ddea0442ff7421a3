"""New answers become scores, in the order of their numbers and in small batches.

One transaction for each batch: the row of the dataset's cursor is locked, so there is one consumer for each dataset;
what was made of the answers is written; the cursor goes on. A consumer that dies has done nothing, and the next one
does the same again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from accounts.metrics import ANSWERS_TAKEN
from ratings.models import RaterScore, RatingChange, ScoreCursor, Task
from ratings.services.scoring import memory, rows, store
from ratings.services.scoring.alarms import note_waiting
from ratings.services.scoring.horizon import find_safe_horizon
from ratings.services.scoring.repeats import take_repeats
from ratings.services.scoring.standing import move_raters
from ratings.services.scoring.stopping import decide_images
from ratings.stats.levels import Ints
from ratings.stats.online import silence, update, withdraw
from ratings.stats.parameters import Policy
from ratings.stats.state import State

BATCH_SIZE = 5000
CHANGES_AT_ONCE = 5000
PATIENCE_SECONDS = 2.0

LAST_OF_BATCH = """
    SELECT max(id), count(*) FROM (
        SELECT id FROM (
            (SELECT id FROM ratings_rating WHERE dataset_id = %(dataset)s AND id > %(after)s AND id <= %(up_to)s
                ORDER BY id LIMIT %(size)s)
            UNION ALL
            (SELECT id FROM ratings_controlanswer WHERE dataset_id = %(dataset)s AND id > %(after)s AND id <= %(up_to)s
                ORDER BY id LIMIT %(size)s)
        ) both_kinds ORDER BY id LIMIT %(size)s
    ) batch
"""
TURNED = """
    SELECT s.id, t.state IN ('quarantined', 'voided')
    FROM ratings_raterscore s JOIN ratings_rater t ON t.id = s.rater_id
    WHERE s.dataset_id = %(dataset)s AND s.task = %(task)s
        AND s.is_silent <> (t.state IN ('quarantined', 'voided'))
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took: answers, and changes of answers taken before. ``is_all`` says that nothing is left.

    ``is_waiting`` says that a transaction that stores answers is open for too long, so that nothing could be taken.
    """

    answer_count: int = 0
    change_count: int = 0
    is_all: bool = True
    is_waiting: bool = False


def update_scores(
    *,
    dataset_id: uuid.UUID,
    policy: Policy,
    now: datetime,
    batch_size: int = BATCH_SIZE,
    patience: float = PATIENCE_SECONDS,
) -> Taken:
    """Take the next batch of a dataset's answers. When somebody else works on the dataset, take nothing."""
    horizon = find_safe_horizon(patience=patience)
    ScoreCursor.objects.get_or_create(dataset_id=dataset_id)
    if horizon is None:
        note_waiting(dataset_id=dataset_id, now=now)
        return Taken(is_waiting=True)
    try:
        with transaction.atomic():
            return _take_batch(dataset_id, horizon, policy, now, batch_size)
    except BaseException:
        memory.forget_states(dataset_id)
        raise


def _take_batch(dataset_id: uuid.UUID, horizon: int, policy: Policy, now: datetime, size: int) -> Taken:
    cursor = ScoreCursor.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=dataset_id).first()
    if cursor is None:
        return Taken()
    up_to, count = _last_of_batch(cursor, horizon, size)
    batch = _Batch(dataset_id, cursor, up_to)
    if not batch.has_work():
        if cursor.waited_count:
            ScoreCursor.objects.filter(pk=dataset_id).update(waited_count=0)
        return Taken()
    cursor.waited_count = 0
    with memory.borrow_states(cursor=cursor, policy=policy) as states:
        raters = [batch.apply(task, state, policy, now) for task, state in states.items()]
    cursor.rating_id = batch.up_to
    cursor.taken_count += count
    cursor.updated_at = now
    cursor.save(update_fields=["rating_id", "taken_count", "updated_at", "version", "waited_count"])
    RatingChange.objects.filter(pk__in=batch.change_ids).delete()
    decide_images(dataset_id=dataset_id, after=batch.after, up_to=batch.up_to, rating_ids=batch.changed, now=now)
    ANSWERS_TAKEN.inc(count)
    move_raters(score_ids=[pk for pks in raters for pk in pks], policy=policy, now=now)
    return Taken(count, len(batch.changed), is_all=count < size and len(batch.change_ids) < CHANGES_AT_ONCE)


def _last_of_batch(cursor: ScoreCursor, horizon: int, size: int) -> tuple[int, int]:
    with connection.cursor() as db:
        params: dict[str, Any] = {
            "dataset": cursor.dataset_id,
            "after": cursor.rating_id,
            "up_to": horizon,
            "size": size,
        }
        db.execute(LAST_OF_BATCH, params)
        last, count = db.fetchone()
    return last or cursor.rating_id, count


class _Batch:
    """The answers after the cursor up to a number, and what changed of those before it."""

    def __init__(self, dataset_id: uuid.UUID, cursor: ScoreCursor, up_to: int) -> None:
        self.dataset_id = dataset_id
        self.after = cursor.rating_id
        self.up_to = up_to
        changes = RatingChange.objects.filter(dataset=dataset_id, rating_id__lte=up_to).order_by("id")
        pairs = list(changes.values_list("id", "rating_id")[:CHANGES_AT_ONCE])
        self.change_ids = [pk for pk, _ in pairs]
        self.changed = sorted({rating_id for _, rating_id in pairs})

    def has_work(self) -> bool:
        return self.up_to > self.after or bool(self.change_ids) or any(self._turned(task) for task in rows.TASKS)

    def apply(self, task: Task, state: State, policy: Policy, now: datetime) -> list[int]:
        """Bring one task's state up to date and write it down; return the numbers of the raters it changed."""
        images, raters = self._take(task, state)
        self._change(task, state, images, raters)
        for is_silent, group in self._turned(task).items():
            changes = silence(state, np.array(group, dtype=np.int64), is_silent=is_silent)
            images.append(changes.images)
            raters.append(changes.raters)
            RaterScore.objects.filter(pk__in=group).update(is_silent=is_silent)
        image_indexes, rater_indexes = _joined(images), _joined(raters)
        store.save_images(state=state, indexes=image_indexes, now=now)
        store.save_raters(state=state, indexes=rater_indexes, policy=policy, now=now)
        return [int(pk) for pk in state.raters.ids[rater_indexes]]

    def _take(self, task: Task, state: State) -> tuple[list[Ints], list[Ints]]:
        if self.up_to == self.after:
            return [], []
        stretch = rows.Stretch(self.dataset_id, self.after, self.up_to, is_first=True)
        rows.open_rows(stretch, task)
        answers = rows.read_answers(stretch, task)
        changes = update(state, memory.as_batch(answers))
        take_repeats(stretch, task, state)
        return [changes.images], [changes.raters]

    def _change(self, task: Task, state: State, images: list[Ints], raters: list[Ints]) -> None:
        """Take what changed since it was taken: a new value, out of the count, or back into it."""
        if not self.changed:
            return
        stretch = rows.Stretch(self.dataset_id, among=tuple(self.changed))
        rows.open_rows(stretch, task)
        answers, gone = rows.read_answers(stretch, task), rows.read_withdrawn(stretch, task)
        for changes in (withdraw(state, image=gone.image, rater=gone.rater), update(state, memory.as_batch(answers))):
            images.append(changes.images)
            raters.append(changes.raters)
        # A process that has just read the rows anew finds nothing to withdraw, and what is stored is of before.
        images.append(state.place_images(np.union1d(answers.image, gone.image)))
        raters.append(state.place_raters(np.union1d(answers.rater, gone.rater)))

    def _turned(self, task: Task) -> dict[bool, list[int]]:
        """Return the numbers of raters who went into quarantine or came out of it since they were looked at."""
        groups: dict[bool, list[int]] = {}
        with connection.cursor() as cursor:
            cursor.execute(TURNED, {"dataset": self.dataset_id, "task": task.value})
            for pk, is_silent in cursor.fetchall():
                groups.setdefault(is_silent, []).append(pk)
        return groups


def _joined(indexes: list[Ints]) -> Ints:
    return np.unique(np.concatenate([np.asarray(part, dtype=np.int64) for part in indexes] or [np.zeros(0, np.int64)]))
