"""The only writer of the ledger. It takes amounts, a reason and a reference, and knows nothing of ratings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from kudos.models import Account, AccountKind, Reason


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction to be: its legs are (account id, amount) and sum to zero."""

    reference: str
    legs: tuple[tuple[int, int], ...]
    note: str = ""


def system_account_id(kind: AccountKind) -> int:
    """Return the one account of a system kind, opening it when the ledger is new."""
    account, _ = Account.objects.get_or_create(kind=kind, identity=None)
    return account.pk


def ensure_user_accounts(identity_ids: Sequence[int]) -> dict[int, int]:
    """Return the account of each identity, opening those that are missing. Safe when two come at once."""
    wanted = set(identity_ids)
    known = _accounts_of(wanted)
    if missing := sorted(wanted - known.keys()):
        Account.objects.bulk_create(
            [Account(kind=AccountKind.USER, identity_id=identity_id) for identity_id in missing],
            ignore_conflicts=True,
            batch_size=5000,
        )
        known |= _accounts_of(set(missing))
    return known


def post_transactions(*, reason: Reason, postings: Sequence[Posting], now: datetime) -> dict[str, int]:
    """Write transactions with all their entries and return the id of each by its reference.

    Two statements, however many there are. The database refuses what does not sum to zero, what overdraws
    a user, and a reference that exists (IntegrityError); then nothing is written.
    """
    if not postings:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kudos_transaction (reason, reference, note, created_at)
            SELECT %s, reference, note, %s FROM unnest(%s::text[], %s::text[]) AS p (reference, note)
            RETURNING reference, id
            """,
            [reason, now, [p.reference for p in postings], [p.note for p in postings]],
        )
        ids = dict(cursor.fetchall())
        legs = [(ids[p.reference], account, amount) for p in postings for account, amount in p.legs if amount]
        cursor.execute(
            """
            INSERT INTO kudos_entry (transaction_id, account_id, amount)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
            """,
            [list(column) for column in zip(*legs, strict=True)] if legs else [[], [], []],
        )
    return ids


def _accounts_of(identity_ids: set[int]) -> dict[int, int]:
    rows = Account.objects.filter(kind=AccountKind.USER, identity_id__in=identity_ids)
    return {identity_id: pk for identity_id, pk in rows.values_list("identity_id", "id") if identity_id is not None}
