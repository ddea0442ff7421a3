"""What the database itself refuses, tried with real commits."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from kudos.invariants import find_violations
from kudos.models import Account, AccountKind, Entry, Reason, Transaction
from kudos.queries import balance_of, history_of
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from tests.people import make_person, now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user():
    return make_person("saver")


@pytest.fixture
def account(user):
    return ensure_user_accounts([user.identity_id])[user.identity_id]


@pytest.fixture
def treasury():
    return system_account_id(AccountKind.TREASURY)


def pay(account, treasury, amount=5, reference="r:1"):
    posting = Posting(reference, ((treasury, -amount), (account, amount)), note="a test")
    return post_transactions(reason=Reason.AWARD, postings=[posting], now=now())


def run(sql, params=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_it_works(user, account, treasury):
    ids = pay(account, treasury)
    assert set(ids) == {"r:1"}
    assert balance_of(user.identity_id) == 5
    assert list(find_violations()) == []


def test_it_refuses_a_transaction_that_does_not_sum_to_zero(user, account, treasury):
    unequal = Posting("r:1", ((treasury, -5), (account, 6)))
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        post_transactions(reason=Reason.AWARD, postings=[unequal], now=now())
    assert not Transaction.objects.exists()
    assert balance_of(user.identity_id) == 0


def test_it_refuses_a_transaction_without_entries():
    with pytest.raises(IntegrityError, match="has no entries"), transaction.atomic():
        Transaction.objects.create(reason=Reason.AWARD, reference="empty")
    assert not Transaction.objects.exists()


def test_it_refuses_entries_added_to_a_posted_transaction(account, treasury):
    pay(account, treasury)
    other = ensure_user_accounts([make_person("other").identity_id])
    loss = system_account_id(AccountKind.LOSS)
    with pytest.raises(IntegrityError, match="posted already"):
        run(
            "INSERT INTO kudos_entry (transaction_id, account_id, amount) SELECT id, unnest(%s::bigint[]),"
            " unnest(ARRAY[-1, 1]) FROM kudos_transaction",
            [[loss, *other.values()]],
        )


@pytest.mark.parametrize("table", ["kudos_entry", "kudos_transaction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_it_refuses_to_change_or_delete_what_was_posted(account, treasury, table, statement):
    pay(account, treasury)
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement.format(table))
    assert Entry.objects.count() == 2


def test_it_refuses_to_overdraw_a_user(user, account, treasury):
    pay(account, treasury, 5)
    with pytest.raises(IntegrityError, match="account_user_balance_not_negative"):
        pay(account, treasury, -6, "r:2")
    pay(account, treasury, -5, "r:3")
    assert balance_of(user.identity_id) == 0


def test_it_refuses_a_reference_twice(user, account, treasury):
    pay(account, treasury)
    with pytest.raises(IntegrityError, match="transaction_reference_is_unique"):
        pay(account, treasury)
    assert balance_of(user.identity_id) == 5


def test_it_refuses_a_balance_written_by_hand(user, account, treasury):
    pay(account, treasury)
    with pytest.raises(IntegrityError, match="only with the entries"):
        Account.objects.filter(pk=account).update(balance=1_000_000)
    with pytest.raises(IntegrityError, match="starts at zero"):
        Account.objects.create(kind=AccountKind.USER, identity_id=make_person("rich").identity_id, balance=9)
    assert balance_of(user.identity_id) == 5


def test_it_refuses_to_delete_who_has_a_history(user, account, treasury):
    pay(account, treasury)
    with pytest.raises(DatabaseError):
        user.user.delete()


def test_it_posts_many_at_once_and_all_or_none(account, treasury):
    good = [Posting(f"g:{n}", ((treasury, -1), (account, 1))) for n in range(50)]
    bad = Posting("b", ((treasury, -1), (account, 2)))
    with pytest.raises(IntegrityError):
        post_transactions(reason=Reason.AWARD, postings=[*good, bad], now=now())
    assert not Entry.objects.exists()
    assert len(post_transactions(reason=Reason.AWARD, postings=good, now=now())) == 50
    assert post_transactions(reason=Reason.AWARD, postings=[], now=now()) == {}


def test_history_shows_every_line_with_the_balance_after_it(user, account, treasury):
    for n, amount in enumerate([5, 10, -3]):
        pay(account, treasury, amount, f"r:{n}")
    lines = history_of(identity_id=user.identity_id)
    assert [(line.amount, line.balance_after) for line in lines] == [(-3, 12), (10, 15), (5, 5)]
    page = history_of(identity_id=user.identity_id, before_id=lines[0].entry_id, limit=1)
    assert [(line.amount, line.balance_after) for line in page] == [(10, 15)]
    assert history_of(identity_id=None) == []


def test_there_is_one_account_of_each_system_kind(treasury):
    assert system_account_id(AccountKind.TREASURY) == treasury
    with pytest.raises(IntegrityError):
        Account.objects.create(kind=AccountKind.TREASURY)
