"""What must always be true of the ledger; each function yields a sentence for what is not."""

from collections.abc import Iterator

from django.db import connection

UNBALANCED = """
    SELECT t.id, t.reference, coalesce(sum(e.amount), 0), count(e.id)
    FROM kudos_transaction t LEFT JOIN kudos_entry e ON e.transaction_id = t.id
    GROUP BY t.id HAVING coalesce(sum(e.amount), 0) <> 0 OR count(e.id) = 0 LIMIT 100
"""
WRONG_BALANCES = """
    SELECT a.id, a.balance, coalesce(sum(e.amount), 0)
    FROM kudos_account a LEFT JOIN kudos_entry e ON e.account_id = a.id
    WHERE a.kind = 'user' GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0) OR a.balance < 0 LIMIT 100
"""


def find_violations() -> Iterator[str]:
    """Yield what is off: transactions that do not sum to zero, balances that their entries do not add up to."""
    with connection.cursor() as cursor:
        cursor.execute(UNBALANCED)
        for pk, reference, total, legs in cursor.fetchall():
            yield f"kudos: transaction {pk} ({reference}) has {legs} entries that sum to {total}"
        cursor.execute(WRONG_BALANCES)
        for pk, balance, total in cursor.fetchall():
            yield f"kudos: account {pk} says {balance}, its entries say {total}"
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM kudos_entry")
        if total := cursor.fetchone()[0]:
            yield f"kudos: the whole ledger sums to {total}"
