"""Ratings stop counting, and count again: their images, raters and kudos follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.models import ActionKind, ModerationAction
from ratings.services.counters import VOIDABLE, WAS_COUNTED, lock_ratings, move_counters
from ratings.services.superseding import supersede_repeats

RESTORABLE = ["voided", "held"]

NAMED = "r.id = ANY(%(ids)s) AND r.state = ANY(%(states)s)"
WILL_COUNT = """
    WHERE rater_id NOT IN (SELECT id FROM ratings_rater WHERE state IN ('quarantined', 'voided'))
"""
SETTLED = """
    SELECT t.identity_id, m.id, m.reward, coalesce(m.void_debit, 0) FROM moderated m
    JOIN ratings_rater t ON t.id = m.rater_id WHERE m.is_settled ORDER BY t.identity_id, m.id
"""


@dataclass(frozen=True, slots=True)
class _Settled:
    """A rating whose reward was paid: (rating id, reward, what voiding had taken from the balance)."""

    rating_id: int
    reward: int
    debit: int


def void_ratings(*, rating_ids: Sequence[int], by: User, reason: str, now: datetime) -> ModerationAction:
    """Stop counting ratings, and take their rewards back; return the action that is on record.

    An unsettled reward is dropped with the rating. Of a settled one, the balance pays what it holds and
    the loss account bears the rest, so that voiding never fails. Ratings that are void already are left.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        action = _begin(cursor, ActionKind.VOID_RATINGS, rating_ids, VOIDABLE, by, reason, now)
        move_counters(cursor, sign=-1, which=WAS_COUNTED)
        debits = _take_back(action, _settled_of(cursor), now)
        cursor.execute(
            """
            UPDATE ratings_rating r SET state = 'voided', moderation_action_id = %s, void_debit = d.debit
            FROM moderated m LEFT JOIN unnest(%s::bigint[], %s::int[]) d (id, debit) ON d.id = m.id
            WHERE r.id = m.id
            """,
            [action.pk, list(debits), list(debits.values())],
        )
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
        _give_back(action, _settled_of(cursor), now)
        cursor.execute(
            """
            UPDATE ratings_rating r SET moderation_action_id = %s, void_debit = NULL,
                state = CASE WHEN t.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END
            FROM moderated m JOIN ratings_rater t ON t.id = m.rater_id WHERE r.id = m.id
            """,
            [action.pk],
        )
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
        target=f"{affected_count} rating{'' if affected_count == 1 else 's'}",
        affected_count=affected_count,
        reason=reason,
    )


def _settled_of(cursor: CursorWrapper) -> dict[int, list[_Settled]]:
    """Return the settled ratings of each identity, in the order of their ids."""
    cursor.execute(SETTLED)
    settled: dict[int, list[_Settled]] = {}
    for identity_id, *rest in cursor.fetchall():
        settled.setdefault(identity_id, []).append(_Settled(*rest))
    return settled


def _take_back(action: ModerationAction, settled: dict[int, list[_Settled]], now: datetime) -> dict[int, int]:
    """Post the reversal for each identity; return what was debited for each rating."""
    if not settled:
        return {}
    accounts = ensure_user_accounts(list(settled))
    balances = _lock_balances(list(accounts.values()))
    debits: dict[int, int] = {}
    postings = []
    for identity_id, ratings in settled.items():
        left = balances[accounts[identity_id]]
        for rating in ratings:
            debits[rating.rating_id] = min(rating.reward, left)
            left -= debits[rating.rating_id]
        total = sum(rating.reward for rating in ratings)
        debit = sum(debits[rating.rating_id] for rating in ratings)
        postings.append(_posting("void", action, identity_id, accounts, -debit, -(total - debit), len(ratings)))
    post_transactions(reason=Reason.VOID, postings=postings, now=now)
    return debits


def _give_back(action: ModerationAction, settled: dict[int, list[_Settled]], now: datetime) -> None:
    if not settled:
        return
    accounts = ensure_user_accounts(list(settled))
    postings = []
    for identity_id, ratings in settled.items():
        total = sum(rating.reward for rating in ratings)
        debit = sum(rating.debit for rating in ratings)
        postings.append(_posting("restore", action, identity_id, accounts, debit, total - debit, len(ratings)))
    post_transactions(reason=Reason.RESTORE, postings=postings, now=now)


def _posting(
    verb: str, action: ModerationAction, identity_id: int, accounts: dict[int, int], user: int, loss: int, count: int
) -> Posting:
    return Posting(
        reference=f"{verb}:{action.pk}:identity:{identity_id}",
        legs=(
            (accounts[identity_id], user),
            (system_account_id(AccountKind.LOSS), loss),
            (system_account_id(AccountKind.TREASURY), -(user + loss)),
        ),
        note=f"{count} rating{'' if count == 1 else 's'}",
    )


def _lock_balances(account_ids: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, balance FROM kudos_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [account_ids]
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {int(pk): int(balance) for pk, balance in rows}
