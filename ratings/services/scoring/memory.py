"""The state of the mathematics for a dataset: kept in this process while it is up to date, else read from the rows.

A process keeps what it has worked on, and ``version`` of the cursor says whether anybody has gone on since. Whoever
changes a state has it only until the transaction ends: when that fails, the state is thrown away with it.
"""

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ratings.models import ScoreCursor, Task
from ratings.services.scoring import rows, store
from ratings.stats.levels import Levels
from ratings.stats.nightly import restore
from ratings.stats.online import silence
from ratings.stats.parameters import Parameters, Policy
from ratings.stats.state import Batch, State

LEVELS = {Task.AESTHETIC: Levels(1, 10), Task.ARTIFACTS: Levels(0, 5)}
KEPT_DATASETS = 4


@dataclass(slots=True)
class _Kept:
    version: uuid.UUID
    states: dict[Task, State]


_kept: OrderedDict[uuid.UUID, _Kept] = OrderedDict()


@contextmanager
def borrow_states(*, cursor: ScoreCursor, policy: Policy) -> Iterator[dict[Task, State]]:
    """Yield the states as of the cursor, which the caller has locked, to be changed.

    Leaving sets a new version on the cursor, which the caller saves in the same transaction.
    """
    kept = _kept.pop(cursor.dataset_id, None)
    if kept is not None and kept.version == cursor.version:
        states = kept.states
    else:
        states = {task: restore_state(cursor=cursor, task=task, policy=policy) for task in rows.TASKS}
    yield states
    cursor.version = uuid.uuid4()
    _kept[cursor.dataset_id] = _Kept(cursor.version, states)
    while len(_kept) > KEPT_DATASETS:
        _kept.popitem(last=False)


def forget_states(dataset_id: uuid.UUID) -> None:
    """Throw away what is kept of a dataset: what was made of it was not committed."""
    _kept.pop(dataset_id, None)


def restore_state(*, cursor: ScoreCursor, task: Task, policy: Policy) -> State:
    """Return the state of a dataset as its rows tell it."""
    answers = rows.read_answers(rows.Stretch(cursor.dataset_id, 0, cursor.rating_id, has_controls=False), task)
    rater_ids, columns = store.load_raters(dataset_id=cursor.dataset_id, task=task)
    levels = LEVELS[task]
    state = restore(
        levels,
        parameters=store.load_parameters(dataset_id=cursor.dataset_id, task=task) or Parameters.start(levels),
        policy=policy,
        rater_ids=rater_ids,
        rater_columns=columns,
        batch=as_batch(answers),
    )
    silence(state, store.silent_raters(dataset_id=cursor.dataset_id, task=task), is_silent=True)
    return state


def as_batch(answers: rows.Answers) -> Batch:
    """Return answers as the mathematics takes them."""
    return Batch(
        image=answers.image,
        rater=answers.rater,
        value=answers.value,
        gold=answers.gold,
        gold_share=answers.gold_share,
    )
