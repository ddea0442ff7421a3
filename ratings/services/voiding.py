"""Ratings stop counting, and count again: their images, raters and kudos follow."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from ratings.models import ActionKind, ModerationAction
from ratings.services.counters import VOIDABLE, WAS_COUNTED, lock_ratings, move_counters, note_changes
from ratings.services.superseding import supersede_repeats
from ratings.services.taking_back import RATINGS, give_back, read_settled, take_back

RESTORABLE = ["voided", "held"]

NAMED = "r.id = ANY(%(ids)s) AND r.state = ANY(%(states)s)"
WILL_COUNT = """
    WHERE rater_id NOT IN (SELECT id FROM ratings_rater WHERE state IN ('quarantined', 'voided'))
"""


def void_ratings(*, rating_ids: Sequence[int], by: User, reason: str, now: datetime) -> ModerationAction:
    """Stop counting ratings, and take their rewards back; return the action that is on record.

    An unsettled reward is dropped with the rating. Of a settled one, the balance pays what it holds and
    the loss account bears the rest, so that voiding never fails. Ratings that are void already are left.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        action = _begin(cursor, ActionKind.VOID_RATINGS, rating_ids, VOIDABLE, by, reason, now)
        move_counters(cursor, sign=-1, which=WAS_COUNTED)
        debits = take_back(action, read_settled(cursor, "moderated"), RATINGS, now)
        cursor.execute(
            """
            UPDATE ratings_rating r SET state = 'voided', moderation_action_id = %s, void_debit = d.debit
            FROM moderated m LEFT JOIN unnest(%s::bigint[], %s::int[]) d (id, debit) ON d.id = m.id
            WHERE r.id = m.id
            """,
            [action.pk, list(debits), list(debits.values())],
        )
        note_changes(cursor)
    return action


def restore_ratings(*, rating_ids: Sequence[int], by: User, reason: str, now: datetime) -> ModerationAction:
    """Count voided or held ratings again, and return exactly what voiding took.

    Ratings of a rater in quarantine go back to quarantine, where they count for nothing. Where a linked person has
    another rating of the image by now, the first of them counts; that is a transaction of its own, because it locks
    ratings that this one does not know of. Should it be lost, linking again or the nightly check finds it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        action = _begin(cursor, ActionKind.RESTORE_RATINGS, rating_ids, RESTORABLE, by, reason, now)
        move_counters(cursor, sign=1, which=WILL_COUNT)
        give_back(action, read_settled(cursor, "moderated"), RATINGS, now)
        cursor.execute(
            """
            UPDATE ratings_rating r SET moderation_action_id = %s, void_debit = NULL,
                state = CASE WHEN t.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END
            FROM moderated m JOIN ratings_rater t ON t.id = m.rater_id WHERE r.id = m.id
            """,
            [action.pk],
        )
        note_changes(cursor)
    supersede_repeats(rating_ids=rating_ids)
    return action


def _begin(
    cursor: CursorWrapper,
    kind: ActionKind,
    rating_ids: Sequence[int],
    states: list[str],
    by: User,
    reason: str,
    now: datetime,
) -> ModerationAction:
    affected_count = lock_ratings(cursor, condition=NAMED, params={"ids": list(rating_ids), "states": states})
    return ModerationAction.objects.create(
        kind=kind,
        taken_at=now,
        taken_by=by,
        target=RATINGS.count(affected_count),
        affected_count=affected_count,
        reason=reason,
    )
