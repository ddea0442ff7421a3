"""The outbox on a terminal."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kudos.models import Entry, Payout
from kudos.queries import balance_of
from tests.factories import UserFactory
from tests.kudos.conftest import make_horde_identity
from tests.kudos.test_payouts import doubtful_payout

pytestmark = pytest.mark.django_db


@pytest.fixture
def painter():
    return make_horde_identity(7, 50)


@pytest.fixture
def doubtful(painter, horde, award):
    UserFactory(username="operator")
    return doubtful_payout(horde, award, "fails_before")


def run(*arguments):
    output = StringIO()
    call_command("payouts", *map(str, arguments), stdout=output)
    return output.getvalue()


def decide(payout, decision, by="operator", reason="asked the user"):
    return run("decide", payout.pk, decision, "--by", by, "--reason", reason)


def test_it_works(doubtful, painter, adds_up):
    assert "painter#7\t50\tambiguous\tInternal Server Error" in run("list")
    assert run("list", "--state", "paid") == ""
    assert "On record: it did not arrive: give it back." in decide(doubtful, "give-back")
    assert run("list") == ""
    assert "\treturned\t" in run("list", "--state", "all")
    assert balance_of(painter.pk) == 50
    adds_up()


def test_it_refuses_what_the_page_refuses(doubtful):
    entries = Entry.objects.count()
    refused = [
        {"by": "nobody"},
        {"reason": "  "},
        {"reason": "x" * 501},
        {"reason": "a\0b"},
    ]
    for options in refused:
        with pytest.raises(CommandError):
            decide(doubtful, "give-back", **options)
    with pytest.raises(CommandError):
        decide(doubtful, "burn")
    with pytest.raises(CommandError, match="somebody else has"):
        decide(Payout(pk=doubtful.pk + 1), "arrived")
    with pytest.raises(CommandError, match="1 or more"):
        run("list", "--limit", 0)
    assert Payout.objects.get().state == "ambiguous"
    assert Entry.objects.count() == entries


def test_nobody_decides_who_may_not_sign_in(doubtful):
    UserFactory(username="gone", is_active=False)
    with pytest.raises(CommandError, match="no user"):
        decide(doubtful, "arrived", by="gone")
