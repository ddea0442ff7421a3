"""After the last answer: wait until the service has done with all of them what it does, by its own worker."""

import time

from django.db import connection
from django.db.models import Max

from ratings.models import Rating, RatingChange, ScoreCursor
from ratings.services.scoring.standing import due_quarantines
from ratings.tasks import current_policy, recompute_scores_task, settle_rewards_task

PATIENCE_SECONDS = 180
OWED = """
    SELECT count(*) FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
    WHERE r.settlement_id IS NULL AND r.reward > 0 AND r.state = 'counted' AND t.state IN ('calibrated', 'trusted')
"""


def finish(dataset_id):
    """Wait for scores, fit everything from scratch as at night, and wait for quarantines and rewards."""
    wait_until(lambda: _is_scored(dataset_id), "the worker has scored every answer")
    # Here and now, so that it is known when it has ended; the worker notices that somebody else went on.
    recompute_scores_task()
    wait_until(
        lambda: _is_scored(dataset_id) and not due_quarantines(policy=current_policy()), "quarantines are carried out"
    )
    wait_until(_is_settled, "rewards are settled", every=3.0)


def _is_scored(dataset_id):
    last = Rating.objects.filter(dataset=dataset_id).aggregate(last=Max("id"))["last"] or 0
    is_there = ScoreCursor.objects.filter(pk=dataset_id, rating_id__gte=last).exists()
    return is_there and not RatingChange.objects.filter(dataset=dataset_id).exists()


def _is_settled():
    with connection.cursor() as cursor:
        cursor.execute(OWED)
        [owed] = cursor.fetchone()
    if owed:
        settle_rewards_task.delay()
    return not owed


def wait_until(condition, what, *, every=0.25):
    """Wait for a condition. Raises SystemExit when it does not come true in three minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {PATIENCE_SECONDS} s in vain until {what}.")
        time.sleep(every)
