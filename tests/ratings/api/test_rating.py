"""GET /rating/new and POST /rating/{id}, as docs/api.md and the old clients expect them, status by status."""

import json
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.services import create_api_key, revoke_api_key
from accounts.tasks import record_key_usage_task
from ratings.models import Image, Rating
from tests.people import make_person

pytestmark = pytest.mark.django_db
NEW = "/api/v1/rating/new"


def new(client, **headers):
    return client.get(NEW, headers=headers)


def post(client, image_id, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(f"/api/v1/rating/{image_id}", data, content_type="application/json", headers=headers)


def assert_error(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["rc"]
    return body


def test_it_works(rater, dataset, adds_up):
    client = rater.api()
    image = new(client)
    assert image.status_code == 200
    body = image.json()
    assert body["url"] == f"http://testserver/images/{body['id']}.webp"
    assert body["dataset_id"] == str(dataset.pk)
    assert str(uuid.UUID(body["id"])) == body["id"]
    answer = post(client, body["id"], {"rating": 7, "artifacts": 1, "lease": body["lease"]})
    assert answer.status_code == 201
    assert answer.json() == {"message": "Rating submitted", "reward": 5}
    assert Rating.objects.get().client_agent == "tests:1:nobody"
    adds_up()


@pytest.mark.parametrize("key", [None, "", "0000000000"])
def test_anybody_may_rate_with_the_anonymous_key(dataset, key):
    headers = {} if key is None else {"apikey": key}
    body = new(Client(), **headers).json()
    answer = post(Client(), body["id"], {"rating": 3}, **headers)
    assert answer.status_code == 201
    assert answer.json()["reward"] >= 1
    rating = Rating.objects.get()
    assert (rating.is_shared, rating.reward, rating.client_agent) == (True, 0, "unknown:0:unknown")


@pytest.mark.parametrize("header", ["apikey", "Apikey", "APIKEY", "bearer"])
def test_the_key_comes_in_a_header_of_any_case_or_as_a_bearer_token(rater, dataset, header):
    headers = {"Authorization": f"Bearer {rater.key}"} if header == "bearer" else {header: rater.key}
    body = new(Client(), **headers).json()
    assert post(Client(), body["id"], {"rating": 3}, **headers).status_code == 201
    assert Rating.objects.get().rater.identity_id == rater.identity_id


@pytest.mark.parametrize("key", ["x", "A" * 22, "é" * 22, "A" * 5000, "0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15"])
def test_a_wrong_key_is_401_everywhere(dataset, key):
    headers = {"apikey": key.encode("utf-8").decode("latin-1")}
    assert_error(new(Client(), **headers), 401)
    assert_error(post(Client(), uuid.uuid4(), {"rating": 3}, **headers), 401)


def test_a_revoked_key_is_refused_at_once(rater, dataset):
    assert new(rater.api()).status_code == 200
    revoke_api_key(user=rater.user, key_id=ApiKey.objects.get(user=rater.user).pk, now=timezone.now())
    assert_error(new(rater.api()), 401)


def test_the_key_of_a_user_who_may_not_sign_in_is_refused(rater, dataset):
    User.objects.update(is_active=False)
    assert_error(new(rater.api()), 401)


def test_a_key_needs_the_scope(rater, dataset):
    _, key = create_api_key(user=rater.user, name="read only", scopes=["read"], now=timezone.now())
    # Never 403 on GET, on which some old clients ask again at once and for ever.
    assert "rate" in assert_error(new(Client(), apikey=key), 401)["message"]
    assert "rate" in assert_error(post(Client(), uuid.uuid4(), {"rating": 3}, apikey=key), 403)["message"]


def test_the_use_of_a_key_is_noted_by_the_worker_not_by_the_request(rater, dataset):
    new(rater.api())
    assert ApiKey.objects.get().last_used_at is None
    record_key_usage_task()
    assert ApiKey.objects.get().last_used_at is not None


def test_no_image_left_is_404_with_a_message(rater, dataset):
    Image.objects.update(is_open=False)
    assert_error(new(rater.api()), 404)


def test_no_dataset_at_all_is_404_with_a_message(rater):
    assert_error(new(rater.api()), 404)


def test_a_content_type_on_a_get_without_a_body_does_not_matter(rater, dataset):
    response = rater.api().generic("GET", NEW, b"", content_type="application/json")
    assert response.status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "image/webp", "", "*/*;q=0.1", "nonsense"])
