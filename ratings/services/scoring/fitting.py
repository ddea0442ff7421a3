"""The fit from scratch: nightly, and the word of it counts. Updates between two fits start from what it found.

It reads every row anew, so that whatever an update missed or rounded is put right; where the two differ by more than
they should, a person is told.
"""

import uuid
from datetime import datetime

import numpy as np
from django.db import transaction

from ratings.models import QualityAlarm, ScoreCursor, Task, TaskParameters
from ratings.services.scoring import memory, store
from ratings.services.scoring.alarms import alarm_of_drift
from ratings.services.scoring.standing import move_raters
from ratings.stats.nightly import Drift, calibrate
from ratings.stats.parameters import START_RATINGS, Policy
from ratings.stats.state import State

# Answers for each image, on average, from which its rank is more than the bias of who happened to see it.
LEAST_EACH = 2


def is_fit_due(*, dataset_id: uuid.UUID) -> bool:
    """Return whether a dataset has its first ratings by now, or twice as many as at its last fit."""
    cursor = ScoreCursor.objects.filter(pk=dataset_id).first()
    if cursor is None:
        return False
    return cursor.taken_count >= max(START_RATINGS, 2 * cursor.fitted_count)


def recompute_scores(*, dataset_id: uuid.UUID, policy: Policy, now: datetime) -> list[QualityAlarm]:
    """Fit a dataset from scratch and write down everything; return the alarms that it raised.

    The dataset's consumer waits meanwhile, and goes on from what the fit found.
    """
    ScoreCursor.objects.get_or_create(dataset_id=dataset_id)
    memory.forget_states(dataset_id)
    try:
        with transaction.atomic():
            return _fit(ScoreCursor.objects.select_for_update(no_key=True).get(pk=dataset_id), policy, now)
    except BaseException:
        memory.forget_states(dataset_id)
        raise


def _fit(cursor: ScoreCursor, policy: Policy, now: datetime) -> list[QualityAlarm]:
    memory.forget_states(cursor.dataset_id)
    alarms, raters = [], []
    with memory.borrow_states(cursor=cursor, policy=policy) as states:
        for task, state in states.items():
            if not state.rows.size:
                continue
            _fit_found, drift = calibrate(state)
            _save(cursor, task, state, drift, policy, now)
            raters += [int(pk) for pk in state.raters.ids[: state.raters.size]]
            if not _should_agree(cursor, state):
                continue
            if alarm := alarm_of_drift(dataset_id=cursor.dataset_id, task=task, drift=drift, now=now):
                alarms.append(alarm)
    cursor.fitted_at = now
    cursor.fitted_count = cursor.taken_count
    cursor.save(update_fields=["fitted_at", "fitted_count", "version"])
    move_raters(score_ids=raters, policy=policy, now=now)
    return QualityAlarm.objects.bulk_create(alarms)


def _should_agree(cursor: ScoreCursor, state: State) -> bool:
    """Return whether updates are expected to agree with the fit.

    As long as most answers are new, or images have hardly more than one, ranks move with all that a fit learns of the
    raters, and nothing is wrong.
    """
    is_young = cursor.taken_count >= 2 * cursor.fitted_count
    return not is_young and state.rows.size >= LEAST_EACH * state.images.size


def _save(cursor: ScoreCursor, task: Task, state: State, drift: Drift, policy: Policy, now: datetime) -> None:
    store.save_images(state=state, indexes=np.arange(state.images.size), now=now)
    store.save_raters(state=state, indexes=np.arange(state.raters.size), policy=policy, now=now)
    TaskParameters.objects.update_or_create(
        dataset_id=cursor.dataset_id,
        task=task,
        defaults={
            "values": state.parameters.as_dict(),
            "agreement": {"rank_correlation": _number(drift.correlation), "least": drift.least},
            "fitted_at": now,
        },
    )


def _number(value: float) -> float | None:
    """Return what JSON can hold."""
    return float(value) if np.isfinite(value) else None
