"""What keeps each old client sane: section 1.4 of the wire protocol as assertions on our answers, row by row.

ArtBot asks again at once, without end, on 403 to GET and on anything that is not JSON; after a POST it goes on cleanly on
201 with a reward, and on 403. stable-ui wants exactly 200 and 201, the iOS app exactly 200 from the image itself, the
Discord bot a message, the Telegram bot a reward. None of them can read anything but JSON with a `message`.
"""

import json
import re
import uuid
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key, revoke_api_key
from accounts.valkey import get_client
from config.settings.limits import Limit
from ratings.importers.sources import SourceImage
from ratings.leases import book
from ratings.leases.token import LIVE_MS
from ratings.models import Dataset, Image, ImageStatus, Rating
from ratings.services.importing import import_image
from tests.factories import DatasetFactory, make_images
from tests.outages import NO_VALKEY
from tests.people import make_person
from tests.ratings.pictures import picture_bytes

pytestmark = pytest.mark.django_db
NEW = "/api/v1/rating/new"


def new(client, path=NEW, **headers):
    return client.get(path, headers=headers)


def post(client, image_id, body=None, **headers):
    data = json.dumps(body or {"rating": 7})
    return client.post(f"/api/v1/rating/{image_id}", data, content_type="application/json", headers=headers)


def assert_told(response, status):
    """The answer is an error that every client can show: JSON, with words in `message`, and nothing that is an image."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert isinstance(body["message"], str)
    assert body["message"].strip()
    assert not {"id", "url", "reward"} & body.keys()
    return body


def assert_image(response):
    """The answer is an image: exactly 200, because stable-ui takes any other 2xx for a failure."""
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    body = response.json()
    assert str(uuid.UUID(body["id"])) == body["id"]
    assert str(uuid.UUID(body["dataset_id"])) == body["dataset_id"]
    parts = urlsplit(body["url"])
    assert parts.scheme
    assert parts.netloc
    return body


def assert_thanked(response):
    """The rating is taken: exactly 201, words to show and a reward of 1 or more."""
    assert (response.status_code, response["Content-Type"]) == (201, "application/json")
    body = response.json()
    assert body["message"].strip()
    assert isinstance(body["reward"], int)
    assert body["reward"] >= 1
    return body


# GET /rating/new, by row.


def test_200_with_an_id(rater, dataset):
    for client in (rater.api(), Client()):
        assert_image(new(client))


def test_200_never_comes_without_an_id(rater, dataset):
    """The iOS app and ArtBot wait for ever on it. Not even a mask of fields that do not exist takes the id away."""
    assert_image(new(rater.api(), **{"X-Fields": "nothing,of,ours"}))
    Image.objects.update(is_open=False)
    assert_told(new(rater.api()), 404)


def test_the_only_success_is_200(rater, dataset):
    assert {new(rater.api()).status_code for _ in range(15)} == {200}


@pytest.mark.parametrize(
    "key", ["x", "A" * 22, "9b2f5c1e-5d0b-4d3e-8a77-3f1f1a2b4c5d", "ключ".encode().decode("latin-1")]
)
def test_401_is_for_a_key_that_is_wrong(dataset, key):
    assert_told(new(Client(), apikey=key), 401)


def test_401_is_for_a_key_that_was_revoked(rater, dataset):
    key, secret = create_api_key(user=rater.user, name="old", now=timezone.now())
    assert_image(new(Client(), apikey=secret))
    revoke_api_key(user=rater.user, key_id=key.pk, now=timezone.now())
    assert_told(new(Client(), apikey=secret), 401)


def nothing_left(rater, dataset):
    Image.objects.update(is_open=False)


def no_dataset(rater, dataset):
    Dataset.objects.filter(pk=dataset.pk).update(slug="another")


def dataset_paused(rater, dataset):
    Dataset.objects.update(state="paused")


def dataset_closed(rater, dataset):
    Dataset.objects.update(state="closed")


def only_adult_images(rater, dataset):
    Image.objects.update(adult_class="adult")


def all_hidden(rater, dataset):
    Image.objects.update(is_open=False, status=ImageStatus.HIDDEN)


def all_rated(rater, dataset):
    for _ in range(Image.objects.count()):
        assert_thanked(post(rater.api(), new(rater.api()).json()["id"]))


def all_with_others(rater, dataset):
    Dataset.objects.update(target_rating_count=1)
    for name in ("one", "other"):
        other = make_person(name)
        for _ in range(10):
            assert_image(new(other.api()))


def all_held_by_oneself(rater, dataset):
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    assert_image(new(rater.api()))


EVERYDAY = [
    nothing_left,
    no_dataset,
    dataset_paused,
    dataset_closed,
    only_adult_images,
    all_hidden,
    all_rated,
    all_with_others,
    all_held_by_oneself,
]


@pytest.mark.parametrize("happen", EVERYDAY, ids=lambda happen: happen.__name__)
def test_404_is_for_every_reason_why_there_is_no_image_and_never_403(rater, dataset, happen):
    """403 would make ArtBot ask eighty times a second; 404 lets it rest, and 204 would break whoever parses JSON."""
    happen(rater, dataset)
    for _ in range(3):
        assert_told(new(rater.api()), 404)


def test_403_is_never_answered_to_get_also_when_the_key_lacks_the_scope(rater, dataset):
    _, secret = create_api_key(user=rater.user, name="read only", scopes=["read"], now=timezone.now())
    for path in (NEW, f"{NEW}/{dataset.pk}", f"{NEW}/{dataset.pk}/a%20model"):
        assert_told(new(Client(), path, apikey=secret), 401)


def test_429_is_for_taking_without_rating_and_says_how_long_to_wait(rater, dataset, monkeypatch):
    """ArtBot stops at it."""
    monkeypatch.setattr(book, "FREE_LEASES", 1)
    image = assert_image(new(rater.api()))
    Image.objects.filter(pk=image["id"]).update(is_open=False)
    response = new(rater.api())
    assert_told(response, 429)
    assert int(response["Retry-After"]) > 0


def test_non_json_is_never_answered_whatever_fails(rater, dataset, settings):
    settings.DEFAULT_DATASET = 7  # not a name at all, so an exception that nobody expected
    assert_told(new(rater.api(raise_request_exception=False)), 500)


def test_the_same_id_is_not_given_twice_while_it_is_on_the_screen(rater, dataset):
    """ArtBot ignores an image that it shows already. Twenty are held at once, so stable-ui's two are always two."""
    ids = [assert_image(new(rater.api()))["id"] for _ in range(20)]
    assert len(set(ids)) == 20


