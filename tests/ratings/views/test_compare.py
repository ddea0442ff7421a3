"""/compare/: the form that works without script, and what its script is answered."""

import re
import uuid

import pytest
from django.test import Client

from ratings.models import Comparison, Dataset, Image, Report, SetSkip, Skip
from tests.outages import NO_VALKEY

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def shown_on(response):
    """Return the set on a page: the fields of its form, and its images in their order."""
    text = response.content.decode()
    fields = dict(re.findall(r'name="(set_id|lease|idempotency_key)" value="([^"]*)"', text))
    form = text.split('<details class="report">')[0]
    return fields | {"images": re.findall(r'name="choice"\s+value="([0-9a-f-]{36})"', form)}


def ask(client, count=1):
    response = client.get("/compare/", {"count": count}, headers=JSON)
    assert response.status_code == 200
    return response.json()["sets"]


def fields_of(shown, **fields):
    return {"set_id": shown["set_id"], "lease": shown["lease"]} | fields


def post(client, headers=JSON, **fields):
    return client.post("/compare/", fields, headers=headers)


def first_of(shown):
    return shown["images"][0]["image_id"]


def test_it_works(rater, dataset, adds_up):
    client = rater.web()
    shown = shown_on(client.get("/compare/"))
    assert 2 <= len(shown["images"]) <= 4
    answer = post(client, {}, action="submit", choice=shown["images"][1], **{n: shown[n] for n in ("set_id", "lease")})
    assert (answer.status_code, answer["Location"]) == (303, "/compare/")
    comparison = Comparison.objects.get()
    assert str(comparison.best_id) == shown["images"][1]
    assert [str(pk) for pk in comparison.image_ids] == shown["images"]
    page = client.get("/compare/").content.decode()
    assert "Saved. 15 kudos pending." in page
    assert f'href="?revise={comparison.pk}"' in page
    adds_up()


def test_nothing_is_chosen_beforehand(rater, dataset):
    text = rater.web().get("/compare/").content.decode()
    assert re.search(r'name="choice"', text)
    assert not re.search(r'name="choice"[^>]*checked', text)


def test_without_a_choice_the_same_set_comes_back(rater, dataset):
    client = rater.web()
    shown = shown_on(client.get("/compare/"))
    for choice in ("", "nobody"):
        again = post(client, {}, choice=choice, **{n: shown[n] for n in ("set_id", "lease")})
        assert again.status_code == 400
        assert "Choose one, or say that there is none." in again.content.decode()
        assert shown_on(again)["images"] == shown["images"]


def test_a_comparison_is_changed_without_script(rater, outsider, dataset, adds_up):
    client = rater.web()
    [shown] = ask(client)
    given = post(client, **fields_of(shown, choice="tie")).json()["rating_id"]
    page = client.get("/compare/", {"revise": given}).content.decode()
    assert re.search(r'value="tie"[^>]*checked', page)
    answer = post(client, {}, action="revise", rating_id=given, choice=first_of(shown))
    assert answer.status_code == 303
    assert str(Comparison.objects.get().best_id) == first_of(shown)
    for person, number in ((outsider, given), (rater, 0), (rater, 2**63), (rater, "x")):
        refused = person.web().get("/compare/", {"revise": number})
        assert (refused.status_code, refused["Location"]) == (303, "/compare/")
    Comparison.objects.update(created_at="2026-01-01T00:00Z")
    assert client.get("/compare/", {"revise": given}).status_code == 303
    adds_up()


