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
# Both legs of a transaction are expected in one row each, so that a third leg, or none, shows as well.
EXPECTED_OF_PAYOUTS = """
    WITH expected AS (
        SELECT p.id, p.transaction_id, 'payout' AS reason, 'payout:' || p.id AS reference, p.account_id,
            -p.amount AS amount
        FROM kudos_payout p
        UNION ALL
        SELECT p.id, p.reversal_id, 'payout_return', 'payout:' || p.id || ':returned', p.account_id, p.amount
        FROM kudos_payout p WHERE p.reversal_id IS NOT NULL
    ), posted AS (
        SELECT t.id AS transaction_id, t.reason, t.reference,
            max(e.account_id) FILTER (WHERE a.kind = 'user') AS account_id,
            max(e.amount) FILTER (WHERE a.kind = 'user') AS amount,
            max(e.amount) FILTER (WHERE a.kind = 'payout') AS opposite, count(*) AS legs
        FROM kudos_transaction t
            JOIN kudos_entry e ON e.transaction_id = t.id JOIN kudos_account a ON a.id = e.account_id
        WHERE t.reason IN ('payout', 'payout_return') GROUP BY t.id
    )
    SELECT x.id, t.transaction_id FROM expected x FULL JOIN posted t USING (transaction_id)
    WHERE (x.reason, x.reference, x.account_id, x.amount, -x.amount, 2)
        IS DISTINCT FROM (t.reason, t.reference, t.account_id, t.amount, t.opposite, t.legs)
    LIMIT 100
"""
OUTSIDE = """
    SELECT
        (SELECT coalesce(sum(e.amount), 0) FROM kudos_entry e JOIN kudos_account a ON a.id = e.account_id
            JOIN kudos_transaction t ON t.id = e.transaction_id
            WHERE a.kind = 'payout' AND t.reason IN ('payout', 'payout_return')),
        (SELECT coalesce(sum(amount), 0) FROM kudos_payout WHERE state NOT IN ('refused', 'returned'))
"""


def find_violations() -> Iterator[str]:
    """Yield what is off in the ledger: transactions, balances, and payouts that it does not agree with."""
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
        cursor.execute(EXPECTED_OF_PAYOUTS)
        for payout, posted in cursor.fetchall():
            yield f"kudos: payout {payout} and transaction {posted} do not say the same"
        cursor.execute(OUTSIDE)
        account, rows = cursor.fetchone()
        if account != rows:
            yield f"kudos: the payout account holds {account}, payouts on their way or paid are {rows}"
