"""Pending rewards become ledger entries: one transaction for each rater and run."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.services.taking_back import COMPARISONS, RATINGS

# Any constant will do: it names this job among the advisory locks of the database.
SETTLEMENT_LOCK = 0x5E771E
BATCH_SIZE = 1_000_000
EARNING_KINDS = ["account", "horde"]  # and browsers whose ratings somebody claimed


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one run settled."""

    rater_count: int = 0
    rating_count: int = 0
    amount: int = 0
    comparison_count: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What one identity is paid in one run, and for how many answers."""

    identity_id: int
    amount: int
    rating_count: int
    comparison_count: int

    @property
    def note(self) -> str:
        counts = ((RATINGS, self.rating_count), (COMPARISONS, self.comparison_count))
        return ", ".join(noun.count(count) for noun, count in counts if count)


START = """
    DROP TABLE IF EXISTS pg_temp.settlement_due;
    CREATE TEMPORARY TABLE settlement_due (
        id bigint, identity_id bigint, reward integer, kind text
    ) ON COMMIT DROP
"""
# A browser that was claimed rates no more, and so goes by what is known of its person.
DUE = """
    INSERT INTO settlement_due
    SELECT r.id, t.identity_id, r.reward, '{kind}'
    FROM {table} r
        JOIN ratings_rater t ON t.id = r.rater_id
        JOIN accounts_identity i ON i.id = t.identity_id
    WHERE r.settlement_id IS NULL AND r.reward > 0 AND r.state = 'counted' AND r.created_at <= %s
        AND (t.state IN ('calibrated', 'trusted') OR t.is_trusted AND t.state = 'new' OR i.kind = 'browser'
            AND t.state = 'new' AND EXISTS (
                SELECT FROM accounts_identity s JOIN ratings_rater p ON p.identity_id = s.id
                WHERE s.user_id = i.user_id AND s.kind = 'account'
                    AND (p.state IN ('calibrated', 'trusted') OR p.is_trusted AND p.state = 'new')))
        AND (i.kind = ANY(%s) OR i.kind = 'browser' AND i.user_id IS NOT NULL)
    ORDER BY r.id LIMIT %s
    FOR NO KEY UPDATE OF r SKIP LOCKED
"""
SUMS = """
    SELECT identity_id, sum(reward)::bigint, count(*) FILTER (WHERE kind <> 'comparison'),
        count(*) FILTER (WHERE kind = 'comparison')
    FROM settlement_due GROUP BY identity_id ORDER BY identity_id
"""
MARK = """
    UPDATE {table} r SET settlement_id = p.transaction_id
    FROM settlement_due d JOIN unnest(%s::bigint[], %s::bigint[]) p (identity_id, transaction_id)
        ON p.identity_id = d.identity_id
    WHERE r.id = d.id AND d.kind = '{kind}'
"""
# What is paid for, in the order in which it is locked everywhere. Answers to controls are paid as the ratings that they
# are to their rater.
PAID_FOR = (
    {"table": "ratings_comparison", "kind": "comparison"},
    {"table": "ratings_rating", "kind": "rating"},
    {"table": "ratings_controlanswer", "kind": "control"},
)


def settle_rewards(*, hold: timedelta, now: datetime, run: uuid.UUID | None = None) -> Settlement:
    """Pay the pending rewards of counted ratings and comparisons that are older than ``hold``.

    Whose answers nobody knows yet waits until they are calibrated, and who is watched until that is over.

    1. One run at a time: whoever comes second finds the lock taken and leaves.
    2. Lock the answers that are due; what a moderator holds just now waits for the next run.
    3. One ledger transaction for each rater; the reference names run and rater.
    4. The answers remember the transaction that paid them.

    All of it is one database transaction, so a run that dies has paid nobody and lost nothing.
    """
    run = run or uuid.uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SETTLEMENT_LOCK])
        if not cursor.fetchone()[0]:
            return Settlement()
        cursor.execute(START)
        for kind in PAID_FOR:
            cursor.execute(DUE.format(**kind), [now - hold, EARNING_KINDS, BATCH_SIZE])
        cursor.execute("ANALYZE settlement_due")
        cursor.execute(SUMS)
        sums = [Due(*row) for row in cursor.fetchall()]
        if not sums:
            return Settlement()
        paid = _post_rewards(sums, run, now)
        for kind in PAID_FOR:
            cursor.execute(MARK.format(**kind), [list(paid), list(paid.values())])
    return Settlement(
        len(sums),
        sum(due.rating_count for due in sums),
        sum(due.amount for due in sums),
        sum(due.comparison_count for due in sums),
    )


def _post_rewards(sums: list[Due], run: uuid.UUID, now: datetime) -> dict[int, int]:
    """Post one transaction for each identity; return its id by identity."""
    treasury = system_account_id(AccountKind.TREASURY)
    accounts = ensure_user_accounts([due.identity_id for due in sums])
    postings = {
        due.identity_id: Posting(
            reference=f"settlement:{run}:identity:{due.identity_id}",
            legs=((treasury, -due.amount), (accounts[due.identity_id], due.amount)),
            note=due.note,
        )
        for due in sums
    }
    ids = post_transactions(reason=Reason.RATING, postings=list(postings.values()), now=now)
    return {identity_id: ids[posting.reference] for identity_id, posting in postings.items()}
