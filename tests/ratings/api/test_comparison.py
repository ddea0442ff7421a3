"""GET /comparison/new and what is said of the set that it gives."""

import json
import uuid

import pytest
from django.test import Client

from ratings.models import Comparison, Dataset, Image, Report, SetSkip
from tests.factories import DatasetFactory, make_images
from tests.outages import NO_VALKEY

pytestmark = pytest.mark.django_db
NEW = "/api/v1/comparison/new"


def new(client, path=""):
    response = client.get(NEW + path)
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    return response.json()


def send(client, method, path, body, **headers):
    data = body if isinstance(body, str) else json.dumps(body)
    return client.generic(method, f"/api/v1/comparison/{path}", data, "application/json", headers=headers)


def best_of(shown, **fields):
    return {"best": shown["images"][0]["id"], "lease": shown["lease"]} | fields


def assert_error(response, status, code):
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert response.json()["message"]
    assert response.json()["rc"] == code


def test_it_works(rater, dataset, adds_up):
    shown = new(rater.api())
    assert shown.keys() == {"id", "dataset_id", "lease", "images"}
    assert shown["dataset_id"] == str(dataset.pk)
    assert shown["images"][0].keys() == {"id", "url", "width", "height"}
    answer = send(rater.api(), "POST", shown["id"], best_of(shown))
    assert answer.status_code == 201
    assert answer.json().items() >= {"message": "Comparison submitted", "reward": 15, "outcome": "best"}.items()
    comparison = Comparison.objects.get()
    assert [str(image_id) for image_id in comparison.image_ids] == [image["id"] for image in shown["images"]]
    assert (str(comparison.best_id), comparison.client_agent) == (shown["images"][0]["id"], "tests:1:nobody")
    adds_up()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_set_has_as_many_images_as_are_asked_for(rater, dataset, size):
    assert len(new(rater.api(), f"?size={size}")["images"]) == size


def test_several_sets_are_taken_at_once(rater, dataset):
    for count in (1, 3, 4):
        sets = new(rater.api(), f"?count={count}&size=2")["sets"]
        assert len({one["id"] for one in sets}) == count
        assert {len(one["images"]) for one in sets} == {2}
    for count in ("0", "5", "x", "", "1.0"):
        assert_error(rater.api().get(NEW, {"count": count}), 400, "ValidationFailed")


@pytest.mark.parametrize("size", ["1", "5", "x", "2.0", "٣", "-2"])
def test_a_set_has_two_to_four(rater, dataset, size):
    assert_error(rater.api().get(NEW, {"size": size}), 400, "ValidationFailed")


def test_a_dataset_is_named_by_slug_or_uuid(rater, dataset):
    other = DatasetFactory(slug="other")
    make_images(other, 20)
    for name in ("other", str(other.pk)):
        assert new(rater.api(), f"/{name}")["dataset_id"] == str(other.pk)
    assert_error(rater.api().get(f"{NEW}/nowhere"), 404, "DatasetNotFound")
    Dataset.objects.update(state="paused")
    assert_error(rater.api().get(f"{NEW}/other"), 404, "NoImageLeft")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("[]", "body"),
        ("{", "body"),
        ({"outcome": "tie"}, "lease"),
        ({"lease": "x"}, "best"),
        ({"lease": "x", "outcome": "worst"}, "outcome"),
        ({"lease": "x", "best": "nobody"}, "best"),
        ({"lease": 5, "outcome": "tie"}, "lease"),
        ({"lease": "x" * 201, "outcome": "tie"}, "lease"),
        ({"lease": "x", "outcome": "tie", "sha256": ["12345678"] * 5}, "sha256"),
        ({"lease": "x", "outcome": "tie", "sha256": "12345678"}, "sha256"),
    ],
    ids=str,
)
def test_a_body_of_another_shape_is_explained_by_field(rater, dataset, body, field):
    response = send(rater.api(), "POST", str(uuid.uuid4()), body)
    assert_error(response, 400, "ValidationFailed")
    assert [name.split("[")[0] for name in response.json()["errors"]] == [field]


