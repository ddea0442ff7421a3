"""Who is in quarantine can say that it is wrong: eight images that they rated before decide, or a person does.

1. `open_appeal`: from then on the images that the rater is given are repeats, until there are enough.
2. `decide_appeals`: who agrees with themself has a taste of their own. The quarantine ends by rule, and the engine does
   not begin it anew; a low weight in the scores stays where the answers are like nobody else's.
3. Whoever does not is no nearer to being trusted, and no further: a person looks at them. So it is for whoever asks
   for a person at once, and for whoever has rated too little to be asked anything twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.services import ensure_engine_user
from ratings.models import OUT_OF_COUNT, Appeal, AppealState, Rater
from ratings.queries.raters import find_raters_of_person
from ratings.queries.silence import find_notice
from ratings.services.quarantine import end_quarantine
from ratings.stats.controls import ControlPolicy
from ratings.stats.repeats import repeat_log_e

MAX_WORDS = 1000
# Each repeat with the mean and variance of what the rater said in that dataset.
REPEATS = """
    SELECT c.{task}, c.known_{task}, own.mean, own.variance
    FROM ratings_controlanswer c CROSS JOIN LATERAL (
        SELECT avg(r.{task})::float8 AS mean, coalesce(var_samp(r.{task}), 0)::float8 AS variance
        FROM ratings_rating r WHERE r.rater_id = c.rater_id AND r.dataset_id = c.dataset_id
    ) own
    WHERE c.rater_id = %s AND c.kind = 'repeat' AND c.created_at >= %s
        AND c.{task} IS NOT NULL AND c.known_{task} IS NOT NULL
    ORDER BY c.id LIMIT %s
"""
COUNT_REPEATS = """
    SELECT count(*) FROM ratings_controlanswer WHERE rater_id = %s AND kind = 'repeat' AND created_at >= %s
"""


class NothingToAppeal(Exception):
    """The person's ratings count, as far as they have been told."""


class AppealedAlready(Exception):
    """An appeal of the person is under way, or a person decides about it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one round decided."""

    passed: int = 0
    to_person: int = 0


def open_appeal(*, user: User, words: str, wants_person: bool, today: datetime, now: datetime) -> Appeal:
    """Open an appeal of the user, who was told of the quarantine. Raises NothingToAppeal or AppealedAlready.

    It is about the person's identity that has rated most: repeats are asked of what was rated under it.
    """
    raters = list(Rater.objects.filter(identity__user=user, is_shared=False).order_by("-rating_count", "id"))
    if find_notice(raters, today=today) is None:
        raise NothingToAppeal("Your ratings count; there is nothing to appeal against.")
    state = AppealState.TO_PERSON if wants_person else AppealState.OPEN
    if Appeal.objects.filter(rater__in=raters, state__in=[AppealState.OPEN, AppealState.TO_PERSON]).exists():
        raise AppealedAlready("Your appeal is under way.")
    try:
        with transaction.atomic():
            return Appeal.objects.create(rater=raters[0], state=state, words=words[:MAX_WORDS], opened_at=now)
    except IntegrityError as error:
        raise AppealedAlready("Your appeal is under way.") from error


def decide_appeals(*, policy: ControlPolicy, now: datetime) -> Decided:
    """Decide the appeals that have their repeats, and close those of raters who count again for another reason."""
    closed = Appeal.objects.filter(state__in=[AppealState.OPEN, AppealState.TO_PERSON])
    closed.exclude(rater__state__in=OUT_OF_COUNT).update(state=AppealState.CLOSED, decided_at=now)
    passed = to_person = 0
    for appeal in Appeal.objects.filter(state=AppealState.OPEN).order_by("id"):
        count, log_e = weigh_repeats(appeal, policy)
        Appeal.objects.filter(pk=appeal.pk).update(repeat_count=count, log_e=log_e)
        if count < policy.appeal_repeats:
            continue
        if log_e >= np.log(policy.appeal_at):
            _pass(appeal, count, log_e, now)
            passed += 1
        else:
            Appeal.objects.filter(pk=appeal.pk, state=AppealState.OPEN).update(state=AppealState.TO_PERSON)
            to_person += 1
    return Decided(passed, to_person)


def weigh_repeats(appeal: Appeal, policy: ControlPolicy) -> tuple[int, float]:
    """Return how many repeats were answered since an appeal was opened, and the logarithm of their e-value.

    Over both questions it is the mean, which is an e-value whatever the two have to do with each other.
    """
    since: list[Any] = [appeal.rater_id, appeal.opened_at]
    with connection.cursor() as cursor:
        cursor.execute(COUNT_REPEATS, since)
        count = int(cursor.fetchone()[0])
        found = []
        for task in ("aesthetic", "artifacts"):
            cursor.execute(REPEATS.format(task=task), [*since, int(policy.appeal_repeats)])
            if rows := cursor.fetchall():
                second, first, mean, variance = np.array(rows, dtype=np.float64).T
                found.append(float(repeat_log_e(first, second, mean=mean, variance=variance).sum()))
    return count, float(np.log(np.mean(np.exp(found)))) if found else 0.0


def _pass(appeal: Appeal, count: int, log_e: float, now: datetime) -> None:
    reason = f"Appeal: over {count} repeats they agree with themself; e-value {np.exp(log_e):,.0f}."
    with transaction.atomic():
        moved = Appeal.objects.filter(pk=appeal.pk, state=AppealState.OPEN)
        if not moved.update(state=AppealState.PASSED, decided_at=now):
            return
        Rater.objects.filter(pk__in=find_raters_of_person(appeal.rater_id)).update(has_own_taste=True)
    end_quarantine(rater_id=appeal.rater_id, by=ensure_engine_user(), reason=reason, now=now)
