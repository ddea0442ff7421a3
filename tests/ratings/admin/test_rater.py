"""What the pages say of quarantine and of vouching, that they do it, and the way back."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from ratings.models import ModerationAction, Rater
from ratings.services.quarantine import quarantine_rater
from ratings.services.rater import ensure_rater
from tests.people import make_stranger, now

pytestmark = pytest.mark.django_db

LIST = "/admin/ratings/rater/"


def rater_of(person):
    return Rater.objects.get(identity_id=person.identity_id)


def page_of(client, rater):
    return client.get(reverse("admin:ratings_rater_change", args=[rater.pk])).content.decode()


def address(name, rater):
    return f"{reverse(f'admin:ratings_{name}')}?keys={rater.pk}"


def confirm(client, name, rater):
    data = {"keys": str(rater.pk), "filters": "", "reason": "A script did it."}
    return client.post(reverse(f"admin:ratings_{name}"), data)


def said(client, name, rater):
    return " ".join(client.get(address(name, rater)).context["impact"].sentences)


def test_quarantine_from_the_page_of_a_rater_and_back(moderator, rater, rate, adds_up):
    rate(rater, 3)
    suspect = rater_of(rater)
    assert f'href="{address("quarantine_rater", suspect)}"' in page_of(moderator.web, suspect)
    assert f'href="{address("end_quarantine", suspect)}"' not in page_of(moderator.web, suspect)
    assert "3 ratings stop counting." in said(moderator.web, "quarantine_rater", suspect)
    assert confirm(moderator.web, "quarantine_rater", suspect).status_code == 302
    assert rater_of(rater).state == "quarantined"
    report = moderator.web.get(LIST).content.decode()
    assert "Rater quarantined: 3." in report
    assert address("end_quarantine", suspect).replace("&", "&amp;") in report
    assert "3 ratings count again." in said(moderator.web, "end_quarantine", suspect)
    confirm(moderator.web, "end_quarantine", suspect)
    assert (rater_of(rater).state, rater_of(rater).counted_count) == ("new", 3)
    adds_up()


def test_vouching_and_no_longer(moderator, rater, rate):
    rate(rater)
    known = rater_of(rater)
    assert "vouches for them" in said(moderator.web, "validate_rater", known)
    confirm(moderator.web, "validate_rater", known)
    assert rater_of(rater).is_trusted
    assert f'href="{address("end_validation", known)}"' in page_of(moderator.web, known)
    confirm(moderator.web, "end_validation", known)
    assert not rater_of(rater).is_trusted


@pytest.mark.parametrize("name", ["quarantine_rater", "end_quarantine", "validate_rater", "end_validation"])
def test_everybody_at_once_is_not_decided_about(moderator, dataset, name):
    shared = Rater.objects.get(identity_id=ensure_rater(make_stranger(), now=now()))
    assert "nothing to do" in said(moderator.web, name, shared)
    assert confirm(moderator.web, name, shared).status_code == 200
    assert not ModerationAction.objects.exists()


def test_one_rater_at_a_time(moderator, rater, outsider, rate):
    rate(rater)
    rate(outsider)
    keys = [str(pk) for pk in Rater.objects.values_list("pk", flat=True)]
    data = {"action": "quarantine_rater", ACTION_CHECKBOX_NAME: keys, "index": "0", "select_across": "0"}
    response = moderator.web.post(LIST, data, follow=True)
    assert "one at a time" in response.content.decode()
    assert not Rater.objects.filter(state="quarantined").exists()


def test_the_page_of_the_action_leads_to_the_rater_and_to_undoing(moderator, rater, rate):
    rate(rater)
    suspect = rater_of(rater)
    action = quarantine_rater(rater_id=suspect.pk, by=moderator.user, reason="set-up", now=now())
    page = moderator.web.get(reverse("admin:ratings_moderationaction_change", args=[action.pk])).content.decode()
    assert f'href="{address("end_quarantine", suspect)}"' in page
    assert f'href="{reverse("admin:ratings_rater_change", args=[suspect.pk])}"' in page
    assert f"rater {suspect.pk}" in moderator.web.get("/admin/ratings/moderationaction/").content.decode()