def test_refusals_say_why(rater, outsider, dataset):
    shown, other = new(rater.api()), new(rater.api())
    client = rater.api()
    for sender, path, body in (
        (outsider.api(), shown["id"], best_of(shown)),
        (Client(), shown["id"], best_of(shown)),
        (client, other["id"], best_of(shown)),
        (client, "no-uuid", best_of(shown)),
        (client, shown["id"], best_of(shown, lease="made-up")),
    ):
        assert_error(send(sender, "POST", path, body), 403, "NotLeased")
    for body in (
        best_of(shown, best=str(uuid.uuid4())),
        best_of(shown, outcome="tie"),
        {"outcome": "best"} | best_of(shown, best=None),
    ):
        assert_error(send(client, "POST", shown["id"], body), 400, "ValidationFailed")
    assert_error(
        send(client, "POST", shown["id"], best_of(shown, sha256=["0" * 8] * len(shown["images"]))), 409, "WrongBytes"
    )
    assert send(client, "POST", shown["id"], best_of(shown), **{"Idempotency-Key": "k"}).status_code == 201
    assert send(client, "POST", shown["id"], best_of(shown), **{"Idempotency-Key": "k"}).status_code == 201
    assert_error(send(client, "POST", shown["id"], best_of(shown)), 403, "AlreadyRated")
    assert_error(
        send(client, "POST", other["id"], best_of(other), **{"Idempotency-Key": "k"}), 409, "IdempotencyKeyReused"
    )
    Image.objects.filter(pk=other["images"][0]["id"]).update(status="hidden", is_open=False)
    assert_error(send(client, "POST", other["id"], best_of(other)), 403, "ImageUnavailable")
    assert Comparison.objects.count() == 1


def test_ones_own_comparison_can_be_changed(rater, outsider, dataset, adds_up):
    shown = new(rater.api())
    send(rater.api(), "POST", shown["id"], best_of(shown))
    changed = send(rater.api(), "PATCH", shown["id"], {"outcome": "all_bad"})
    assert (changed.status_code, changed.json()["outcome"], changed.json()["best"]) == (200, "all_bad", None)
    assert_error(send(outsider.api(), "PATCH", shown["id"], {"outcome": "tie"}), 404, "ComparisonNotFound")
    assert_error(send(rater.api(), "PATCH", "no-uuid", {"outcome": "tie"}), 404, "ComparisonNotFound")
    assert_error(send(rater.api(), "PATCH", shown["id"], {}), 400, "ValidationFailed")
    Comparison.objects.update(created_at="2026-01-01T00:00Z")
    assert_error(send(rater.api(), "PATCH", shown["id"], {"outcome": "tie"}), 403, "ComparisonLocked")
    assert Comparison.objects.get().outcome == "all_bad"
    adds_up()


def test_a_set_is_skipped_and_a_lease_given_back(rater, outsider, dataset):
    shown = new(rater.api())
    lease = {"lease": shown["lease"]}
    assert send(rater.api(), "POST", f"{shown['id']}/skip", lease | {"reason": "personal"}).status_code == 200
    assert SetSkip.objects.get().reason == "personal"
    assert_error(send(outsider.api(), "POST", f"{shown['id']}/skip", lease), 403, "NotLeased")
    assert_error(send(rater.api(), "POST", f"{shown['id']}/skip", lease | {"reason": "bored"}), 400, "ValidationFailed")
    assert send(rater.api(), "DELETE", f"{shown['id']}/skip", lease).status_code == 200
    assert not SetSkip.objects.exists()
    for leases, status in (([shown["lease"], "x"], 204), ([], 204), (["x"] * 21, 400)):
        assert send(rater.api(), "DELETE", "lease", {"leases": leases}).status_code == status


def test_an_image_of_a_set_is_reported(rater, outsider, dataset):
    shown, other = new(rater.api()), new(rater.api())
    body = {"image": shown["images"][1]["id"], "lease": shown["lease"], "reason": "gore", "note": "Look."}
    path = f"{shown['id']}/report"
    for sender, wrong, status, code in (
        (outsider, {}, 403, "NotLeased"),
        (rater, {"lease": other["lease"]}, 403, "NotLeased"),
        (rater, {"image": str(uuid.uuid4())}, 403, "NotLeased"),
        (rater, {"image": "no-uuid"}, 400, "ValidationFailed"),
        (rater, {"reason": "bored"}, 400, "ValidationFailed"),
        (rater, {"note": "x" * 501}, 400, "ValidationFailed"),
    ):
        assert_error(send(sender.api(), "POST", path, body | wrong), status, code)
    assert not Report.objects.exists()
    for _ in range(2):
        assert send(rater.api(), "POST", path, body).status_code == 201
    assert [(str(one.image_id), one.note) for one in Report.objects.all()] == [(body["image"], "Look.")]


def test_without_valkey_it_goes_on(rater, dataset, settings):
    settings.REDIS_URL = NO_VALKEY
    shown = new(rater.api())
    assert send(rater.api(), "POST", shown["id"], best_of(shown)).status_code == 201
