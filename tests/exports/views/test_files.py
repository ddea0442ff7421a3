"""Files of releases over HTTP: whole, in parts, unchanged, and nothing else."""

import gc
import threading
from itertools import product

import pytest
from django.db import connection, transaction
from django.urls import reverse

from exports.models import Release
from exports.views import files
from tests.exports.made import build, folder_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(release):
    return release.files.get(path="data/ratings/part-00000.parquet")


@pytest.fixture
def content(release):
    return (folder_of(release) / "data/ratings/part-00000.parquet").read_bytes()


@pytest.fixture
def address(release):
    return reverse("exports:file", args=["harbours", release.version, "data/ratings/part-00000.parquet"])


def body(response):
    return response.getvalue()


def test_it_works(client, release, stored, content, address):
    response = client.get(address)
    assert response.status_code == 200
    assert body(response) == content
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    assert response["Content-Length"] == str(len(content))
    assert response["ETag"] == f'"{stored.sha256}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable, no-transform"
    assert (
        response["Content-Disposition"]
        == f'attachment; filename="harbours-{release.version}-data-ratings-part-00000.parquet"'
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in response
    assert "Vary" not in response or "Cookie" not in response["Vary"]


def test_every_file_is_served(client, release):
    for name in (
        "LICENSE",
        "README.md",
        "SCHEMA.md",
        "SHA256SUMS",
        "data/images/part-00000.parquet",
        "manifest.json",
    ):
        response = client.get(reverse("exports:file", args=["harbours", release.version, name]))
        assert body(response) == (folder_of(release) / name).read_bytes(), name


def test_types_say_what_it_is(client, release):
    types = {
        "manifest.json": "application/json",
        "SHA256SUMS": "text/plain; charset=utf-8",
        "README.md": "text/markdown; charset=utf-8",
    }
    addresses = {name: reverse("exports:file", args=["harbours", release.version, name]) for name in types}
    assert {name: client.head(address)["Content-Type"] for name, address in addresses.items()} == types


def test_one_query_answers(client, address, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(address).close()


def test_an_outsider_and_a_member_get_the_same(client, outsider, address, content):
    assert body(outsider.web().get(address)) == body(client.get(address)) == content


def test_nobody_writes(client, outsider, address):
    for who, method in product((client, outsider.web()), ("post", "put", "patch", "delete")):
        assert getattr(who, method)(address).status_code == 405, method


def test_head_has_the_headers_and_no_body(client, address, content):
    for headers in ({}, {"Range": "bytes=0-9"}):
        response = client.head(address, headers=headers)
        assert (response.status_code, response["Content-Length"]) == (200, str(len(content)))
        assert body(response) == b""


# Looped over and not parametrized, as everywhere here: building a release for each takes longer than asking.
PARTS = (
    ("bytes=0-9", slice(0, 10)),
    ("bytes=0-0", slice(0, 1)),
    ("bytes=5-5", slice(5, 6)),
    ("bytes=100-", slice(100, None)),
    ("bytes=-1", slice(-1, None)),
    ("bytes=-8", slice(-8, None)),
    ("bytes=-999999999", slice(None)),
    ("bytes=10-999999999", slice(10, None)),
    ("bytes= 0 - 9", slice(0, 10)),
)


def test_a_range_is_answered_with_that_part(client, address, content):
    for asked, part in PARTS:
        response = client.get(address, headers={"Range": asked})
        expected = content[part]
        start = range(len(content))[part].start
        assert response.status_code == 206, asked
        assert body(response) == expected, asked
        assert response["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"
        assert response["Content-Length"] == str(len(expected))


def test_the_last_byte_alone(client, address, content):
    last = len(content) - 1
    assert body(client.get(address, headers={"Range": f"bytes={last}-{last}"})) == content[-1:]


def test_a_range_beyond_the_end_is_refused(client, address, content):
    for beyond in (0, 1, 10**12):
        response = client.get(address, headers={"Range": f"bytes={len(content) + beyond}-"})
        assert response.status_code == 416, beyond
        assert response["Content-Range"] == f"bytes */{len(content)}"


def test_no_bytes_from_the_end_are_refused(client, address):
    assert client.get(address, headers={"Range": "bytes=-0"}).status_code == 416


NO_RANGES = (
    "bytes=0-1,5-6",
    "bytes=-",
    "bytes=--5",
    "bytes=9-3",
    "lines=0-9",
    "bytes=a-b",
    "bytes=1_0-20",
    "bytes=٣-٩",
    "",
    "x",
)


def test_what_is_no_range_is_passed_over(client, address, content):
    for asked in NO_RANGES:
        response = client.get(address, headers={"Range": asked.encode().decode("latin-1")})
        assert response.status_code == 200, asked
        assert body(response) == content, asked


def test_the_pieces_make_the_whole(client, address, content):
    step = len(content) // 3
    pieces = [
        body(client.get(address, headers={"Range": f"bytes={start}-{start + step - 1}"}))
        for start in range(0, len(content), step)
    ]
    assert b"".join(pieces) == content


def test_a_copy_that_is_known_is_not_sent_again(client, stored, address):
    for known in ('"{etag}"', 'W/"{etag}"', '"other", "{etag}"', "*"):
        response = client.get(address, headers={"If-None-Match": known.format(etag=stored.sha256)})
        assert response.status_code == 304, known
        assert body(response) == b""
        assert response["ETag"] == f'"{stored.sha256}"'
        assert "immutable" in response["Cache-Control"]


def test_another_copy_is_replaced(client, address, content):
    response = client.get(address, headers={"If-None-Match": '"other"'})
    assert body(response) == content


def test_a_name_of_the_copy_goes_before_its_time(client, address, stored):
    headers = {"If-Modified-Since": client.head(address)["Last-Modified"]}
    assert client.head(address, headers=headers).status_code == 304
    assert client.head(address, headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_a_copy_known_goes_before_a_range(client, stored, address):
    headers = {"If-None-Match": f'"{stored.sha256}"', "Range": "bytes=0-9"}
    assert client.get(address, headers=headers).status_code == 304


def test_a_download_is_resumed_only_into_the_same_file(client, stored, address, content):
    def status(condition):
        response = client.get(address, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert body(response) == (content[:10] if response.status_code == 206 else content)
        return response.status_code

    moment = client.head(address)["Last-Modified"]
    assert status(f'"{stored.sha256}"') == 206
    assert status(moment) == 206
    assert status('"other"') == 200
    assert status(f'W/"{stored.sha256}"') == 200
    assert status("Wed, 01 Jan 2020 00:00:00 GMT") == 200
    assert status("nonsense") == 200


NOT_THERE = (
    "harbours/{version}/nothing.parquet",
    "harbours/{version}/../{version}/data/ratings/part-00000.parquet",
    "harbours/{version}/..%2f{version}%2fdata/ratings/part-00000.parquet",
    "harbours/{version}/%2e%2e/%2e%2e/secrets.json",
    "harbours/{version}//data/ratings/part-00000.parquet",
    "harbours/{version}/data/ratings/part-00000.parquet/",
    "harbours/{version}/data/ratings/part-00000.parquet%00",
    "harbours/{version}/%2fetc%2fpasswd",
    "harbours/{version}/.",
    "harbours/{version}/",
    "harbours/.building-{version}/data/ratings/part-00000.parquet",
    "harbours/1999-01-01/data/ratings/part-00000.parquet",
    "Harbours/{version}/data/ratings/part-00000.parquet",
    "nowhere/{version}/data/ratings/part-00000.parquet",
    "../harbours/{version}/data/ratings/part-00000.parquet",
    "nowhere/latest/data/ratings/part-00000.parquet",
    "harbours/latest/nothing.parquet",
    "harbours/latest/%00",
)


def test_nothing_else_is_there(client, release):
    for path in NOT_THERE:
        assert client.get(f"/files/{path.format(version=release.version)}").status_code == 404, path


def test_a_file_beside_the_release_is_not_served(client, release):
    folder = folder_of(release)
    folder.chmod(0o755)
    (folder / "secret.txt").write_text("mine")
    assert client.get(f"/files/harbours/{release.version}/secret.txt").status_code == 404


def test_a_release_that_is_not_published_is_not_served(client, release):
    Release.objects.create(dataset=release.dataset, version="2000-01-01", schema_version="1.0")
    assert client.get("/files/harbours/2000-01-01/data/ratings/part-00000.parquet").status_code == 404


def test_a_file_that_is_not_as_published_is_not_served(client, release, address):
    path = folder_of(release) / "data/ratings/part-00000.parquet"
    path.chmod(0o644)
    path.write_bytes(b"short")
    assert client.get(address).status_code == 404
    folder_of(release).chmod(0o755)
    path.unlink()
    assert client.get(address).status_code == 404
    assert client.head(address).status_code == 404


def test_latest_leads_to_the_newest(client, harbours, release):
    again = build(harbours)
    response = client.get("/files/harbours/latest/data/ratings/part-00000.parquet")
    assert response.status_code == 302
    assert response["Location"] == f"/files/harbours/{again.version}/data/ratings/part-00000.parquet"
    assert response["Cache-Control"] == "public, max-age=300"
    followed = client.get("/files/harbours/latest/data/ratings/part-00000.parquet", follow=True)
    assert body(followed) == (folder_of(again) / "data/ratings/part-00000.parquet").read_bytes()


def test_pages_of_other_origins_may_fetch_parts(client, address):
    asked = client.options(
        address,
        headers={
            "Origin": "https://example.org",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "range",
        },
    )
    assert asked.status_code == 200
    assert "range" in asked["Access-Control-Allow-Headers"]
    response = client.get(address, headers={"Origin": "https://example.org", "Range": "bytes=0-9"})
    assert len(body(response)) == 10
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "content-range" in response["Access-Control-Expose-Headers"]


@pytest.fixture
def one_place(monkeypatch):
    """Hold every file for a large one, and have a single place for downloads."""
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(files, "SMALL", 0)
    monkeypatch.setattr(files, "places", places)
    return places


def is_free(places):
    taken = places.acquire(blocking=False)
    if taken:
        places.release()
    return taken


def test_a_download_keeps_no_connection(client, address):
    response = client.get(address)
    assert connection.connection is None
    response.close()


def test_a_download_leaves_a_transaction_that_it_is_in_alone(client, address):
    with transaction.atomic():
        response = client.get(address)
        assert connection.connection is not None
        assert body(response)


def test_a_download_without_a_place_is_put_off(client, address, content, one_place):
    first = client.get(address)
    refused = client.get(address)
    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (503, "5", "no-store")
    assert refused.content.decode() == "All places for downloads are taken. Try again in a few seconds.\n"
    assert client.head(address).status_code == 200
    assert body(first) == content
    first.close()
    assert body(client.get(address)) == content


def test_a_place_is_given_back_once(client, address, one_place):
    response = client.get(address)
    response.close()
    response.close()
    del response
    gc.collect()
    assert is_free(one_place)


def test_a_place_is_given_back_by_a_download_that_broke_off(client, address, one_place):
    response = client.get(address)
    next(response.streaming_content)
    response._resource_closers[0]()
    with pytest.raises(ValueError, match="closed file"):
        next(response.streaming_content)
    response.close()
    assert is_free(one_place)


def test_a_place_is_given_back_by_a_response_that_nobody_closed(one_place):
    held = files.DownloadResponse(iter([b"a"]))
    one_place.acquire()
    held.hold_place(one_place)
    assert not is_free(one_place)
    del held
    gc.collect()
    assert is_free(one_place)


def test_what_is_small_needs_no_place(client, address, one_place, monkeypatch):
    monkeypatch.setattr(files, "SMALL", 1_000_000)
    one_place.acquire()
    response = client.get(address)
    response.close()
    assert response.status_code == 200