def test_stable_ui_takes_the_image_after_next_before_it_has_rated_the_last(rater, dataset):
    shown, waiting = new(rater.api()).json(), new(rater.api()).json()
    for _ in range(8):
        after_next = new(rater.api()).json()
        assert len({shown["id"], waiting["id"], after_next["id"]}) == 3
        assert_thanked(post(rater.api(), shown["id"], {"rating": 5, "artifacts": 0}))
        shown, waiting = waiting, after_next


def test_the_image_itself_is_200_for_anybody_with_a_key_or_without(db, tmp_path, settings):
    """The iOS app needs 200; the Telegram bot sends its user's key to whoever serves images; browsers send an origin."""
    settings.MEDIA_ROOT = tmp_path / "media"
    dataset = DatasetFactory(slug=settings.DEFAULT_DATASET)
    import_image(dataset=dataset, source=SourceImage(name="a", source_id="a.png", content=picture_bytes(seed=1)))
    path = urlsplit(assert_image(new(Client()))["url"]).path
    for headers in ({}, {"Apikey": "x"}, {"Origin": "https://artbot.example"}):
        response = Client().get(path, headers=headers)
        assert response.status_code == 200
        assert response["Content-Type"].startswith("image/")
        assert b"".join(response.streaming_content) if response.streaming else response.content


# POST /rating/{id}, by row.


def test_201_with_a_message_and_a_reward(rater, dataset):
    for client in (rater.api(), Client()):
        assert_thanked(post(client, new(client).json()["id"]))


def test_the_only_success_is_201_also_when_it_is_repeated_or_kept_for_later(rater, dataset, settings):
    image, other = new(rater.api()).json(), new(rater.api()).json()
    for _ in range(2):
        assert_thanked(post(rater.api(), image["id"], **{"Idempotency-Key": "k"}))
    settings.REDIS_URL = NO_VALKEY
    assert_thanked(post(rater.api(), other["id"]))


def test_the_reward_is_never_0_or_missing(rater, dataset):
    """With 0, ArtBot keeps the stars of the last image, and its next click would rate another image with them."""
    for key in (rater.key, "0000000000", ""):
        image = new(Client(), apikey=key).json()
        assert_thanked(post(Client(), image["id"], apikey=key))
    for body in ({"rating": 1}, {"rating": 10, "artifacts": 0}, {"rating": 5, "artifacts": 5}):
        assert_thanked(post(rater.api(), new(rater.api()).json()["id"], body))


def test_the_message_is_never_missing_whatever_fields_are_asked_for(rater, dataset):
    image = new(rater.api()).json()
    assert_thanked(post(rater.api(), image["id"], **{"X-Fields": "nothing"}))
    assert_told(post(rater.api(), image["id"], **{"X-Fields": "reward"}), 403)


def already_rated(rater, image):
    assert_thanked(post(rater.api(), image["id"]))


def never_handed_out(rater, image):
    image["id"] = str(make_images(Dataset.objects.get(), 1)[0].pk)


def somebody_elses(rater, image):
    mine, other = image["id"], make_person("other")
    # Which images one is handed is left to chance, so it may be the same one first.
    while image["id"] == mine:
        image["id"] = new(other.api()).json()["id"]


def no_such_image(rater, image):
    image["id"] = str(uuid.uuid4())


def no_id_at_all(rater, image):
    image["id"] = "undefined"


