"""The rating page over HTTP: as a form, and as the script speaks to it."""

import html
import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from accounts.access import BROWSER_COOKIE
from accounts.models import Identity
from ratings.models import Dataset, Image, ImageStatus, Rating, Skip
from ratings.services.preferences import record_training
from tests.factories import DatasetFactory, make_images
from tests.people import now

RATE = "/rate/"
JSON = {"accept": "application/json"}


@pytest.fixture
def browser(dataset):
    """A browser without an account that keeps its cookies."""
    return Client()


def read_form(response):
    """Return the hidden fields of the page's form."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode())
    return {name: html.unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def answer(page, **given):
    return read_form(page) | {"action": "submit"} | given


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_it_works(browser):
    page = browser.get(RATE)
    assert page.status_code == 200

    response = browser.post(RATE, answer(page, aesthetic=7, artifacts=1))

    assert response.status_code == 303
    assert response["Location"] == RATE
    rating = Rating.objects.get()
    assert (rating.aesthetic, rating.artifacts, rating.proof, rating.client_agent) == (
        7,
        1,
        "lease",
        "kudoscope-page:1:this-site",
    )
    following = browser.get(RATE)
    assert messages_of(following) == ["Saved: 7 and 1."]
    assert read_form(following)["image_id"] != read_form(page)["image_id"]
    assert "Image 2" in following.content.decode()


def test_artifacts_may_be_left_out(browser):
    browser.post(RATE, answer(browser.get(RATE), aesthetic=10))

    assert Rating.objects.get().artifacts is None
    assert messages_of(browser.get(RATE)) == ["Saved: 10."]


def test_the_page_gives_nothing_away(browser):
    Image.objects.update(prompt="a secret prompt", model_name="a secret model", source_url="https://secret.example/")

    text = browser.get(RATE).content.decode()

    assert "secret" not in text
    # Of what the rater says; how the keys work is ticked as it comes.
    assert " checked" not in re.sub(r'id="(keys-on|auto-advance)" checked', "", text)


def test_the_page_knows_who_has_practised(browser):
    """The script marks what was rated before that; whoever finished practising is not marked for ever."""
    browser.post(RATE, answer(browser.get(RATE), aesthetic=7))
    assert 'data-is-trained=""' in browser.get(RATE).content.decode()

    record_training(identity_id=Identity.objects.get().pk, now=now())

    assert 'data-is-trained="1"' in browser.get(RATE).content.decode()


def test_a_look_writes_nothing_and_gives_the_browser_a_name(browser):
    response = browser.get(RATE)

    assert Identity.objects.count() == 0
    cookie = response.cookies[BROWSER_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "no-store" in response["Cache-Control"]
    assert BROWSER_COOKIE not in browser.get(RATE).cookies


def test_a_browser_rates_under_one_name(browser):
    for value in (3, 4):
        browser.post(RATE, answer(browser.get(RATE), aesthetic=value))

    assert [identity.kind for identity in Identity.objects.all()] == ["browser"]
    assert Rating.objects.count() == 2


def test_a_signed_in_person_rates_under_their_account(dataset, rater):
    web = rater.web()

    web.post(RATE, answer(web.get(RATE), aesthetic=7))

    assert Rating.objects.get().rater.identity.user == rater.user


def test_the_licence_is_named_until_the_first_rating(browser):
    licence = "By rating you place your ratings under CC0-1.0."
    page = browser.get(RATE)
    assert licence in page.content.decode()

    browser.post(RATE, answer(page, aesthetic=7))

    assert licence not in browser.get(RATE).content.decode()


def test_the_same_form_sent_twice_is_saved_once(browser):
    sent = answer(browser.get(RATE), aesthetic=7)
    browser.post(RATE, sent)
    browser.get(RATE)

    browser.post(RATE, sent)

    assert Rating.objects.count() == 1
    assert messages_of(browser.get(RATE)) == ["Saved: 7."]


def test_another_answer_for_the_same_image_is_refused(browser):
    sent = answer(browser.get(RATE), aesthetic=7)
    browser.post(RATE, sent)
    browser.get(RATE)

    browser.post(RATE, sent | {"aesthetic": 2, "idempotency_key": str(uuid.uuid4())})

    assert Rating.objects.get().aesthetic == 7
    following = browser.get(RATE)
    assert messages_of(following) == ["You have rated this image already."]
    assert "Not saved." in following.content.decode()


def test_no_answer_shows_the_same_image_again(browser):
    page = browser.get(RATE)

    response = browser.post(RATE, answer(page, artifacts=3))

    assert response.status_code == 400
    text = response.content.decode()
    assert "Choose 1 to 10 first." in text
    assert read_form(response)["image_id"] == read_form(page)["image_id"]
    assert re.search(r'name="artifacts"\s+value="3"[^>]* checked', text)
    assert Rating.objects.count() == 0
    browser.post(RATE, answer(response, aesthetic=5, artifacts=3))
    assert Rating.objects.get().aesthetic == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"aesthetic": "0"},
        {"aesthetic": "11"},
        {"aesthetic": "7.5"},
        {"aesthetic": "seven"},
        {"aesthetic": "9" * 400},
        {"aesthetic": 7, "artifacts": "6"},
        {"aesthetic": 7, "artifacts": "-1"},
        {"aesthetic": 7, "idempotency_key": "k" * 41},
        {"aesthetic": 7, "idempotency_key": "a\x00b"},
    ],
)
def test_wrong_answers_are_named_and_not_saved(browser, wrong):
    response = browser.post(RATE, answer(browser.get(RATE), **wrong))

    assert response.status_code == 400
    assert Rating.objects.count() == 0


@pytest.mark.parametrize(
    "wrong", [{"image_id": "x"}, {"image_id": ""}, {"lease": ""}, {"lease": "x" * 500}, {"lease": "a\x00"}]
)
def test_an_incomplete_page_leads_to_another_image(browser, wrong):
    response = browser.post(RATE, answer(browser.get(RATE), aesthetic=7, **wrong))

    assert response.status_code == 303
    assert messages_of(browser.get(RATE)) == ["This page was incomplete. Here is another image."]
    assert Rating.objects.count() == 0


def test_an_empty_post_leads_to_an_image(browser):
    assert browser.post(RATE, {}).status_code == 303


def test_a_lease_of_somebody_else_is_refused(browser, dataset):
    stolen = answer(Client().get(RATE), aesthetic=7)

    browser.post(RATE, stolen)

    assert Rating.objects.count() == 0
    assert messages_of(browser.get(RATE)) == ["The lease was not given to you."]


def test_a_lease_is_good_for_its_own_image_only(browser, dataset):
    other = dataset.images.first()
    page = browser.get(RATE)
    if read_form(page)["image_id"] == str(other.pk):
        other = dataset.images.last()

    browser.post(RATE, answer(page, aesthetic=7, image_id=other.pk))

    assert Rating.objects.count() == 0


def test_an_image_that_was_withdrawn_is_refused_in_words(browser):
    page = browser.get(RATE)
    Image.objects.filter(pk=read_form(page)["image_id"]).update(status=ImageStatus.WITHDRAWN, is_open=False)

    browser.post(RATE, answer(page, aesthetic=7))

    assert messages_of(browser.get(RATE)) == ["This image is no longer there to be rated. Go on with the next one."]


def test_skip(browser):
    page = browser.get(RATE)

    response = browser.post(RATE, answer(page, action="skip", aesthetic=7))

    assert response.status_code == 303
    assert str(Skip.objects.get().image_id) == read_form(page)["image_id"]
    assert Rating.objects.count() == 0
    assert messages_of(browser.get(RATE)) == ["Skipped. This image will not be shown to you for a month."]


def test_skip_wants_the_lease_too(browser, dataset):
    response = browser.post(RATE, {"action": "skip", "image_id": dataset.images.first().pk, "lease": "x"})

    assert response.status_code == 303
    assert Skip.objects.count() == 0


def test_a_token_of_this_site_is_wanted(dataset):
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(RATE)

    response = strict.post(RATE, answer(page, aesthetic=7))

    assert response.status_code == 403
    assert "Please send it again" in response.content.decode()
    assert Rating.objects.count() == 0
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]
    assert strict.post(RATE, answer(page, aesthetic=7, csrfmiddlewaretoken=token)).status_code == 303


def test_when_all_is_rated_it_says_so(browser, dataset):
    Image.objects.exclude(pk=dataset.images.first().pk).update(is_open=False)
    browser.post(RATE, answer(browser.get(RATE), aesthetic=7))

    response = browser.get(RATE)

    assert response.status_code == 200
    text = response.content.decode()
    assert "Nothing to rate here just now" in text
    assert "There is no image left for you to rate here." in text
    assert messages_of(response) == ["Saved: 7."]
    assert 'id="rating"' not in text


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_dataset_that_is_not_open_hands_out_nothing(browser, dataset, state):
    Dataset.objects.update(state=state)

    response = browser.get(f"/rate/{dataset.slug}/")

    assert response.status_code == 200
    assert "This dataset is not handing out images at the moment." in response.content.decode()


def test_a_new_installation_has_no_dataset(db, client):
    response = client.get(RATE)

    assert response.status_code == 200
    assert "No dataset is open at the moment." in response.content.decode()
    assert client.post(RATE, {"aesthetic": 7}).status_code == 303


def test_a_dataset_by_name(browser, dataset):
    other = DatasetFactory(slug="other")
    make_images(other, 3)

    page = browser.get("/rate/other/")
    response = browser.post("/rate/other/", answer(page, aesthetic=7))

    assert response["Location"] == "/rate/other/"
    assert Rating.objects.get().dataset == other


def test_an_unknown_dataset_is_not_found(browser):
    assert browser.get("/rate/nowhere/").status_code == 404
    assert browser.post("/rate/nowhere/", {}).status_code == 404


def test_only_get_and_post(browser):
    assert browser.put(RATE).status_code == 405
    assert browser.delete(RATE).status_code == 405


class TestScript:
    """What rate.js asks for and gets."""

    def test_images_ahead(self, browser):
        answered = browser.get(RATE, {"count": 2}, headers=JSON)

        images = answered.json()["images"]
        assert len({image["image_id"] for image in images}) == 2
        assert set(images[0]) == {
            *("image_id", "lease", "url", "renditions", "width", "height", "alt"),
            *("adult_class", "blurred_url", "scale_version", "is_practice"),
        }
        assert images[0]["url"] == reverse("ratings:image_sized", args=[images[0]["image_id"], 1024])
        assert "no-store" in answered["Cache-Control"]

    @pytest.mark.parametrize("count", ["0", "9", "-1", "x", "9" * 400])
    def test_a_wrong_count(self, browser, count):
        assert browser.get(RATE, {"count": count}, headers=JSON).status_code == 400

    def test_submit(self, browser):
        sent = answer(browser.get(RATE), aesthetic=7, artifacts=1)

        response = browser.post(RATE, sent, headers=JSON)

        reply = response.json()
        assert response.status_code == 200
        assert (reply["message"], reply["reward"]) == ("Saved: 7 and 1.", 0)
        assert set(reply) == {"message", "reward", "rating_id", "is_repeat", "revisable_until"}

    def test_skip(self, browser):
        reply = browser.post(RATE, answer(browser.get(RATE), action="skip"), headers=JSON).json()

        assert reply == {"message": "Skipped. This image will not be shown to you for a month.", "reward": 0}

    def test_the_end(self, browser, dataset):
        Image.objects.update(is_open=False)

        reply = browser.get(RATE, headers=JSON)

        assert reply.status_code == 200
        assert reply.json() == {
            "images": [],
            "message": "There is no image left for you to rate here. New ones may come.",
        }

    @pytest.mark.parametrize(
        ("change", "status", "message", "code"),
        [
            ({"aesthetic": ""}, 400, "Choose 1 to 10 first.", "invalid"),
            ({"action": "sleep"}, 400, "There is no such action on this page.", "invalid"),
            ({"lease": "x"}, 403, "The lease cannot be read.", "not_leased"),
            (
                {"image_id": "00000000-0000-4000-8000-000000000000"},
                403,
                "The lease is for another image.",
                "not_leased",
            ),
        ],
    )
    def test_refusals(self, browser, change, status, message, code):
        response = browser.post(RATE, answer(browser.get(RATE), aesthetic=7) | change, headers=JSON)

        assert (response.status_code, response.json()) == (status, {"message": message, "code": code})
        assert Rating.objects.count() == 0

    def test_rated_already(self, browser):
        sent = answer(browser.get(RATE), aesthetic=7)
        browser.post(RATE, sent, headers=JSON)

        response = browser.post(RATE, sent | {"idempotency_key": "another"}, headers=JSON)

        assert response.status_code == 409

    def test_withdrawn(self, browser):
        sent = answer(browser.get(RATE), aesthetic=7)
        Image.objects.update(status=ImageStatus.WITHDRAWN, is_open=False)

        assert browser.post(RATE, sent, headers=JSON).status_code == 404

    def test_who_takes_and_does_not_rate_is_stopped(self, browser, monkeypatch):
        monkeypatch.setattr("ratings.leases.book.FREE_LEASES", 0)
        page = browser.get(RATE)  # one a minute there always is
        browser.post(RATE, answer(page, action="skip"))

        response = browser.get(RATE, headers=JSON)

        assert response.status_code == 429
        assert response["Retry-After"] == "60"
        assert browser.get(RATE).status_code == 429

    def test_no_dataset(self, db, client):
        assert client.get(RATE, headers=JSON).json() == {"images": [], "message": "No dataset is open at the moment."}
