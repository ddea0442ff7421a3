"""GET /rating/new/{dataset_id} and /rating/new/{dataset_id}/{model_name}: an image of what the client names."""

import json
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from ratings.leases import book
from ratings.models import Dataset, Image, Rating
from tests.factories import DatasetFactory, make_images
from tests.outages import NO_VALKEY

pytestmark = pytest.mark.django_db
MODELS = ("stable_diffusion 2.1", "org/model.v1", "Ünïcode 🐎", "100%", "a+b&c=d?e#f", "..", ".")


@pytest.fixture
def shared(dataset):
    """Another dataset, with two images of each of some models and two without."""
    made = DatasetFactory(slug="shared-pictures")
    for model in ("", *MODELS):
        make_images(made, 2, model_name=model)
    return made


def new(client, *names, **headers):
    return client.get("/".join(["/api/v1/rating/new", *(quote(name, safe="") for name in names)]), headers=headers)


def model_of(response):
    assert response.status_code == 200
    return Image.objects.get(pk=response.json()["id"]).model_name


def assert_error(response, status, code):
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json()["message"]
    assert response.json()["rc"] == code


def test_it_works(rater, shared, adds_up):
    for name in (str(shared.pk), shared.pk.hex, str(shared.pk).upper(), shared.slug):
        response = new(rater.api(), name)
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        assert response.json()["dataset_id"] == str(shared.pk)
        assert response.json().keys() == {"id", "url", "dataset_id", "lease"}
    image = response.json()
    answer = rater.api().post(f"/api/v1/rating/{image['id']}", json.dumps({"rating": 7}), "application/json")
    assert answer.status_code == 201
    assert str(Rating.objects.get().dataset_id) == str(shared.pk)
    adds_up()


@pytest.mark.parametrize("model", MODELS)
def test_an_image_of_a_model_by_its_encoded_name(rater, shared, model):
    images = [new(rater.api(), shared.slug, model) for _ in range(2)]
    assert {model_of(image) for image in images} == {model}
    assert_error(new(rater.api(), shared.slug, model), 404, "NoImageLeft")
    assert_error(new(rater.api(), "demo", model), 404, "NoImageLeft")


def test_a_slash_in_a_model_may_come_as_it_is(rater, shared):
    assert model_of(rater.api().get(f"/api/v1/rating/new/{shared.pk}/org/model.v1")) == "org/model.v1"


def test_somebody_without_a_key_gets_one_too(shared):
    assert model_of(new(Client(), str(shared.pk), "org/model.v1")) == "org/model.v1"


@pytest.mark.parametrize(
    "name", ["nothing", "9b2f5c1e-5d0b-4d3e-8a77-3f1f1a2b4c5d", "00000000-0000-0000-0000-000000000000", "\0", "a" * 5000, "É", "shared pictures", "%"]
)  # fmt: skip
def test_a_dataset_that_is_not_there_is_404(rater, shared, name):
    assert_error(new(rater.api(), name), 404, "DatasetNotFound")
    assert_error(new(rater.api(), name, MODELS[0]), 404, "DatasetNotFound")


@pytest.mark.parametrize("name", ["nothing", "\0", "org", "org/", "ORG/model.v1", "a" * 5000, " stable_diffusion 2.1"])
def test_a_model_that_is_not_there_is_404(rater, shared, name):
    assert_error(new(rater.api(), shared.slug, name), 404, "NoImageLeft")


@pytest.mark.parametrize("end", ["/", "//", "/demo/", "//model"])
def test_an_empty_name_is_404(rater, shared, end):
    assert rater.api().get(f"/api/v1/rating/new{end}").status_code == 404


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_dataset_that_hands_nothing_out_is_404(rater, shared, state):
    Dataset.objects.filter(pk=shared.pk).update(state=state)
    assert_error(new(rater.api(), shared.slug), 404, "NoImageLeft")
    assert_error(new(rater.api(), shared.slug, MODELS[0]), 404, "NoImageLeft")


def test_a_wrong_key_and_one_without_the_scope_are_401(rater, shared):
    _, read_only = create_api_key(user=rater.user, name="read only", scopes=["read"], now=timezone.now())
    for key in ("wrong", read_only):
        assert_error(new(Client(), shared.slug, apikey=key), 401, "InvalidAPIKey")
        assert_error(new(Client(), shared.slug, MODELS[0], apikey=key), 401, "InvalidAPIKey")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_wrong_method_is_405_in_json(rater, shared, method):
    for path in ("shared-pictures", "shared-pictures/model"):
        response = getattr(rater.api(), method)(f"/api/v1/rating/new/{path}", b"{", content_type="application/json")
        assert_error(response, 405, "method_not_allowed")


def test_head_hands_nothing_out(rater, shared):
    now_ms = int(timezone.now().timestamp() * 1000)
    for path in ("", "/shared-pictures", "/shared-pictures/org/model.v1"):
        response = rater.api().head(f"/api/v1/rating/new{path}")
        assert (response.status_code, response["Content-Type"], response.content) == (200, "application/json", b"")
        assert response["Content-Length"] == "0"
    assert book.held_images(holder=rater.caller.holder, dataset_id=shared.pk, now_ms=now_ms) == []


def test_x_fields_choose_here_too(rater, shared):
    assert set(new(rater.api(), shared.slug, MODELS[0], **{"X-Fields": "id,url"}).json()) == {"id", "url"}


def test_a_valkey_that_is_down_is_done_without(rater, shared, settings):
    settings.REDIS_URL = NO_VALKEY
    assert model_of(new(rater.api(), shared.slug, MODELS[0])) == MODELS[0]
    assert_error(new(rater.api(), shared.slug, "nothing"), 404, "NoImageLeft")
