"""What the rating page asks of people and gives them, by who they are: licence, work, images that are not for everybody."""

import pytest
from django.test import Client

from accounts.models import User
from config.settings.limits import LIMITS, Limit
from ratings.countermeasures import proof_of_work
from ratings.models import Image, Rating
from tests.ratings.test_proof_of_work import solve
from tests.ratings.views.test_rate import answer

pytestmark = pytest.mark.django_db
RATE = "/rate/"
JSON = {"accept": "application/json"}


def ask_for(web, *classes):
    sent = {"adult_classes": classes, "birth_year": "1980"}
    assert web.post("/rate/settings/", sent, headers=JSON).status_code == 200
    return web


def take(web, count=8):
    return web.get(f"{RATE}?count={count}", headers=JSON).json()["images"]


def send(client, image, **more):
    sent = {"action": "submit", "image_id": image["image_id"], "lease": image["lease"], "aesthetic": 7}
    return client.post(RATE, sent | {"idempotency_key": image["image_id"]} | more, headers=JSON)


@pytest.fixture
def busy(settings, monkeypatch):
    """Two answers without work."""
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", 300)
    settings.LIMITS = LIMITS | {"without_proof": Limit(3, 3600, 2)}


def test_who_asked_gets_images_of_their_classes_to_be_blurred(dataset, rater):
    Image.objects.update(adult_class="adult")
    web = ask_for(rater.web(), "adult")
    images = take(web)
    assert {image["adult_class"] for image in images} == {"adult"}
    assert all(image["blurred_url"] == f"/images/{image['image_id']}-32.webp" for image in images)
    assert send(web, images[0]).status_code == 200
    profile = web.get("/profile/").content.decode()
    assert "not shown here" in profile
    assert images[0]["image_id"] not in profile


@pytest.mark.parametrize("who", ["visitor", "outsider", "of another class"])
def test_nobody_else_does(dataset, outsider, who):
    Image.objects.update(adult_class="adult")
    web = {"visitor": Client(), "outsider": outsider.web()}.get(who) or ask_for(outsider.web(), "suggestive")
    assert take(web) == []


def test_a_page_without_script_shows_them_blurred_and_only_when_nothing_else_is_left(dataset, rater):
    ids = list(Image.objects.values_list("pk", flat=True))
    Image.objects.exclude(pk=ids[0]).update(adult_class="adult")
    web = ask_for(rater.web(), "adult")
    page = web.get(RATE)
    assert page.context["image"]["image_id"] == str(ids[0])
    assert web.post(RATE, answer(page, aesthetic=7)).status_code == 303

    page = web.get(RATE)

    image = page.context["image"]
    shown = page.content.decode()
    assert f'src="{image["blurred_url"]}"' in shown
    assert f'src="{image["url"]}"' not in shown
    assert "srcset" not in shown


def test_safe_images_have_nothing_to_blur(dataset, rater):
    assert {(image["adult_class"], image["blurred_url"]) for image in take(rater.web())} == {("safe", "")}


def test_a_busy_visitor_is_asked_for_work_and_goes_on(dataset, busy):
    client = Client()
    images = take(client, 4)
    assert [send(client, image).status_code for image in images[:2]] == [200, 200]

    refused = send(client, images[2])

    assert refused.status_code == 428
    body = refused.json()
    assert (body["code"], set(body["challenge"])) == (
        "proof_of_work",
        {"algorithm", "challenge", "maxnumber", "salt", "signature"},
    )
    assert Rating.objects.count() == 2
    assert send(client, images[2], altcha="nonsense").status_code == 428
    assert send(client, images[2], altcha=solve(body["challenge"])).status_code == 200
    assert send(client, images[3]).status_code == 200


def test_without_script_the_answers_are_kept_and_it_says_what_to_do(dataset, busy):
    client = Client()
    for _ in range(2):
        client.post(RATE, answer(client.get(RATE), aesthetic=7))
    page = client.post(RATE, answer(client.get(RATE), aesthetic=9, artifacts=2))
    assert page.status_code == 429
    assert "or sign in" in page.content.decode()
    assert Rating.objects.count() == 2


