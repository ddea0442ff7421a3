"""Moderators see the outbox and decide about what is in doubt; nobody else does."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from kudos.models import Entry, Payout
from kudos.queries import balance_of
from tests.accounts.staff import make_moderator, make_staff
from tests.horde_award import KEY
from tests.kudos.conftest import collect, make_horde_identity
from tests.kudos.test_payouts import doubtful_payout, send
from tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_moderator()


@pytest.fixture(autouse=True)
def _site_with_payouts(settings, horde):
    settings.HORDE_URL, settings.HORDE_AWARD_KEY, settings.HORDE_ALLOW_PRIVATE = horde.url, KEY, True


@pytest.fixture
def painter():
    return make_horde_identity(7, 50)


@pytest.fixture
def doubtful(painter, horde, award):
    horde.standings["7"] = 1000
    return doubtful_payout(horde, award)


def url_of(payout):
    return reverse("admin:kudos_decide_payout", args=[payout.pk])


def state():
    return list(Payout.objects.order_by("pk").values()), Entry.objects.count()


def test_it_works(moderator, doubtful, painter, adds_up):
    page = moderator.web.get(url_of(doubtful))
    assert page.status_code == 200
    text = page.content.decode()
    for figure in ("50 kudos were sent to painter#7", "has changed by 50", "<td>1,000</td>", "<td>1,050</td>"):
        assert figure in text
    data = {"decision": "arrived", "note": "The user has them."}
    response = moderator.web.post(url_of(doubtful), data, follow=True)
    assert "On record" in response.content.decode()
    doubtful.refresh_from_db()
    assert (doubtful.state, doubtful.decided_by) == ("paid", moderator.user)
    assert LogEntry.objects.get().change_message == "arrived: The user has them."
    assert balance_of(painter.pk) == 0
    adds_up()


@pytest.mark.parametrize(("decision", "balance", "count"), [("send_again", 0, 2), ("give_back", 50, 1)])
def test_what_did_not_arrive(moderator, doubtful, painter, adds_up, decision, balance, count):
    moderator.web.post(url_of(doubtful), {"decision": decision, "note": "They have not."})
    assert balance_of(painter.pk) == balance
    assert Payout.objects.count() == count
    adds_up()


def test_a_list_with_every_state(moderator, horde, award):
    manners = {"a#1": "awards", "b#2": "refuses", "c#3": "drops", "d#4": "is_busy"}
    for name in manners:
        make_horde_identity(name[2:], 50, name=name)
    horde.manners = manners
    collect(award)
    send(award)
    listed = moderator.web.get(reverse("admin:kudos_payout_changelist"))
    assert listed.status_code == 200
    for word in ("paid", "refused", "ambiguous", "pending", "Target user is rejected."):
        assert word in listed.content.decode()
    only = moderator.web.get(reverse("admin:kudos_payout_changelist"), {"state__exact": "ambiguous"})
    assert [row.username for row in only.context["cl"].result_list] == ["c#3"]


@pytest.mark.parametrize(("term", "count"), [("#7", 1), ("#8", 0), ("#", 0), ("painter", 0), ("7" * 30, 0)])
def test_search(moderator, doubtful, term, count):
    found = moderator.web.get(reverse("admin:kudos_payout_changelist"), {"q": term})
    assert found.context["cl"].result_count == count
    by_id = moderator.web.get(reverse("admin:kudos_payout_changelist"), {"q": str(doubtful.pk)})
    assert by_id.context["cl"].result_count == 1


def test_the_page_of_a_payout_leads_to_the_decision_while_there_is_one(moderator, doubtful):
    address = reverse("admin:kudos_payout_change", args=[doubtful.pk])
    assert url_of(doubtful) in moderator.web.get(address).content.decode()
    moderator.web.post(url_of(doubtful), {"decision": "arrived", "note": "seen"})
    assert url_of(doubtful) not in moderator.web.get(address).content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"decision": "arrived"},
        {"decision": "arrived", "note": "  "},
        {"decision": "arrived", "note": "x" * 501},
        {"decision": "arrived", "note": "a\x00b"},
        {"decision": "burn", "note": "x"},
        {"decision": "", "note": "x"},
        {"note": "x"},
    ],
)
def test_without_a_decision_and_a_reason_nothing_happens(moderator, doubtful, data):
    before = state()
    assert moderator.web.post(url_of(doubtful), data).status_code == 200
    assert state() == before


def test_asking_changes_nothing(moderator, doubtful):
    before = state()
    moderator.web.get(url_of(doubtful), {"decision": "arrived", "note": "x"})
    assert state() == before


def test_a_second_decision_is_told_that_it_comes_late(moderator, doubtful):
    moderator.web.post(url_of(doubtful), {"decision": "give_back", "note": "x"})
    before = state()
    late = moderator.web.post(url_of(doubtful), {"decision": "arrived", "note": "x"}, follow=True)
    assert "somebody else has" in late.content.decode()
    assert state() == before
    assert "somebody else has" in moderator.web.get(url_of(doubtful)).content.decode()


def test_ai_horde_down_the_page_still_answers(moderator, doubtful, horde):
    horde.is_away = True
    text = moderator.web.get(url_of(doubtful)).content.decode()
    figures = re.findall(r"<td>\s*(\S+)\s*</td>", text)
    assert figures == ["0", "1,000", "1,050", "-"]
    assert "has changed by 50" in text


def test_where_nothing_is_known_the_page_says_so(moderator, painter, horde, award):
    payout = doubtful_payout(horde, award, "drops_unread")
    text = moderator.web.get(url_of(payout)).content.decode()
    assert re.findall(r"<td>\s*(\S+)\s*</td>", text) == ["0", "-", "-", "-"]
    assert "figures are not known" in text


def test_a_payout_that_does_not_exist(moderator, doubtful):
    assert moderator.web.get(reverse("admin:kudos_decide_payout", args=[doubtful.pk + 1])).status_code == 404
    assert moderator.web.post(reverse("admin:kudos_decide_payout", args=[2**62]), {}).status_code == 404


def test_others_decide_nothing(doubtful, rater):
    seer = make_staff("seer")
    seer.user.user_permissions.set(Permission.objects.filter(codename="view_payout"))
    before = state()
    for web, status in ((seer.web, 403), (make_staff().web, 403), (rater.web(), 302)):
        assert web.get(url_of(doubtful)).status_code == status
        assert web.post(url_of(doubtful), {"decision": "arrived", "note": "x"}).status_code == status
    assert seer.web.get(reverse("admin:kudos_payout_changelist")).status_code == 200
    assert state() == before


def test_the_owner_reads_what_became_of_it(horde, award, moderator):
    person = make_person("ada")
    manners = {"a#1": "awards", "b#2": "refuses", "c#3": "drops", "d#4": "is_busy"}
    for name in manners:
        make_horde_identity(name[2:], 50, name=name, user=person.user)
    horde.manners = manners
    collect(award)
    send(award)
    text = person.web().get(reverse("kudos:history")).content.decode()
    for words in ("Arrived", "Refused by AI Horde", "a moderator is finding out", "Waits to be sent", "a#1"):
        assert words in text
    assert "Target user is rejected" not in text, "what AI Horde says is for moderators"
    doubtful = Payout.objects.get(state="ambiguous")
    moderator.web.post(url_of(doubtful), {"decision": "send_again", "note": "x"})
    assert "sent again" in person.web().get(reverse("kudos:history")).content.decode()
    assert "a#1" not in make_person("eve").web().get(reverse("kudos:history")).content.decode()