def test_it_answers_json_whatever_is_accepted(rater, dataset, accept):
    response = new(rater.api(), Accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_two_gets_in_a_row_give_two_images(rater, dataset):
    assert new(rater.api()).json()["id"] != new(rater.api()).json()["id"]


def test_x_fields_choose_what_a_success_holds(rater, dataset):
    assert set(new(rater.api(), **{"X-Fields": "id, url"}).json()) == {"id", "url"}
    assert "message" in post(rater.api(), uuid.uuid4(), {"rating": 3}, **{"X-Fields": "reward"}).json()


@pytest.mark.parametrize(
    ("artifacts", "stored"),
    [(0, 0), (5, 5), ("3", 3), ("FLAWLESS", 0), ("GARBAGE", 5), (None, None), ("absent", None)],
)
def test_artifacts_are_optional_and_may_be_named(rater, dataset, artifacts, stored):
    body = {"rating": 3} if artifacts == "absent" else {"rating": 3, "artifacts": artifacts}
    image = new(rater.api()).json()
    assert post(rater.api(), image["id"], body).status_code == 201
    assert Rating.objects.get().artifacts == stored


def test_extra_fields_are_ignored(rater, dataset):
    image = new(rater.api()).json()
    body = {"rating": 3, "datasetId": "x", "nested": {"a": [1]}}
    assert post(rater.api(), image["id"], body).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 11}, "rating"),
        ({"rating": 7.5}, "rating"),
        ({"rating": None}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": [7]}, "rating"),
        ({"rating": 10**400}, "rating"),
        ({"rating": 7, "artifacts": 6}, "artifacts"),
        ({"rating": 7, "artifacts": "BAD"}, "artifacts"),
        ({"rating": 7, "artifacts": {}}, "artifacts"),
        ({"rating": 7, "artifacts": "9" * 5000}, "artifacts"),
        ({"rating": 7, "artifacts": "\u0665"}, "artifacts"),
        ({"rating": 7, "lease": 7}, None),
        ([], "body"),
        (b"", "body"),
        (b"rating=7", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 10_000, "body"),
        (b'{"rating": 7, "artifacts": "\xff"}', "body"),
        (b'{"rating": NaN}', "body"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_body_is_400_with_the_field_and_nothing_is_lost(rater, dataset, body, field):
    image = new(rater.api()).json()
    response = post(rater.api(), image["id"], body)
    if field is not None:
        assert field in assert_error(response, 400)["errors"]
    else:
        assert response.status_code in {400, 403}
    assert not Rating.objects.exists()
    assert post(rater.api(), image["id"], {"rating": 7}).status_code == 201


def test_every_wrong_field_is_named_in_words_of_json(rater, dataset):
    image = new(rater.api()).json()
    for body, errors in (
        ({"artifacts": [1], "lease": 7}, ["is required", "a whole number or text or null, not a list", "not a whole"]),
        ({"rating": None, "artifacts": 9}, ["must be a whole number, not null", "must be a whole number, at most 5"]),
        ({"rating": "x", "lease": "x" * 201}, ["must be a whole number, not text", "no longer than 200 characters"]),
    ):
        named = assert_error(post(rater.api(), image["id"], body), 400)["errors"]
        assert list(named) == [name for name in ("rating", "artifacts", "lease") if name in body or name == "rating"]
        assert [text for text, expected in zip(named.values(), errors, strict=True) if expected not in text] == []


def test_an_oversized_body_is_413(rater, dataset):
    image = new(rater.api()).json()
    assert_error(post(rater.api(), image["id"], {"rating": 7, "x": "y" * 300_000}), 413)


@pytest.mark.parametrize("image_id", ["0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15", "nonsense", "%00", "a" * 3000])
def test_an_image_that_was_not_handed_out_is_403(rater, dataset, image_id):
    assert_error(post(rater.api(), image_id, {"rating": 7}), 403)


def test_a_repeat_is_403(rater, dataset):
    image = new(rater.api()).json()
    assert post(rater.api(), image["id"], {"rating": 7, "lease": image["lease"]}).status_code == 201
    assert_error(post(rater.api(), image["id"], {"rating": 7, "lease": image["lease"]}), 403)
    assert_error(post(rater.api(), image["id"], {"rating": 7}), 403)


def test_somebody_elses_image_is_403(rater, outsider, dataset):
    image = new(rater.api()).json()
    assert_error(post(outsider.api(), image["id"], {"rating": 7}), 403)
    assert_error(post(outsider.api(), image["id"], {"rating": 7, "lease": image["lease"]}), 403)


def test_an_idempotency_key_gets_the_same_answer(rater, dataset):
    image = new(rater.api()).json()
    for body in ({"rating": 7}, {"rating": 7}, {"rating": 7, "lease": image["lease"]}):
        answer = post(rater.api(), image["id"], body, **{"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()) == (201, {"message": "Rating submitted", "reward": 5})
    other = new(rater.api()).json()
    assert_error(post(rater.api(), other["id"], {"rating": 7}, **{"Idempotency-Key": "k"}), 409)
    assert Rating.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "delete", "patch", "post"])
def test_a_wrong_method_is_405_in_json(rater, dataset, method):
    assert_error(getattr(rater.api(), method)(NEW), 405)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/", "/api/v1/rating/x/y/z", "/api/v1/rating/"])
def test_an_unknown_path_is_404_in_json(path):
    assert_error(Client().get(path), 404)


def test_an_exception_nobody_expected_is_500_in_json(rater, dataset, settings):
    settings.DEFAULT_DATASET = 7  # not a name at all
    client = rater.api(raise_request_exception=False)
    assert_error(new(client), 500)


def test_a_browser_on_another_origin_may_ask_and_read(dataset):
    preflight = Client().options(
        "/api/v1/rating/new",
        headers={
            "Origin": "https://artbot.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "apikey,client-agent,content-type,x-fields",
        },
    )
    assert preflight.status_code == 200
    assert preflight["Access-Control-Allow-Origin"] == "*"
    for name in ("apikey", "client-agent", "content-type", "x-fields"):
        assert name in preflight["Access-Control-Allow-Headers"]
    assert {"GET", "POST", "OPTIONS"} <= set(preflight["Access-Control-Allow-Methods"].split(", "))
    assert new(Client(), Origin="https://artbot.example")["Access-Control-Allow-Origin"] == "*"


def test_errors_are_readable_on_another_origin_too(dataset):
    response = new(Client(), Origin="https://artbot.example", apikey="wrong")
    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == "*"


def test_a_session_is_not_a_key(rater, dataset):
    """The API reads headers only: a page elsewhere cannot make a signed-in browser rate."""
    client = rater.web()
    image = new(client).json()
    assert post(client, image["id"], {"rating": 7}).status_code == 201
    assert Rating.objects.get().is_shared


def test_the_public_url_of_the_settings_wins(rater, dataset, settings):
    settings.PUBLIC_URL = "https://ratings.example"
    assert new(rater.api()).json()["url"].startswith("https://ratings.example/images/")


def test_a_valkey_that_is_down_holds_ratings_of_old_clients_and_counts_those_with_a_lease(rater, dataset, settings):
    one, other = new(rater.api()).json(), new(rater.api()).json()
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    assert post(rater.api(), one["id"], {"rating": 7}).status_code == 201
    assert post(rater.api(), other["id"], {"rating": 7, "lease": other["lease"]}).status_code == 201
    assert new(rater.api()).status_code == 200
    assert list(Rating.objects.order_by("id").values_list("state", "proof")) == [("held", "held"), ("counted", "lease")]


def test_the_key_of_one_person_and_their_session_hold_the_same_leases(dataset):
    person = make_person()
    image = new(person.api()).json()
    _, second_key = create_api_key(user=person.user, name="another", now=timezone.now())
    assert post(Client(), image["id"], {"rating": 7}, apikey=second_key).status_code == 201
