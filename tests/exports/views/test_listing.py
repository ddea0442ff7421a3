"""Releases for programs: the API, index.json, the feed, and the state that is written last."""

import json
import xml.etree.ElementTree as ET

import pytest
from django.urls import reverse

from exports.models import Release
from exports.writers.folders import state_path
from ratings.models import Image
from tests.exports.made import FILES, build, make_rater, make_rating
from tests.factories import DatasetFactory

pytestmark = pytest.mark.django_db(transaction=True)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def two(harbours):
    """Two releases; the second has a rating more."""
    first = build(harbours)
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater())
    return first, build(harbours)


def releases(client, **query):
    response = client.get("/api/v1/releases", query)
    assert response.status_code == 200
    return response.json()


def test_it_works(client, two):
    first, second = two
    new, old = releases(client)
    assert [new["version"], old["version"]] == [second.version, first.version]
    assert (new["previous"], new["ratings_added"], new["images_added"]) == (first.version, 1, 0)
    assert (old["previous"], old["ratings_added"], old["images_added"]) == (None, 3, 3)
    assert sorted(file["path"] for file in new["files"]) == FILES
    assert new["bytes"] == sum(file["bytes"] for file in new["files"])
    file = new["files"][0]
    answer = client.get(file["url"].removeprefix("http://testserver"))
    assert len(answer.getvalue()) == file["bytes"]
    assert answer["ETag"] == f'"{file["sha256"]}"'


def test_one_dataset_can_be_asked_for(client, two):
    other = build(DatasetFactory(slug="another"))
    assert [entry["dataset"] for entry in releases(client)] == ["another", "harbours", "harbours"]
    (entry,) = releases(client, dataset="another")
    assert (entry["version"], entry["previous"], entry["rating_count"]) == (other.version, None, 0)
    for unknown in ("nowhere", "Harbours", "x" * 3000, "a\0b", "../harbours"):
        assert releases(client, dataset=unknown) == []


def test_only_what_is_published_is_listed(client, harbours):
    fields = {"dataset": harbours, "schema_version": "1.0"}
    Release.objects.create(version="2000-01-01", state="failed", failure="the disk was full", **fields)
    Release.objects.create(version="2000-01-02", **fields)
    assert releases(client) == []
    for name in ("index", "feed", "state"):
        assert client.get(reverse(f"exports:{name}", args=["harbours"])).status_code == 404


def test_index_is_the_same_for_one_dataset(client, two):
    index = client.get("/files/harbours/index.json").json()
    assert index == {"dataset": "harbours", "latest": two[1].version, "releases": releases(client, dataset="harbours")}


def test_the_number_of_queries_does_not_grow_with_releases(client, two, django_assert_num_queries):
    with django_assert_num_queries(2):
        releases(client)


def test_the_feed_is_atom(client, two):
    response = client.get("/files/harbours/feed.atom")
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ET.fromstring(response.content)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert titles == [str(release) for release in reversed(two)]
    assert "4 ratings (+1) of 3 images (+0)." in feed.findtext(f"{ATOM}entry/{ATOM}summary")
    assert len({entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")}) == 2


def test_the_state_names_the_newest_release(client, two):
    state = client.get("/files/harbours/state.json").json()
    second = two[1]
    assert (state["latest"], state["rating_count"], state["path"]) == (second.version, 4, f"{second.version}/")
    assert state["sha256sums"] == second.files.get(path="SHA256SUMS").sha256


def test_a_state_that_was_not_written_is_written_by_the_next_build(client, harbours, two):
    state_path("harbours").write_text(json.dumps({"latest": "2000-01-01"}))
    third = build(harbours)
    assert client.get("/files/harbours/state.json").json()["latest"] == third.version


@pytest.mark.parametrize(
    "address", ["/api/v1/releases", *(f"/files/harbours/{name}" for name in ("index.json", "feed.atom", "state.json"))]
)
def test_an_outsider_may_read_and_nobody_may_post(client, outsider, two, address):
    assert outsider.web().get(address).status_code == 200
    assert client.post(address).status_code == 405
