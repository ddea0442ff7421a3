"""What about the scores a person has to look at: a row that stays, an error in the log, a figure that is watched."""

import uuid
from datetime import datetime

import structlog
from django.db.models import F

from accounts.metrics import QUALITY_ALARMS
from ratings.models import QualityAlarm, ScoreCursor, Task
from ratings.stats.nightly import Drift

log = structlog.get_logger(__name__)

# Runs in vain, one after the other, after which a transaction that is open is no busy minute any more.
MOST_WAITING = 10


def alarm_of_drift(*, dataset_id: uuid.UUID, task: Task, drift: Drift, now: datetime) -> QualityAlarm | None:
    """Return an alarm, not stored yet, where updates and the fit from scratch differ by more than they should."""
    if not drift.is_alarming:
        return None
    QUALITY_ALARMS.labels("drift").inc()
    message = (
        f"Updates and the fit from scratch rank the images differently: rank correlation "
        f"{drift.correlation:.4f}, and {drift.least} is the least that is normal."
    )
    log.error("quality_drift", dataset_id=str(dataset_id), task=task.value, correlation=drift.correlation)
    return QualityAlarm(
        dataset_id=dataset_id, task=task, kind="drift", message=message, value=drift.correlation, raised_at=now
    )


def note_waiting(*, dataset_id: uuid.UUID, now: datetime) -> None:
    """Count a run that waited in vain for those who store answers; the tenth in a row raises an alarm, once."""
    ScoreCursor.objects.filter(pk=dataset_id).update(waited_count=F("waited_count") + 1)
    count = ScoreCursor.objects.values_list("waited_count", flat=True).get(pk=dataset_id)
    if count != MOST_WAITING:
        return
    QUALITY_ALARMS.labels("waiting").inc()
    log.error("quality_waiting", dataset_id=str(dataset_id), runs=count)
    message = (
        f"Scores stand still: {count} runs in a row waited in vain for a transaction that stores ratings and does not "
        "end. PostgreSQL's pg_stat_activity names it."
    )
    QualityAlarm.objects.create(dataset_id=dataset_id, kind="waiting", message=message, value=count, raised_at=now)
