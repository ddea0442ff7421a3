"""The address of the old export: one request, no key, the bytes."""

import threading

import pytest
import requests
from django.test import Client

from exports.models import Release
from exports.views import files
from tests.exports.made import build, folder_of
from tests.factories import DatasetFactory

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/v1/download/harbours_export.parquet"


@pytest.fixture
def content(release):
    return (folder_of(release) / "legacy_export.parquet").read_bytes()


def test_it_works(client, release, content):
    response = client.get(ADDRESS)
    assert response.status_code == 200
    assert response.getvalue() == content
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    assert response["Content-Length"] == str(len(content))
    assert response["ETag"] == f'"{release.files.get(path="legacy_export.parquet").sha256}"'
    assert response["Cache-Control"] == "public, max-age=300"
    assert response["Content-Disposition"] == 'attachment; filename="harbours_export.parquet"'
    assert "Set-Cookie" not in response


def test_a_script_that_only_reads_the_content_works(live_server, release, content):
    answer = requests.get(f"{live_server.url}{ADDRESS}", timeout=10)
    assert answer.content == content
    assert not answer.history


def test_parts_heads_and_known_copies(client, release, content):
    part = client.get(ADDRESS, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.getvalue()) == (206, content[4:10])
    head = client.head(ADDRESS)
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(len(content)))
    assert client.get(ADDRESS, headers={"If-None-Match": head["ETag"]}).status_code == 304
    beyond = client.get(ADDRESS, headers={"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(content)}")


@pytest.mark.parametrize(
    "headers",
    [
        {"apikey": "0000000000"},
        {"apikey": "nobody's key"},
        {"Accept": "application/vnd.apache.parquet"},
        {"Accept": "text/html"},
        {"Content-Type": "application/json"},
    ],
)
def test_who_asks_and_for_what_makes_no_difference(client, release, content, headers):
    assert client.get(ADDRESS, headers=headers).getvalue() == content


def test_it_is_that_of_the_newest_release(client, harbours, release, content):
    again = build(harbours)
    Release.objects.create(dataset=harbours, version="2999-01-01", schema_version="1")
    etag = client.head(ADDRESS)["ETag"]
    assert etag == f'"{again.files.get(path="legacy_export.parquet").sha256}"'


@pytest.mark.parametrize(
    "name",
    [
        "nowhere_export.parquet",
        "Harbours_export.parquet",
        "empty_export.parquet",
        "_export.parquet",
        "harbours",
        "harbours.parquet",
        "harbours_export.csv",
        "harbours%00_export.parquet",
        "..%2f..%2fsecrets_export.parquet",
        "x" * 5000 + "_export.parquet",
        "",
    ],
)
def test_what_is_not_there_is_said_in_json(client, release, name):
    DatasetFactory(slug="empty")
    response = client.get(f"/api/v1/download/{name}")
    assert response.status_code == 404
    assert response.json()["message"]
    assert response.json()["rc"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes(client, release, method):
    response = getattr(client, method)(ADDRESS)
    assert response.status_code == 405
    assert response.json()["message"]


def test_a_file_that_is_not_as_published_is_not_sent(client, release):
    path = folder_of(release) / "legacy_export.parquet"
    path.chmod(0o644)
    path.write_bytes(b"short")
    response = client.get(ADDRESS)
    assert response.status_code == 404
    assert response.json()["message"]


def test_a_download_without_a_place_is_put_off_in_json(client, release, content, monkeypatch):
    monkeypatch.setattr(files, "SMALL", 0)
    monkeypatch.setattr(files, "places", threading.BoundedSemaphore(1))
    first = client.get(ADDRESS)
    refused = Client().get(ADDRESS)
    assert (refused.status_code, refused["Retry-After"]) == (429, "5")
    assert refused.json()["message"].startswith("All places for downloads are taken.")
    assert first.getvalue() == content
    first.close()
    assert client.get(ADDRESS).getvalue() == content


def test_pages_of_other_origins_may_fetch_it(client, release):
    asked = client.options(ADDRESS, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"})
    assert asked.status_code == 200
    response = client.get(ADDRESS, headers={"Origin": "https://example.org"})
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    response.close()


def test_one_query_answers(client, release, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(ADDRESS).close()