def test_an_account_is_never_asked_for_work(dataset, rater, busy):
    web = rater.web()
    assert {send(web, image).status_code for image in take(web, 5)} == {200}


def test_the_licence_is_shown_first_and_answering_accepts_it(dataset, rater):
    """Also where an account has a rater already, as after linking, and has accepted nothing."""
    User.objects.update(licence_accepted_at=None)
    web = rater.web()
    page = web.get(RATE)
    assert "By rating you place your ratings under" in page.content.decode()
    assert User.objects.get(username="rater").licence_accepted_at is None
    web.post(RATE, answer(page, aesthetic=7))
    accepted = User.objects.get(username="rater").licence_accepted_at
    assert accepted
    page = web.get(RATE)
    assert "By rating you place your ratings under" not in page.content.decode()
    web.post(RATE, answer(page, aesthetic=7))
    assert User.objects.get(username="rater").licence_accepted_at == accepted


def test_a_visitor_sees_the_licence_until_they_have_rated(dataset):
    client = Client()
    page = client.get(RATE)
    assert "By rating you place your ratings under" in page.content.decode()
    client.post(RATE, answer(page, aesthetic=7))
    assert "By rating you place your ratings under" not in client.get(RATE).content.decode()


def test_what_waits_in_a_browser_that_was_claimed_is_its_persons(dataset, rater, outsider):
    """It names the browser's identity, which is the account's former one now, and nobody else's."""
    client = Client()
    images = take(client, 3)
    before = client.get("/rate/session/").json()
    assert (before["former_identities"], before["week"]["active_days"]) == ([], 0)
    send(client, images[0], identity=before["identity"])
    client.force_login(rater.user)
    assert send(client, images[1], identity=before["identity"]).json()["code"] == "identity_changed"
    client.post("/profile/claim/", {"answer": "yes"})

    session = client.get("/rate/session/").json()

    assert session["former_identities"] == [before["identity"]]
    assert session["week"] == {"active_days": 1, "goal": 3, "weeks": 0, "is_spared": False}
    assert send(client, images[1], identity=before["identity"]).status_code == 200
    other = outsider.web()
    assert send(other, images[2], identity=before["identity"]).json()["code"] == "identity_changed"


def test_what_waits_is_still_theirs_after_signing_out_and_in_again(dataset, rater, outsider, adds_up):
    """The session that claimed is gone; that the browser is theirs is in the database."""
    client = Client()
    images = take(client, 3)
    before = client.get("/rate/session/").json()["identity"]
    send(client, images[0], identity=before)
    client.force_login(rater.user)
    client.post("/profile/claim/", {"answer": "yes"})
    client.logout()
    assert send(client, images[1], identity=before).json()["code"] == "identity_changed"
    client.force_login(outsider.user)
    assert client.get("/rate/session/").json()["former_identities"] == []
    assert send(client, images[1], identity=before).json()["code"] == "identity_changed"
    client.force_login(rater.user)
    assert client.get("/rate/session/").json()["former_identities"] == [before]

    assert [send(client, image, identity=before).status_code for image in images[1:]] == [200, 200]

    assert set(Rating.objects.values_list("rater__identity__user__username", flat=True)) == {"rater"}
    assert Rating.objects.count() == 3
    adds_up()


def test_an_answer_whose_receipt_was_lost_before_the_claim_is_a_repeat_after_it(dataset, rater, adds_up):
    client = Client()
    [image] = take(client, 1)
    before = client.get("/rate/session/").json()["identity"]
    first = send(client, image, identity=before).json()
    client.force_login(rater.user)
    client.post("/profile/claim/", {"answer": "yes"})

    again = send(client, image, identity=before)

    assert (again.status_code, again.json()["is_repeat"], again.json()["rating_id"]) == (200, True, first["rating_id"])
    assert Rating.objects.count() == 1
    adds_up()
