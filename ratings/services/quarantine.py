"""Raters taken out of the count and let back in, whole and reversibly; and raters whom a moderator vouches for.

A person goes whole: all raters of linked identities together, or the one that was left would go on counting and being
paid; and with their ratings go their comparisons. The state of the raters and the state of what they gave are changed
in one transaction. What came in while that transaction was waiting for its locks may have seen the state before, so
what was missed is brought into line right after it; `submit_rating` and `submit_comparison` do the same for what was
stored just after it.

A decision that changes nothing, as flagging somebody twice, is not put on record: its action has no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from accounts.models import User
from ratings.models import OUT_OF_COUNT, ActionKind, ModerationAction, Rater, RaterTransition
from ratings.queries.evidence import read_evidence
from ratings.queries.raters import NoSuchRater, find_raters_of_person
from ratings.services.comparison_states import lock_comparisons, move_comparisons
from ratings.services.control import move_controls
from ratings.services.counters import lock_ratings, move_counters

OF_RATERS = "r.rater_id = ANY(%(raters)s) AND r.state = %(state)s"
COMPARED_BY_RATERS = "c.rater_id = ANY(%(raters)s) AND c.state = %(state)s"
LOCK_RATER = "SELECT state IN ('quarantined', 'voided') FROM ratings_rater WHERE id = %s FOR NO KEY UPDATE"
# Each returns the steps it took, (rater, from, to), for the history.
BEGIN = """
    UPDATE ratings_rater SET state = 'quarantined', state_before = state
    WHERE id = ANY(%s) AND state NOT IN ('quarantined', 'voided') RETURNING id, state_before, state
"""
END = """
    UPDATE ratings_rater t SET state_before = '', state = CASE
        WHEN t.state_before <> '' THEN t.state_before WHEN t.is_trusted THEN 'trusted' ELSE 'new' END
    FROM (SELECT id, state FROM ratings_rater WHERE id = ANY(%s) AND state IN ('quarantined', 'voided')) before
    WHERE t.id = before.id RETURNING t.id, before.state, t.state
"""
CHANGES = {ActionKind.QUARANTINE_RATER: BEGIN, ActionKind.END_QUARANTINE: END}
MOVE_RATINGS = "UPDATE ratings_rating r SET state = %s FROM moderated m WHERE m.id = r.id"


class RaterIsShared(Exception):
    """Many people answer under the shared anonymous key, and none of them can be dealt with by it."""


class _PersonChanged(Exception):
    """Somebody was linked or unlinked between the look at who belongs to the person and the locks."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """Who decides what about which rater, when and why."""

    rater_id: int
    kinds: Sequence[ActionKind]
    by: User
    reason: str
    now: datetime

    @property
    def change(self) -> ActionKind | None:
        """The kind among them that changes what counts, if any."""
        return next((kind for kind in self.kinds if kind in CHANGES), None)


def quarantine_rater(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Stop counting what a person gave and gives; return the action, which names how many answers changed.

    Images and counters follow, and images that are now below their target are handed out again. What is settled stays
    settled; what is pending waits. Raises NoSuchRater or RaterIsShared.
    """
    [action] = _decide(_Decision(rater_id, [ActionKind.QUARANTINE_RATER], by, reason, now))
    return action


