import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.urls import reverse

from kudos.models import Account, AccountKind, Entry, Reason, Transaction
from kudos.services import Posting, post_transactions, system_account_id
from tests.accounts.staff import make_moderator, make_staff, make_superuser
from tests.people import now

pytestmark = pytest.mark.django_db

TABLES = {"account": Account, "transaction": Transaction, "entry": Entry}


@pytest.fixture
def root():
    return make_superuser()


@pytest.fixture
def posted(rater):
    """Fifty kudos that the rater was awarded; returns the rater's account."""
    account = Account.objects.get(identity_id=rater.identity_id)
    legs = ((system_account_id(AccountKind.TREASURY), -50), (account.pk, 50))
    post_transactions(reason=Reason.AWARD, postings=[Posting("award:1", legs, "for testing")], now=now())
    account.refresh_from_db()
    return account


def url(table, view, *args):
    return reverse(f"admin:kudos_{table}_{view}", args=args)


@pytest.mark.parametrize("table", TABLES)
def test_it_works(root, posted, table):
    listed = root.web.get(url(table, "changelist"))
    assert listed.status_code == 200
    assert b'name="action"' not in listed.content
    assert root.web.get(url(table, "change", TABLES[table].objects.latest("pk").pk)).status_code == 200


@pytest.mark.parametrize("table", TABLES)
def test_not_even_a_superuser_writes(root, posted, table):
    row = TABLES[table].objects.latest("pk")
    before = list(Entry.objects.order_by("pk").values()), list(Account.objects.order_by("pk").values())
    posts = [
        (url(table, "add"), {"kind": "user", "amount": "5", "reason": "award", "reference": "x"}),
        (url(table, "change", row.pk), {"balance": "1000000", "amount": "1000000", "note": "x"}),
        (url(table, "delete", row.pk), {"post": "yes"}),
    ]
    for address, data in posts:
        assert root.web.post(address, data).status_code == 403
    forged = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [str(row.pk)], "index": "0", "post": "yes"}
    root.web.post(url(table, "changelist"), forged)
    assert before == (list(Entry.objects.order_by("pk").values()), list(Account.objects.order_by("pk").values()))


@pytest.mark.parametrize("table", TABLES)
def test_every_permission_of_the_ledger_lets_one_look_and_nothing_else(posted, table):
    staff = make_staff()
    staff.user.user_permissions.set(Permission.objects.filter(content_type__app_label="kudos"))
    row = TABLES[table].objects.latest("pk")
    assert staff.web.get(url(table, "changelist")).status_code == 200
    assert staff.web.post(url(table, "change", row.pk), {"amount": "1"}).status_code == 403
    assert staff.web.post(url(table, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("table", TABLES)
def test_moderators_and_outsiders_do_not_see_the_ledger(rater, posted, table):
    address = url(table, "changelist")
    assert make_moderator().web.get(address).status_code == 403
    assert make_staff().web.get(address).status_code == 403
    assert rater.web().get(address).status_code == 302


def test_an_account_leads_to_its_entries_and_a_transaction_shows_its_legs(root, rater, posted):
    page = root.web.get(url("account", "change", posted.pk)).content.decode()
    entries = f"{url('entry', 'changelist')}?account__id__exact={posted.pk}"
    assert f'href="{entries}"' in page
    assert "rater" in page
    assert [entry.amount for entry in root.web.get(entries).context["cl"].result_list] == [50]
    legs = root.web.get(url("transaction", "change", Transaction.objects.get().pk)).content.decode()
    assert "-50" in legs
    assert "treasury" in legs


def test_only_accounts_of_people_show_a_balance(root, posted):
    rows = root.web.get(url("account", "changelist")).content.decode()
    assert rows.count('class="field-stored_balance">50<') == 1
    assert rows.count('class="field-stored_balance">-<') == 1


@pytest.mark.parametrize(("table", "term"), [("transaction", "award:1"), ("account", "rater")])
def test_search_finds_by_what_is_indexed(root, posted, table, term):
    assert root.web.get(url(table, "changelist"), {"q": term}).context["cl"].result_count == 1
    number = TABLES[table].objects.latest("pk").pk
    assert root.web.get(url(table, "changelist"), {"q": number}).context["cl"].result_count == 1
