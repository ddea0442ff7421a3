"""GET /datasets and /teams: what there is, for everybody."""

import uuid

import pytest
from django.test import Client

from ratings.models import Dataset
from tests.factories import DatasetFactory
from tests.people import now

pytestmark = pytest.mark.django_db
DATASETS, TEAMS = "/api/v1/datasets", "/api/v1/teams"


def test_it_works(dataset):
    response = Client().get(DATASETS)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == [
        {"id": str(dataset.pk), "name": dataset.name, "description": "", "image_count": 20},
    ]


def test_no_dataset_is_an_empty_array(db):
    assert Client().get(DATASETS).json() == []


def test_closed_ones_come_last_and_each_is_of_the_contracts_types(db):
    made = [DatasetFactory(state=state, description="Words.") for state in ("closed", "paused", "open")]
    found = Client().get(DATASETS).json()
    assert [one["id"] for one in found] == [str(made[n].pk) for n in (1, 2, 0)]
    for one in found:
        assert {name: type(value) for name, value in one.items()} == {
            "id": str,
            "name": str,
            "description": str,
            "image_count": int,
        }


@pytest.mark.parametrize("path", [DATASETS, TEAMS])
@pytest.mark.parametrize("key", ["", "0000000000", "wrong", "x" * 5000])
def test_the_key_makes_no_difference(dataset, path, key):
    assert Client().get(path, headers={"apikey": key}).content == Client().get(path).content


def test_there_are_no_teams(dataset):
    response = Client().get(TEAMS)
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        ("id,name", {"id", "name"}),
        ("{id, image_count}", {"id", "image_count"}),
        ("[id]", {"id"}),
        ("*", {"id", "name", "description", "image_count"}),
        ("", {"id", "name", "description", "image_count"}),
        ("slug,target", {"id", "name", "description", "image_count"}),
        ("id,slug", {"id"}),
        (",,,{{[", {"id", "name", "description", "image_count"}),
        ("id," * 5000, {"id"}),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_x_fields_are_chosen_in_each_of_a_list(dataset, mask, fields):
    DatasetFactory()
    found = Client().get(DATASETS, headers={"X-Fields": mask}).json()
    assert [set(one) for one in found] == [fields, fields]
    assert Client().get(TEAMS, headers={"X-Fields": mask}).json() == []


@pytest.mark.parametrize("path", [DATASETS, TEAMS])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_wrong_method_is_405_in_json(db, path, method):
    response = getattr(Client(), method)(path, b"{", content_type="application/json")
    assert response.status_code == 405
    assert response.json()["message"]


@pytest.mark.parametrize("path", [DATASETS, TEAMS])
def test_a_type_on_a_get_any_accept_head_and_another_origin(dataset, path):
    client = Client()
    assert client.generic("GET", path, b"", content_type="application/json").status_code == 200
    assert client.get(path, headers={"Accept": "text/html"})["Content-Type"] == "application/json"
    head = client.head(path)
    assert (head.status_code, head["Content-Type"], head.content) == (200, "application/json", b"")
    assert client.get(path, headers={"Origin": "https://x.example"})["Access-Control-Allow-Origin"] == "*"
    assert client.options(path).status_code == 200


def test_many_datasets_are_one_query(db, django_assert_num_queries):
    Dataset.objects.bulk_create(
        Dataset(id=uuid.uuid4(), slug=f"d{n}", name=f"d{n}", licence="CC0-1.0", created_at=now()) for n in range(500)
    )
    with django_assert_num_queries(0):  # one prepared statement, which Django's counter does not see
        found = Client().get(DATASETS).json()
    assert len(found) == 500
