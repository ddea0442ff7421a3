"""What the constraints of the ledger refuse beside the triggers, for which see test_ledger."""

import pytest
from django.db import IntegrityError, transaction

from kudos.models import Account, AccountKind, Entry, Reason, Transaction
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from tests.people import make_person, now

pytestmark = pytest.mark.django_db


def refused(constraint):
    """Expect the refusal by this very constraint: PostgreSQL quotes its name."""
    return pytest.raises(IntegrityError, match=f'"{constraint}"')


@pytest.fixture
def person():
    return make_person("saver")


@pytest.fixture
def accounts(person):
    """An account of a user and one of each system kind, by kind."""
    own = ensure_user_accounts([person.identity_id])[person.identity_id]
    kinds = (AccountKind.TREASURY, AccountKind.LOSS, AccountKind.PAYOUT)
    return {"user": own} | {kind.value: system_account_id(kind) for kind in kinds}


def post(accounts, legs):
    """Write a transaction by hand, with all its entries in one statement."""
    posted = Transaction.objects.create(reason=Reason.AWARD, reference="by hand")
    Entry.objects.bulk_create(Entry(transaction=posted, account_id=accounts[kind], amount=n) for kind, n in legs)


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        (
            "entry_amount_not_zero",
            [("treasury", -5), ("user", 5)],
            [("treasury", -5), ("user", 5), ("loss", 0)],
        ),
        (
            "entry_one_for_each_account",
            [("treasury", -5), ("user", 2), ("loss", 3)],
            [("treasury", -5), ("user", 2), ("user", 3)],
        ),
    ],
)
def test_entries_are_refused(accounts, constraint, right, wrong):
    with refused(constraint), transaction.atomic():
        post(accounts, wrong)
    post(accounts, right)
    assert Entry.objects.count() == len(right)


def test_a_user_account_has_an_identity(accounts):
    own = Account.objects.filter(pk=accounts["user"])
    with refused("account_user_has_an_identity"), transaction.atomic():
        own.update(identity=None)
    Account.objects.get(pk=accounts["payout"]).delete()
    assert own.update(identity=None, kind="payout") == 1


def test_a_system_account_has_no_identity(accounts):
    system = Account.objects.filter(pk=accounts["payout"])
    identity = make_person("other").identity_id
    Account.objects.get(identity_id=identity).delete()
    with refused("account_user_has_an_identity"), transaction.atomic():
        system.update(identity=identity)
    assert system.update(identity=identity, kind="user") == 1


def test_there_is_one_account_of_each_system_kind_and_many_of_users(accounts):
    for name in ("one", "other"):
        ensure_user_accounts([make_person(name).identity_id])
    assert Account.objects.filter(kind="user").count() == 3
    Account.objects.get(pk=accounts["loss"]).delete()
    for kind in ("treasury", "payout"):
        with refused("account_one_of_each_system_kind"), transaction.atomic():
            Account.objects.create(kind=kind)
    Account.objects.create(kind="loss")


def test_only_accounts_of_users_store_a_balance(accounts):
    """The triggers see no change of balance here; the constraint is what refuses."""
    own = Account.objects.filter(pk=accounts["user"])
    Account.objects.get(pk=accounts["payout"]).delete()
    for n, amount in enumerate((5, -5)):
        legs = ((accounts["treasury"], -amount), (accounts["user"], amount))
        post_transactions(reason=Reason.AWARD, postings=[Posting(f"r:{n}", legs)], now=now())
        if amount > 0:
            with refused("account_user_balance_not_negative"), transaction.atomic():
                own.update(kind="payout", identity=None)
    assert own.update(kind="payout", identity=None) == 1
