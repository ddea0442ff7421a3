"""Payouts to AI Horde: kudos leave a balance into the outbox, and the outbox is sent, each row at most once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat

from accounts.models import Identity, IdentityKind, User
from kudos.award import Answer, Award, Standing, Verdict
from kudos.models import IN_FLIGHT, Account, AccountKind, Payout, PayoutDecision, PayoutState, Reason
from kudos.services.ledger import Posting, post_transactions, system_account_id

log = structlog.get_logger(__name__)

# Any constant will do: it names this job among the advisory locks of the database.
PAYOUT_LOCK = 0x9A7007
BATCH_SIZE = 5000
ANONYMOUS = "0"
# After a refusal, or a decision to give back, the same name is left alone for this long.
PAUSE = timedelta(days=30)
# A request takes seconds and its task is killed after two minutes: whoever is silent for longer is dead.
SILENCE = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)
SILENT = "no answer was recorded: whoever sent it stopped"
TROUBLES_BEFORE_STOPPING = 3
OUTCOME = [
    *("state", "reversal", "due_at", "sent_at", "answered_at", "http_status", "answer"),
    *("theirs_before", "theirs_after"),
]
DECIDED = ["state", "reversal", "decision", "decision_note", "decided_at", "decided_by"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Both sides of a doubtful payout: our balance, and the kudos AI Horde shows before, after and now, if known."""

    balance: int
    before: int | None
    after: int | None
    now: int | None

    @property
    def change(self) -> int | None:
        """Return by how much the figure of AI Horde has changed since before the payout was sent."""
        latest = self.after if self.now is None else self.now
        return None if latest is None or self.before is None else latest - self.before


class PayoutNotOpen(Exception):
    """Nobody has to decide about this payout, or somebody else has."""


