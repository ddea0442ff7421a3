"""Raters taken out of the count and let back in, whole and reversibly; and raters whom a moderator vouches for.

The state of the rater and the state of their ratings are changed in one transaction. A rating that came in while that
transaction was waiting for its locks may have seen the state before, so what was missed is brought into line right
after it; `submit_rating` does the same for a rating that was stored just after it.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from accounts.models import User
from ratings.models import OUT_OF_COUNT, ActionKind, ModerationAction, Rater
from ratings.queries.raters import NoSuchRater
from ratings.services.counters import lock_ratings, move_counters

OF_RATER = "r.rater_id = %(rater)s AND r.state = %(state)s"
LOCK_RATER = "SELECT state IN ('quarantined', 'voided') FROM ratings_rater WHERE id = %s FOR NO KEY UPDATE"
BEGIN = """
    UPDATE ratings_rater SET state = 'quarantined', state_before = state
    WHERE id = %s AND state NOT IN ('quarantined', 'voided')
"""
END = """
    UPDATE ratings_rater SET state_before = '', state = CASE
        WHEN state_before <> '' THEN state_before WHEN is_trusted THEN 'trusted' ELSE 'new' END
    WHERE id = %s AND state IN ('quarantined', 'voided')
"""
MOVE_RATINGS = "UPDATE ratings_rating r SET state = %s FROM moderated m WHERE m.id = r.id"


class RaterIsShared(Exception):
    """Many people answer under the shared anonymous key, and none of them can be dealt with by it."""


def quarantine_rater(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Stop counting what a rater gave and gives; return the action, which names how many ratings changed.

    Images and counters follow, and images that are now below their target are handed out again. What is settled stays
    settled; what is pending waits. Raises NoSuchRater or RaterIsShared.
    """
    return _change(rater_id, BEGIN, ActionKind.QUARANTINE_RATER, by, reason, now)


def end_quarantine(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Count again what a rater gave and gives; return the action. Raises NoSuchRater or RaterIsShared."""
    return _change(rater_id, END, ActionKind.END_QUARANTINE, by, reason, now)


def validate_rater(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Vouch for a rater: ratings given from now on say so. Raises NoSuchRater or RaterIsShared."""
    return _set_trusted(rater_id, ActionKind.VALIDATE_RATER, by, reason, now, is_trusted=True)


def end_validation(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Vouch for a rater no longer. Raises NoSuchRater or RaterIsShared."""
    return _set_trusted(rater_id, ActionKind.END_VALIDATION, by, reason, now, is_trusted=False)


def modify_rater(
    *, rater_id: int, is_validated: bool | None, is_flagged: bool | None, by: User, reason: str, now: datetime
) -> list[ModerationAction]:
    """Do what old clients ask for in one request; None leaves as it is. Raises NoSuchRater or RaterIsShared."""
    decisions = []
    if is_validated is not None:
        decisions.append(validate_rater if is_validated else end_validation)
    if is_flagged is not None:
        decisions.append(quarantine_rater if is_flagged else end_quarantine)
    return [decide(rater_id=rater_id, by=by, reason=reason, now=now) for decide in decisions]


def align_ratings(*, rater_id: int) -> int:
    """Bring the ratings of a rater into line with the rater's state; return how many were not."""
    with transaction.atomic(), connection.cursor() as cursor:
        is_out = Rater.objects.filter(pk=rater_id, state__in=OUT_OF_COUNT).exists()
        lock_ratings(cursor, condition=OF_RATER, params=_not_in_line(rater_id, is_out=is_out))
        cursor.execute(LOCK_RATER, [rater_id])
        if cursor.fetchone() != (is_out,):
            return 0  # Somebody decided otherwise meanwhile, and brings the ratings into line with that.
        return _move(cursor, is_out=is_out)


def _change(rater_id: int, statement: str, kind: ActionKind, by: User, reason: str, now: datetime) -> ModerationAction:
    _check_rater(rater_id)
    is_out = kind == ActionKind.QUARANTINE_RATER
    with transaction.atomic(), connection.cursor() as cursor:
        lock_ratings(cursor, condition=OF_RATER, params=_not_in_line(rater_id, is_out=is_out))
        cursor.execute(statement, [rater_id])
        action = _record(kind, rater_id, _move(cursor, is_out=is_out), by, reason, now)
    # Ends soon: whoever begins to store a rating after the commit above knows the rater's new state.
    while missed := align_ratings(rater_id=rater_id):
        ModerationAction.objects.filter(pk=action.pk).update(affected_count=F("affected_count") + missed)
        action.affected_count += missed
    return action


def _not_in_line(rater_id: int, *, is_out: bool) -> dict[str, object]:
    return {"rater": rater_id, "state": "counted" if is_out else "quarantined"}


def _move(cursor: CursorWrapper, *, is_out: bool) -> int:
    """Move the locked ratings out of the count or into it; return how many."""
    move_counters(cursor, sign=-1 if is_out else 1)
    cursor.execute(MOVE_RATINGS, ["quarantined" if is_out else "counted"])
    count: int = cursor.rowcount
    return count


def _set_trusted(
    rater_id: int, kind: ActionKind, by: User, reason: str, now: datetime, *, is_trusted: bool
) -> ModerationAction:
    _check_rater(rater_id)
    with transaction.atomic():
        rows = Rater.objects.filter(pk=rater_id, is_trusted=not is_trusted)
        return _record(kind, rater_id, rows.update(is_trusted=is_trusted), by, reason, now)


def _check_rater(rater_id: int) -> None:
    is_shared = Rater.objects.filter(pk=rater_id).values_list("is_shared", flat=True).first()
    if is_shared is None:
        raise NoSuchRater("There is no such rater.")
    if is_shared:
        raise RaterIsShared("Everybody without a key answers as anonymous#0. Void the ratings in question instead.")


def _record(kind: ActionKind, rater_id: int, count: int, by: User, reason: str, now: datetime) -> ModerationAction:
    return ModerationAction.objects.create(
        kind=kind, taken_at=now, taken_by=by, target=f"rater {rater_id}", affected_count=count, reason=reason
    )
