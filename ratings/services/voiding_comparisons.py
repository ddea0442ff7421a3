"""Comparisons stop counting, and count again, as ratings do: `ratings.services.voiding`."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from ratings.models import ActionKind, ModerationAction
from ratings.services.comparison_states import lock_comparisons, supersede_repeated_comparisons
from ratings.services.counters import VOIDABLE
from ratings.services.taking_back import COMPARISONS, give_back, read_settled, take_back
from ratings.services.voiding import RESTORABLE

NAMED = "c.id = ANY(%(ids)s) AND c.state = ANY(%(states)s)"
MODERATED = "moderated_comparisons"
# A decision about a rater waits for these, or is seen here.
LOCK_RATERS = f"""
    SELECT 1 FROM ratings_rater WHERE id IN (SELECT rater_id FROM {MODERATED}) ORDER BY id FOR NO KEY UPDATE
"""
VOID = f"""
    UPDATE ratings_comparison c SET state = 'voided', moderation_action_id = %s, void_debit = d.debit
    FROM {MODERATED} m LEFT JOIN unnest(%s::bigint[], %s::int[]) d (id, debit) ON d.id = m.id
    WHERE c.id = m.id
"""
RESTORE = f"""
    UPDATE ratings_comparison c SET moderation_action_id = %s, void_debit = NULL,
        state = CASE WHEN t.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END
    FROM {MODERATED} m JOIN ratings_rater t ON t.id = m.rater_id WHERE c.id = m.id
"""


def void_comparisons(*, comparison_ids: Sequence[int], by: User, reason: str, now: datetime) -> ModerationAction:
    """Stop counting comparisons, and take their rewards back; return the action that is on record."""
    with transaction.atomic(), connection.cursor() as cursor:
        action = _begin(cursor, ActionKind.VOID_COMPARISONS, comparison_ids, VOIDABLE, by, reason, now)
        debits = take_back(action, read_settled(cursor, MODERATED), COMPARISONS, now)
        cursor.execute(VOID, [action.pk, list(debits), list(debits.values())])
    return action


def restore_comparisons(*, comparison_ids: Sequence[int], by: User, reason: str, now: datetime) -> ModerationAction:
    """Count voided or held comparisons again, and return exactly what voiding took.

    Those of a rater in quarantine go back to quarantine. Of two of one set by a linked person, the first counts.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        action = _begin(cursor, ActionKind.RESTORE_COMPARISONS, comparison_ids, RESTORABLE, by, reason, now)
        give_back(action, read_settled(cursor, MODERATED), COMPARISONS, now)
        cursor.execute(RESTORE, [action.pk])
    supersede_repeated_comparisons(comparison_ids=comparison_ids)
    return action


def _begin(
    cursor: CursorWrapper,
    kind: ActionKind,
    comparison_ids: Sequence[int],
    states: list[str],
    by: User,
    reason: str,
    now: datetime,
) -> ModerationAction:
    params = {"ids": list(comparison_ids), "states": states}
    affected_count = lock_comparisons(cursor, condition=NAMED, params=params)
    cursor.execute(LOCK_RATERS)
    return ModerationAction.objects.create(
        kind=kind,
        taken_at=now,
        taken_by=by,
        target=COMPARISONS.count(affected_count),
        affected_count=affected_count,
        reason=reason,
    )
