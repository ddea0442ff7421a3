"""Kudos that were paid for answers: taken back when the answers are voided, and returned when they are restored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.models import ModerationAction

SETTLED = """
    SELECT t.identity_id, m.id, m.reward, coalesce(m.void_debit, 0) FROM {moderated} m
    JOIN ratings_rater t ON t.id = m.rater_id WHERE m.is_settled ORDER BY t.identity_id, m.id
"""


@dataclass(frozen=True, slots=True)
class SettledAnswer:
    """An answer whose reward was paid: its id, the reward, and what voiding had taken from the balance."""

    answer_id: int
    reward: int
    debit: int


@dataclass(frozen=True, slots=True)
class Noun:
    """What the answers are called in the notes of the ledger."""

    one: str
    many: str

    def count(self, number: int) -> str:
        return f"{number} {self.one if number == 1 else self.many}"


RATINGS, COMPARISONS = Noun("rating", "ratings"), Noun("comparison", "comparisons")


def read_settled(cursor: CursorWrapper, moderated: str) -> dict[int, list[SettledAnswer]]:
    """Return the settled answers of each identity in the temporary table ``moderated``, in the order of their ids."""
    cursor.execute(SETTLED.format(moderated=moderated))
    settled: dict[int, list[SettledAnswer]] = {}
    for identity_id, *rest in cursor.fetchall():
        settled.setdefault(identity_id, []).append(SettledAnswer(*rest))
    return settled


def take_back(
    action: ModerationAction, settled: dict[int, list[SettledAnswer]], noun: Noun, now: datetime
) -> dict[int, int]:
    """Post the reversal for each identity; return what was debited for each answer.

    The balance pays what it holds, and the loss account bears the rest.
    """
    if not settled:
        return {}
    accounts = ensure_user_accounts(list(settled))
    balances = _lock_balances(list(accounts.values()))
    debits: dict[int, int] = {}
    postings = []
    for identity_id, answers in settled.items():
        left = balances[accounts[identity_id]]
        for answer in answers:
            debits[answer.answer_id] = min(answer.reward, left)
            left -= debits[answer.answer_id]
        total = sum(answer.reward for answer in answers)
        debit = sum(debits[answer.answer_id] for answer in answers)
        note = noun.count(len(answers))
        postings.append(_posting("void", action, identity_id, accounts, -debit, -(total - debit), note))
    post_transactions(reason=Reason.VOID, postings=postings, now=now)
    return debits


def give_back(action: ModerationAction, settled: dict[int, list[SettledAnswer]], noun: Noun, now: datetime) -> None:
    """Return exactly what voiding took."""
    if not settled:
        return
    accounts = ensure_user_accounts(list(settled))
    postings = []
    for identity_id, answers in settled.items():
        total = sum(answer.reward for answer in answers)
        debit = sum(answer.debit for answer in answers)
        note = noun.count(len(answers))
        postings.append(_posting("restore", action, identity_id, accounts, debit, total - debit, note))
    post_transactions(reason=Reason.RESTORE, postings=postings, now=now)


def _posting(
    verb: str, action: ModerationAction, identity_id: int, accounts: dict[int, int], user: int, loss: int, note: str
) -> Posting:
    return Posting(
        reference=f"{verb}:{action.pk}:identity:{identity_id}",
        legs=(
            (accounts[identity_id], user),
            (system_account_id(AccountKind.LOSS), loss),
            (system_account_id(AccountKind.TREASURY), -(user + loss)),
        ),
        note=note,
    )


def _lock_balances(account_ids: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, balance FROM kudos_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [account_ids]
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {int(pk): int(balance) for pk, balance in rows}
