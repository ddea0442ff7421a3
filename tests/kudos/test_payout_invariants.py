"""Books that somebody has tampered with are found out."""

import pytest
from django.db import connection

from kudos.invariants import find_violations
from kudos.models import AccountKind, Payout, Reason
from kudos.services import Posting, post_transactions, system_account_id
from tests.kudos.conftest import collect, make_horde_identity
from tests.kudos.test_payouts import send
from tests.people import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(award):
    make_horde_identity(7, 50)
    collect(award)
    send(award)
    assert list(find_violations()) == []
    return Payout.objects.get()


@pytest.fixture
def refused(award, horde):
    horde.manner = "refuses"
    make_horde_identity(8, 50)
    collect(award)
    send(award)
    assert list(find_violations()) == []
    return Payout.objects.get()


def mentioned(payout):
    return [what for what in find_violations() if f"payout {payout.pk} " in what]


def test_an_amount_that_the_ledger_does_not_know(paid):
    Payout.objects.update(amount=51)
    assert mentioned(paid)
    assert any("the payout account holds 50" in what for what in find_violations())


def test_a_payout_of_another_account(paid):
    other = make_horde_identity(9, 10).kudos_account
    Payout.objects.update(account=other)
    assert mentioned(paid)


def test_a_reversal_that_is_not_this_payouts(refused):
    Payout.objects.update(reversal=refused.transaction)
    assert mentioned(refused)


def test_a_payout_without_its_row(paid):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kudos_payout")
    assert any("payout None" in what for what in find_violations())


def test_a_posting_that_pretends_to_be_a_payout(paid):
    account = make_horde_identity(9, 10).kudos_account
    legs = ((account.pk, -10), (system_account_id(AccountKind.PAYOUT), 10))
    post_transactions(reason=Reason.PAYOUT, postings=[Posting("payout:0", legs)], now=now())
    assert any("payout None" in what for what in find_violations())


def test_a_reversal_that_is_not_a_return(refused):
    legs = ((refused.account_id, -50), (system_account_id(AccountKind.TREASURY), 50))
    posted = post_transactions(reason=Reason.AWARD, postings=[Posting("x", legs)], now=now())
    Payout.objects.update(reversal=posted["x"])
    assert mentioned(refused)