def create_payouts(*, payable: QuerySet[Identity], minimum: int, award: Award, now: datetime) -> int:
    """Move whole balances of AI Horde users into the outbox; return how many.

    1. One run at a time: whoever comes second finds the lock taken and leaves.
    2. Of the ``payable``: those with ``minimum`` kudos or more, a name that AI Horde knows them by, nothing
       in flight, and no payout of that name refused or given back lately.
    3. One row and one ledger transaction each, in one database transaction.
    """
    if not award.is_on:
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [PAYOUT_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        accounts = _accounts_to_pay(payable, max(minimum, 1), now)
        wanted = [(account.pk, _username_of(account), account.balance) for account in accounts]
        return len(_open_payouts(wanted, now))


def send_payouts(
    *, award: Award, patience: timedelta, clock: Callable[[], datetime], payable: QuerySet[Identity] | None = None
) -> int:
    """Send what is due, one after the other, for as long as ``patience``; return how many were sent.

    What is due to somebody who is not ``payable`` any more waits until they are again; None leaves nobody out.
    Stops at three troubles in a row. The clock is asked for each row, because a run lasts a minute.
    """
    expire_sending(now=clock())
    until = clock() + patience
    sent_count = trouble_count = 0
    while trouble_count < TROUBLES_BEFORE_STOPPING and not award.is_resting() and clock() < until:
        payout = claim_payout(now=clock(), payable=payable)
        if payout is None:
            break
        answer = deliver_payout(payout=payout, award=award, clock=clock)
        is_trouble = answer.verdict in {Verdict.LATER, Verdict.UNCLEAR}
        trouble_count = trouble_count + 1 if is_trouble else 0
        sent_count += not is_trouble
    return sent_count


def claim_payout(*, now: datetime, payable: QuerySet[Identity] | None = None) -> Payout | None:
    """Mark the next payout that is due to one of the ``payable`` as being sent, commit, and return it, or None.

    Two that come at once get different rows. Must not run inside a transaction (RuntimeError): the mark has
    to be on disk before the request leaves.
    """
    with transaction.atomic(durable=True):
        due = Payout.objects.filter(state=PayoutState.PENDING, due_at__lte=now).order_by("due_at", "id")
        if payable is not None:
            due = due.filter(account__identity__in=payable.values("pk"))
        payout = due.select_related("account__identity").select_for_update(skip_locked=True, of=("self",)).first()
        if payout is None:
            return None
        payout.state = PayoutState.SENDING
        payout.sent_at = now
        payout.attempt_count += 1
        payout.answered_at = payout.http_status = None
        payout.answer = ""
        payout.save(update_fields=["state", "sent_at", "attempt_count", "answered_at", "http_status", "answer"])
    return payout


def deliver_payout(*, payout: Payout, award: Award, clock: Callable[[], datetime]) -> Answer:
    """Send a payout that was claimed, and write down what came of it.

    The user's kudos are read first: it gives a moderator something to compare, and where not even that is
    answered, nothing is sent, so that an outage costs no doubtful payouts.
    """
    before = award.read_standing(external_id=_external_id_of(payout))
    after = Standing(is_reachable=False)
    if before.is_reachable:
        answer = award.give(username=payout.username, amount=payout.amount)
        if answer.verdict is Verdict.UNCLEAR:
            after = award.read_standing(external_id=_external_id_of(payout))
    else:
        answer = Answer(Verdict.LATER, text="AI Horde cannot be reached")
    record_answer(payout=payout, answer=answer, before=before, after=after, now=clock())
    return answer


def record_answer(*, payout: Payout, answer: Answer, before: Standing, after: Standing, now: datetime) -> None:
    """Write down what AI Horde answered; what it refused goes back to the balance in the same transaction.

    An answer for a row that is no longer being sent changes nothing: it was given to a moderator meanwhile.
    """
    with transaction.atomic():
        current = Payout.objects.select_for_update(of=("self",)).get(pk=payout.pk)
        if current.state != PayoutState.SENDING or current.attempt_count != payout.attempt_count:
            log.error("payout_answered_too_late", payout=payout.pk, verdict=answer.verdict.value, answer=answer.text)
            return
        current.answer, current.http_status = answer.text, answer.status
        current.answered_at = None if answer.status is None else now
        current.theirs_before, current.theirs_after = before.kudos, after.kudos
        if answer.verdict is Verdict.AWARDED:
            current.state = PayoutState.PAID
        elif answer.verdict is Verdict.REFUSED:
            _reverse(current, PayoutState.REFUSED, now)
        elif answer.verdict is Verdict.LATER:
            current.state, current.sent_at = PayoutState.PENDING, None
            current.due_at = now + min(timedelta(minutes=2 ** min(current.attempt_count - 1, 10)), LONGEST_WAIT)
        else:
            current.state = PayoutState.AMBIGUOUS
        current.save(update_fields=OUTCOME)
    log.info("payout_answered", payout=payout.pk, state=current.state, status=answer.status)


def expire_sending(*, now: datetime) -> int:
    """Give payouts whose sender died to a moderator; return how many."""
    silent = Payout.objects.filter(state=PayoutState.SENDING, sent_at__lt=now - SILENCE)
    count = silent.update(state=PayoutState.AMBIGUOUS, answer=SILENT)
    if count:
        log.error("payouts_without_answer", count=count)
    return count


def decide_payout(*, payout_id: int, decision: PayoutDecision, by: User, note: str, now: datetime) -> Payout:
    """Settle a doubtful payout as a moderator has found out; return it.

    What did not arrive goes back to the balance. To send it again, it leaves once more as a payout of its
    own, so that this row keeps what was decided about it. Raises PayoutNotOpen when there is no doubt (any more).
    """
    with transaction.atomic():
        found = Payout.objects.select_for_update(of=("self",)).select_related("account__identity")
        payout = found.filter(pk=payout_id, state=PayoutState.AMBIGUOUS).first()
        if payout is None:
            raise PayoutNotOpen("Nobody has to decide about this payout, or somebody else has.")
        payout.decision, payout.decision_note = decision, note
        payout.decided_at, payout.decided_by = now, by
        if decision == PayoutDecision.ARRIVED:
            payout.state = PayoutState.PAID
        else:
            _reverse(payout, PayoutState.RETURNED, now)
        payout.save(update_fields=DECIDED)
        if decision == PayoutDecision.SEND_AGAIN:
            _open_payouts([(payout.account_id, _username_of(payout.account), payout.amount)], now)
    log.info("payout_decided", payout=payout.pk, decision=str(decision), by=by.pk)
    return payout


def compare_figures(*, payout: Payout, award: Award) -> Figures:
    """Return what both sides say, asking AI Horde for the present."""
    now = award.read_standing(external_id=_external_id_of(payout))
    return Figures(payout.account.balance, payout.theirs_before, payout.theirs_after, now.kudos)


def _accounts_to_pay(payable: QuerySet[Identity], minimum: int, now: datetime) -> list[Account]:
    """Lock and return the accounts that are due, in the order in which everybody locks accounts."""
    of_account = Payout.objects.filter(account=OuterRef("pk"))
    in_flight = of_account.filter(state__in=IN_FLIGHT)
    ended_at = Coalesce("decided_at", "answered_at")
    failed = of_account.filter(
        Q(state=PayoutState.REFUSED) | Q(decision=PayoutDecision.GIVE_BACK), username=OuterRef("identity__name")
    )
    due = Account.objects.filter(
        ~Exists(in_flight),
        ~Exists(failed.alias(ended_at=ended_at).filter(ended_at__gt=now - PAUSE)),
        kind=AccountKind.USER,
        balance__gte=minimum,
        identity__in=payable.filter(kind=IdentityKind.HORDE).exclude(external_id=ANONYMOUS).values("pk"),
        identity__name__endswith=Concat(Value("#"), F("identity__external_id")),
    )
    locked = due.select_related("identity").select_for_update(skip_locked=True, of=("self",), no_key=True)
    return list(locked.order_by("id")[:BATCH_SIZE])


def _open_payouts(wanted: Sequence[tuple[int, str, int]], now: datetime) -> list[Payout]:
    """Write outbox rows and their transactions for each (account id, user name, amount)."""
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('kudos_payout', 'id')) FROM generate_series(1, %s)", [len(wanted)]
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    payout_account = system_account_id(AccountKind.PAYOUT)
    postings = [
        Posting(f"payout:{pk}", ((account, -amount), (payout_account, amount)))
        for pk, (account, _, amount) in zip(ids, wanted, strict=True)
    ]
    posted = post_transactions(reason=Reason.PAYOUT, postings=postings, now=now)
    return Payout.objects.bulk_create(
        Payout(
            id=pk,
            account_id=account,
            username=username,
            amount=amount,
            transaction_id=posted[f"payout:{pk}"],
            created_at=now,
            due_at=now,
        )
        for pk, (account, username, amount) in zip(ids, wanted, strict=True)
    )


def _reverse(payout: Payout, state: PayoutState, now: datetime) -> None:
    """Post the way back of the kudos, and say so in the row, which the caller saves."""
    reference = f"payout:{payout.pk}:returned"
    legs = ((system_account_id(AccountKind.PAYOUT), -payout.amount), (payout.account_id, payout.amount))
    posted = post_transactions(reason=Reason.PAYOUT_RETURN, postings=[Posting(reference, legs)], now=now)
    payout.state = state
    payout.reversal_id = posted[reference]


def _username_of(account: Account) -> str:
    return _identity_of(account).name


def _external_id_of(payout: Payout) -> str:
    return _identity_of(payout.account).external_id


def _identity_of(account: Account) -> Identity:
    if account.identity is None:
        raise ValueError("a system account has no name")
    return account.identity