def end_quarantine(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Count again what a person gave and gives; return the action. Raises NoSuchRater or RaterIsShared."""
    [action] = _decide(_Decision(rater_id, [ActionKind.END_QUARANTINE], by, reason, now))
    return action


def validate_rater(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Vouch for a rater: ratings given from now on say so. Raises NoSuchRater or RaterIsShared."""
    [action] = _decide(_Decision(rater_id, [ActionKind.VALIDATE_RATER], by, reason, now))
    return action


def end_validation(*, rater_id: int, by: User, reason: str, now: datetime) -> ModerationAction:
    """Vouch for a rater no longer. Raises NoSuchRater or RaterIsShared."""
    [action] = _decide(_Decision(rater_id, [ActionKind.END_VALIDATION], by, reason, now))
    return action


def modify_rater(
    *, rater_id: int, is_validated: bool | None, is_flagged: bool | None, by: User, reason: str, now: datetime
) -> list[ModerationAction]:
    """Do what old clients ask for in one request, all or nothing; None leaves as it is.

    Raises NoSuchRater or RaterIsShared.
    """
    kinds = []
    if is_validated is not None:
        kinds.append(ActionKind.VALIDATE_RATER if is_validated else ActionKind.END_VALIDATION)
    if is_flagged is not None:
        kinds.append(ActionKind.QUARANTINE_RATER if is_flagged else ActionKind.END_QUARANTINE)
    return _decide(_Decision(rater_id, kinds, by, reason, now))


def align_ratings(*, rater_id: int) -> int:
    """Bring ratings and comparisons of a rater into line with the rater's state; return how many were not."""
    with transaction.atomic(), connection.cursor() as cursor:
        is_out = Rater.objects.filter(pk=rater_id, state__in=OUT_OF_COUNT).exists()
        _lock(cursor, [rater_id], is_out=is_out)
        cursor.execute(LOCK_RATER, [rater_id])
        if cursor.fetchone() != (is_out,):
            return 0  # Somebody decided otherwise meanwhile, and brings the ratings into line with that.
        return _move(cursor, [rater_id], is_out=is_out)


def _decide(decision: _Decision) -> list[ModerationAction]:
    """Do all of a decision in one transaction, then bring into line what it missed."""
    _check_rater(decision.rater_id)
    while True:
        raters = find_raters_of_person(decision.rater_id)
        try:
            actions = _act(decision, raters)
        except _PersonChanged:
            continue
        break
    for action in actions:
        if action.kind in CHANGES:
            _catch_up(action, raters)
    return actions


def _act(decision: _Decision, raters: list[int]) -> list[ModerationAction]:
    with transaction.atomic(), connection.cursor() as cursor:
        if decision.change:
            _lock(cursor, raters, is_out=decision.change == ActionKind.QUARANTINE_RATER)
            # From here on linking and unlinking wait: both lock every rater of the person first.
            if find_raters_of_person(decision.rater_id) != raters:
                raise _PersonChanged
        return [_take(cursor, decision, kind, raters) for kind in decision.kinds]


def _take(cursor: CursorWrapper, decision: _Decision, kind: ActionKind, raters: list[int]) -> ModerationAction:
    steps: list[tuple[int, str, str]] = []
    if kind in CHANGES:
        cursor.execute(CHANGES[kind], [raters])
        steps = cursor.fetchall()
        count = _move(cursor, raters, is_out=kind == ActionKind.QUARANTINE_RATER)
    else:
        raters = [decision.rater_id]
        is_trusted = kind == ActionKind.VALIDATE_RATER
        rows = Rater.objects.filter(pk=decision.rater_id, is_trusted=not is_trusted)
        count = rows.update(is_trusted=is_trusted)
    action = ModerationAction(
        kind=kind,
        taken_at=decision.now,
        taken_by=decision.by,
        target=_name(decision.rater_id, raters),
        affected_count=count,
        reason=decision.reason,
    )
    if steps or count:
        action.save(force_insert=True)
        _remember(steps, action, decision)
    return action


def _remember(steps: Sequence[tuple[int, str, str]], action: ModerationAction, decision: _Decision) -> None:
    """Write down the steps with what was known: after the way back the engine acts on what comes on top of it."""
    known = {evidence.rater_id: evidence.as_dict() for evidence in read_evidence(step[0] for step in steps)}
    RaterTransition.objects.bulk_create(
        RaterTransition(
            rater_id=rater_id,
            from_state=from_state,
            to_state=to_state,
            reason=decision.reason,
            evidence=known.get(rater_id, {}),
            moderation_action=action,
            taken_at=decision.now,
        )
        for rater_id, from_state, to_state in steps
    )


def _name(rater_id: int, raters: list[int]) -> str:
    """Name all whom a decision is about; the last word is the rater whom the way back starts from."""
    others = ", ".join(str(pk) for pk in raters if pk != rater_id)
    return f"linked {others} and rater {rater_id}" if others else f"rater {rater_id}"


def _catch_up(action: ModerationAction, raters: list[int]) -> None:
    # Ends soon: whoever begins to store a rating after the commit before knows the rater's new state.
    for rater_id in raters:
        while missed := align_ratings(rater_id=rater_id):
            if action.pk is None:
                action.save(force_insert=True)
            ModerationAction.objects.filter(pk=action.pk).update(affected_count=F("affected_count") + missed)
            action.affected_count += missed


def _lock(cursor: CursorWrapper, raters: list[int], *, is_out: bool) -> None:
    """Lock what of these raters is not in line with being out of the count or in it, and the raters themselves."""
    params = {"raters": raters, "state": "counted" if is_out else "quarantined"}
    lock_comparisons(cursor, condition=COMPARED_BY_RATERS, params=params)
    lock_ratings(cursor, condition=OF_RATERS, params=params, raters=raters)


def _move(cursor: CursorWrapper, raters: list[int], *, is_out: bool) -> int:
    """Move the locked ratings and comparisons out of the count or into it, and answers to controls; return how many."""
    state = "quarantined" if is_out else "counted"
    move_counters(cursor, sign=-1 if is_out else 1)
    cursor.execute(MOVE_RATINGS, [state])
    count: int = cursor.rowcount
    return count + move_comparisons(cursor, state=state) + move_controls(cursor, raters, is_out=is_out)


def _check_rater(rater_id: int) -> None:
    is_shared = Rater.objects.filter(pk=rater_id).values_list("is_shared", flat=True).first()
    if is_shared is None:
        raise NoSuchRater("There is no such rater.")
    if is_shared:
        raise RaterIsShared("Everybody without a key answers as anonymous#0. Void the ratings in question instead.")
