"""What the database refuses of payouts. Each row is brought to a state that is allowed first."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from kudos.models import Payout
from kudos.services.payouts import claim_payout, expire_sending
from tests.factories import UserFactory
from tests.kudos.conftest import collect, make_horde_identity
from tests.kudos.test_payouts import send
from tests.people import now

pytestmark = pytest.mark.django_db


def refused(constraint):
    """Expect the refusal by this very constraint: PostgreSQL quotes its name."""
    return pytest.raises(IntegrityError, match=f'"{constraint}"')


@pytest.fixture
def pending(award):
    make_horde_identity(7, 50)
    assert collect(award) == 1
    return Payout.objects.all()


@pytest.fixture
def paid(pending, award):
    send(award)
    return pending


@pytest.fixture
def ambiguous(pending):
    claim_payout(now=now())
    assert expire_sending(now=now() + timedelta(days=1)) == 1
    return pending


def change(rows, **values):
    with transaction.atomic():
        return rows.update(**values)


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        ("payout_amount_is_positive", {"amount": 1}, {"amount": 0}),
        ("payout_amount_is_positive", {"amount": 1}, {"amount": -1}),
        ("payout_username_is_given", {"username": "x#7"}, {"username": ""}),
        ("payout_sent_unless_pending", {"state": "sending", "sent_at": now()}, {"state": "sending"}),
        ("payout_sent_unless_pending", {"due_at": now()}, {"sent_at": now()}),
        (
            "payout_answer_has_status_and_time",
            {"answered_at": now(), "http_status": 200},
            {"answered_at": now(), "http_status": None},
        ),
        (
            "payout_answer_has_status_and_time",
            {"answered_at": now(), "http_status": 200},
            {"answered_at": None, "http_status": 200},
        ),
    ],
)
def test_a_pending_payout_is_refused(pending, constraint, right, wrong):
    with refused(constraint):
        change(pending, **wrong)
    assert change(pending, **right) == 1


def test_a_paid_one_was_answered_or_decided(paid):
    with refused("payout_end_is_answered_or_decided"):
        change(paid, answered_at=None, http_status=None)
    signed = {"decision": "arrived", "decided_at": now(), "decided_by": UserFactory(), "decision_note": "seen"}
    assert change(paid, answered_at=None, http_status=None, **signed) == 1


@pytest.mark.parametrize("state", ["refused", "returned"])
def test_a_failed_one_has_a_reversal(paid, state):
    signed = {"decision": "give_back", "decided_at": now(), "decided_by": UserFactory(), "decision_note": "seen"}
    values = {"state": state} | (signed if state == "returned" else {})
    with refused("payout_failed_is_reversed"):
        change(paid, **values)
    assert change(paid, reversal=paid.get().transaction, **values) == 1


def test_one_that_did_not_fail_has_no_reversal(paid):
    with refused("payout_failed_is_reversed"):
        change(paid, reversal=paid.get().transaction)


@pytest.mark.parametrize(
    "missing", [{"decided_at": None}, {"decided_by": None}, {"decision_note": ""}, {"decision": ""}]
)
def test_a_decision_is_signed_and_explained(paid, missing):
    signed = {"decision": "arrived", "decided_at": now(), "decided_by": UserFactory(), "decision_note": "seen"}
    with refused("payout_decision_is_signed_and_explained"):
        change(paid, **signed | missing)
    assert change(paid, **signed) == 1


@pytest.mark.parametrize("decision", ["send_again", "give_back"])
def test_a_decision_fits_the_state(paid, decision):
    signed = {"decision": decision, "decided_at": now(), "decided_by": UserFactory(), "decision_note": "seen"}
    with refused("payout_decision_fits_state"):
        change(paid, **signed)


def test_nothing_is_returned_without_a_decision(ambiguous):
    with refused("payout_decision_fits_state"):
        change(ambiguous, state="returned", reversal=ambiguous.get().transaction)


@pytest.mark.parametrize("state", ["pending", "sending", "ambiguous"])
def test_an_account_has_one_payout_in_flight(pending, state):
    first = pending.get()
    values = {
        "account": first.account,
        "username": "x#7",
        "amount": 1,
        "transaction": first.account.entries.earliest("id").transaction,
    }
    sent = {} if state == "pending" else {"sent_at": now()}
    with refused("payout_account_has_one_in_flight"), transaction.atomic():
        Payout.objects.create(**values, state=state, **sent)
    answered = {"sent_at": now(), "answered_at": now(), "http_status": 200}
    Payout.objects.create(**values, state="paid", **answered)


def test_a_transaction_is_of_one_payout(paid):
    first = paid.get()
    with pytest.raises(IntegrityError, match="kudos_payout_transaction_id"), transaction.atomic():
        Payout.objects.create(account=first.account, username="x#7", amount=1, transaction=first.transaction)