def test_the_script_leases_ahead_and_gives_back(rater, dataset):
    client = rater.web()
    sets = ask(client, 3)
    assert len({one["set_id"] for one in sets}) == 3
    assert sets[0].keys() == {"set_id", "lease", "images", "scale_version", "adult_class"}
    assert sets[0]["images"][0].keys() == {"image_id", "url", "renditions", "width", "height", "blurred_url"}
    assert client.get("/compare/", {"count": 5}, headers=JSON).status_code == 400
    assert post(client, action="return", lease=[one["lease"] for one in sets]).status_code == 204


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lease": "made-up"}, 403, "not_leased"),
        ({"set_id": str(uuid.UUID(int=2))}, 403, "not_leased"),
        ({"choice": str(uuid.UUID(int=1))}, 400, "invalid"),
        ({"choice": ""}, 400, "invalid"),
        ({"choice": "tie", "sha256": "0" * 8}, 400, "invalid"),
        ({"choice": "tie", "sha256": "no,hash"}, 400, "invalid"),
        ({"action": "dance"}, 400, "invalid"),
        ({"identity": "somebody-else"}, 409, "identity_changed"),
        ({"action": "skip", "reason": "bored"}, 400, "invalid"),
        ({"action": "report", "reason": "gore"}, 400, "invalid"),
        ({"action": "revise", "rating_id": "7"}, 404, "not_found"),
    ],
    ids=str,
)
def test_the_script_is_told_why_not(rater, dataset, change, status, code):
    client = rater.web()
    [shown] = ask(client)
    refused = post(client, **(fields_of(shown, choice="tie") | change))
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["message"]
    assert not Comparison.objects.exists()
    assert post(client, **fields_of(shown, choice="tie")).status_code == 200


def test_wrong_bytes_twice_and_a_closed_dataset_are_refused(rater, dataset):
    client = rater.web()
    [shown, other] = ask(client, 2)
    wrong = ",".join(["0" * 8] * len(shown["images"]))
    assert post(client, **fields_of(shown, choice="tie", sha256=wrong)).json()["code"] == "wrong_bytes"
    for is_repeat in (False, True):
        assert post(client, **fields_of(shown, choice="tie", idempotency_key="k")).json()["is_repeat"] == is_repeat
    assert post(client, **fields_of(shown, choice="tie")).json()["code"] == "already_rated"
    assert (
        post(client, **fields_of(other, choice="tie", idempotency_key="k")).json()["code"] == "idempotency_key_reused"
    )
    Dataset.objects.update(state="closed")
    assert post(client, **fields_of(other, choice="tie")).json()["code"] == "image_unavailable"


def test_a_set_is_skipped_and_taken_back_and_an_image_of_it_reported(rater, dataset):
    client = rater.web()
    [shown] = ask(client)
    assert post(client, **fields_of(shown, action="skip", reason="personal")).status_code == 200
    assert SetSkip.objects.get().reason == "personal"
    assert post(client, **fields_of(shown, action="unskip")).status_code == 200
    assert not SetSkip.objects.exists()
    assert post(client, **fields_of(shown, action="report", reason="gore", image_id=first_of(shown))).status_code == 200
    assert (str(Report.objects.get().image_id), str(Skip.objects.get().image_id)) == (first_of(shown), first_of(shown))
    stranger = Image.objects.exclude(pk__in=[image["image_id"] for image in shown["images"]]).first().pk
    refused = post(client, **fields_of(shown, action="report", reason="gore", image_id=stranger))
    assert refused.json()["code"] == "not_leased"


def test_a_visitor_compares_and_is_told_the_licence(dataset):
    client = Client()
    page = client.get("/compare/")
    assert "By comparing you place your answers under CC0-1.0." in page.content.decode()
    shown = shown_on(page)
    post(client, {}, choice="all_bad", **{name: shown[name] for name in ("set_id", "lease")})
    assert Comparison.objects.get().reward == 0
    assert "By comparing" not in client.get("/compare/").content.decode()


def test_where_there_is_nothing_it_says_so(rater, dataset, settings):
    Image.objects.update(is_open=False)
    assert "Nothing to compare here just now" in rater.web().get("/compare/").content.decode()
    assert rater.web().get("/compare/", headers=JSON).json()["sets"] == []
    assert rater.web().get("/compare/nowhere/").status_code == 404
    Dataset.objects.update(slug="elsewhere")
    assert rater.web().get("/compare/").status_code == 200


def test_a_get_writes_nothing_and_head_leases_nothing(rater, dataset, settings):
    client = rater.web()
    assert client.head("/compare/").status_code == 200
    assert ask(client)
    assert not (Comparison.objects.exists())
    settings.REDIS_URL = NO_VALKEY
    assert ask(client)