def image_hidden(rater, image):
    Image.objects.filter(pk=image["id"]).update(is_open=False, status=ImageStatus.HIDDEN)


def image_withdrawn(rater, image):
    Image.objects.filter(pk=image["id"]).update(is_open=False, status=ImageStatus.WITHDRAWN)


def dataset_is_closed(rater, image):
    Dataset.objects.update(state="closed")


def held_too_long(rater, image):
    key = f"kudoscope:open:{rater.caller.holder}"
    for member in get_client().zrange(key, 0, -1):
        get_client().zincrby(key, -2 * LIVE_MS, member)


NOT_NOW = [
    already_rated,
    never_handed_out,
    somebody_elses,
    no_such_image,
    no_id_at_all,
    image_hidden,
    image_withdrawn,
    dataset_is_closed,
    held_too_long,
]


@pytest.mark.parametrize("happen", NOT_NOW, ids=lambda happen: happen.__name__)
def test_403_is_for_every_image_that_one_cannot_rate_now(rater, dataset, happen):
    """The only error after which ArtBot resets its stars and goes on; with 404 it would carry the last stars over."""
    image = new(rater.api()).json()
    happen(rater, image)
    before = Rating.objects.count()
    assert_told(post(rater.api(), image["id"]), 403)
    assert Rating.objects.count() == before


def test_403_is_for_a_key_without_the_scope(rater, dataset):
    _, secret = create_api_key(user=rater.user, name="read only", scopes=["read"], now=timezone.now())
    assert_told(post(Client(), uuid.uuid4(), apikey=secret), 403)


def test_403_is_for_too_often_too_and_says_how_long_to_wait(rater, dataset, settings):
    """After 429 ArtBot shows the next image under the stars of the last, and one click sends them."""
    settings.LIMITS = settings.LIMITS | {"rating": Limit(2, 3600, 1), "bad_key": Limit(2, 3600, 1)}
    image, other = new(rater.api()).json(), new(rater.api()).json()
    assert_thanked(post(rater.api(), image["id"]))
    response = post(rater.api(), other["id"])
    assert assert_told(response, 403)["rc"] == "RateLimited"
    assert int(response["Retry-After"]) > 0
    assert Rating.objects.count() == 1
    assert_told(post(Client(), other["id"], apikey="wrong"), 401)
    response = post(Client(), other["id"], apikey="wrong")
    assert assert_told(response, 403)["rc"] == "RateLimited"
    assert int(response["Retry-After"]) > 0
    assert_told(new(Client(), apikey="wrong"), 429)


def test_401_is_for_a_wrong_key_on_post_too(rater, dataset):
    image = new(rater.api()).json()
    assert_told(post(Client(), image["id"], apikey="wrong"), 401)
    assert_thanked(post(rater.api(), image["id"]))


def test_400_names_the_field_as_stable_ui_shows_it(rater, dataset):
    """It shows "message (field - text | ...)", from a map of fields to words."""
    image = new(rater.api()).json()
    body = assert_told(post(rater.api(), image["id"], {"rating": 11, "artifacts": 9}), 400)
    assert body["message"] == "Input payload validation failed"
    assert all(isinstance(text, str) and text for text in body["errors"].values())
    assert_thanked(post(rater.api(), image["id"]))


def test_non_json_is_never_answered_to_a_post(rater, dataset):
    """ArtBot would post the same rating fourteen times a second."""
    image = new(rater.api()).json()
    url = f"/api/v1/rating/{image['id']}"
    for data in (b"", b"{", b"\xff", b"rating=7", b"[]", b"null", b"7"):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense", ""):
            assert_told(rater.api().post(url, data, content_type=kind), 400)
    assert_told(rater.api().post(url, b" " * 300_000, content_type="application/json"), 413)
    assert_thanked(post(rater.api(), image["id"]))


def test_artbots_ways_with_artifacts(rater, dataset):
    """Its worst star sends none, its best sends 1; for a week it also sent the id of the dataset."""
    bodies = [{"rating": 7}, {"rating": 7, "artifacts": 1}, {"rating": 7, "datasetId": str(dataset.pk)}]
    for body in bodies:
        assert_thanked(post(rater.api(), new(rater.api()).json()["id"], body))
    assert list(Rating.objects.order_by("id").values_list("artifacts", flat=True)) == [None, 1, None]


def test_an_artbot_that_rates_its_first_image_for_ever_is_skipped_and_spoils_nothing(rater, dataset):
    """From 2023-01-28 to 2023-03-06 it sent every rating of a session to the first image's id."""
    first = new(rater.api()).json()
    assert_thanked(post(rater.api(), first["id"]))
    for _ in range(5):
        new(rater.api())
        assert_told(post(rater.api(), first["id"]), 403)
    assert Rating.objects.count() == 1


def test_the_discord_bots_button_carries_the_id(rater, dataset):
    image = new(rater.api()).json()
    assert re.fullmatch(r"rate_\d+_[0-9a-z-]+", f"rate_7_{image['id']}")
