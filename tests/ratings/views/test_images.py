"""The pictures over HTTP: the bytes that were hashed, to anybody, for as long as they may be shown."""

import hashlib
import uuid

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from ratings.importers.sources import SourceImage
from ratings.models import AdultClass, Image, ImageStatus
from ratings.services.importing import import_image
from tests.factories import DatasetFactory
from tests.ratings.pictures import picture_bytes

KEPT_A_DAY = "public, max-age=86400, no-transform"


@pytest.fixture
def image(db, media_root):
    content = picture_bytes(1200, 900)
    return import_image(dataset=DatasetFactory(), source=SourceImage(name="a.png", source_id="a.png", content=content))


@pytest.fixture
def large(image):
    return image.renditions.get(size=1024)


def stored(rendition):
    with default_storage.open(rendition.file) as file:
        return file.read()


def assert_not_found(response):
    assert response.status_code == 404
    assert response.json() == {"message": "There is no such image, or it is not shown any more."}
    assert response["Cache-Control"] == "no-store"
    assert "ETag" not in response


def test_it_works(client, image, large):
    response = client.get(f"/images/{image.id}.webp")

    assert response.status_code == 200
    assert hashlib.sha256(response.content).hexdigest() == large.sha256
    assert {name: response[name] for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length")} == {
        "Content-Type": "image/webp",
        "ETag": f'"{large.sha256}"',
        "Cache-Control": KEPT_A_DAY,
        "Content-Length": str(large.byte_count),
    }
    assert response["Accept-Ranges"] == "bytes"
    assert "Set-Cookie" not in response
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.parametrize("size", [512, 1024])
def test_image_file_answers_with_the_size_that_was_asked_for(client, image, size):
    response = client.get(f"/images/{image.id}-{size}.webp")

    assert hashlib.sha256(response.content).hexdigest() == image.renditions.get(size=size).sha256


def test_image_file_may_be_used_by_any_origin(client, image):
    for method in (client.get, client.head):
        response = method(f"/images/{image.id}.webp", headers={"Origin": "https://rate.example"})

        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize("status", [ImageStatus.PENDING, ImageStatus.HIDDEN, ImageStatus.WITHDRAWN])
def test_image_file_shows_no_image_that_is_not_active(client, image, large, status):
    Image.objects.filter(pk=image.pk).update(status=status, is_open=False)

    for headers in ({}, {"If-None-Match": f'"{large.sha256}"'}, {"Range": "bytes=0-9"}):
        assert_not_found(client.get(f"/images/{image.id}.webp", headers=headers))

    Image.objects.filter(pk=image.pk).update(status=ImageStatus.ACTIVE)
    assert client.get(f"/images/{image.id}.webp").status_code == 200


@pytest.mark.parametrize("adult_class", [AdultClass.SUGGESTIVE, AdultClass.ADULT, AdultClass.UNKNOWN])
def test_image_file_shows_no_image_that_is_not_safe(client, image, large, adult_class):
    Image.objects.filter(pk=image.pk).update(adult_class=adult_class)

    for headers in ({}, {"If-None-Match": f'"{large.sha256}"'}, {"Range": "bytes=0-9"}):
        assert_not_found(client.get(f"/images/{image.id}.webp", headers=headers))

    Image.objects.filter(pk=image.pk).update(adult_class=AdultClass.SAFE)
    assert client.get(f"/images/{image.id}.webp").status_code == 200


def test_image_file_shows_an_active_image_that_is_complete(client, image):
    Image.objects.filter(pk=image.pk).update(is_open=False)

    assert client.get(f"/images/{image.id}.webp").status_code == 200


@pytest.mark.parametrize(
    "path", ["{other}.webp", "{image}-300.webp", "{image}-0.webp", "{image}-99999999999999999999.webp"]
)
def test_image_file_knows_no_other_image_or_size(client, image, path):
    assert_not_found(client.get("/images/" + path.format(image=image.id, other=uuid.uuid4())))


def test_image_file_of_a_file_that_was_lost_is_not_found(client, image, large):
    default_storage.delete(large.file)

    assert_not_found(client.get(f"/images/{image.id}.webp"))


def rows_written():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return cursor.fetchone()[0]


def test_image_file_asks_the_database_once_and_writes_nothing(client, image, tmp_path):
    """Counted on the wire, where prepared statements show too."""
    client.get(f"/images/{image.id}.webp")
    written = rows_written()
    with (tmp_path / "wire.txt").open("w") as file:
        connection.connection.pgconn.trace(file.fileno())
        client.get(f"/images/{image.id}.webp", headers={"apikey": "0000000000"})
        connection.connection.pgconn.untrace()

    sent = [line for line in (tmp_path / "wire.txt").read_text().splitlines() if "\tF\t" in line]
    assert sum("Execute" in line or "Query" in line for line in sent) == 1
    assert rows_written() == written


@pytest.mark.parametrize("header", ['"{sha256}"', 'W/"{sha256}"', '"other", "{sha256}"', "*"])
def test_image_file_is_not_sent_again_to_who_has_it(client, image, large, header):
    response = client.get(f"/images/{image.id}.webp", headers={"If-None-Match": header.format(sha256=large.sha256)})

    assert (response.status_code, response.content) == (304, b"")
    assert (response["ETag"], response["Cache-Control"]) == (f'"{large.sha256}"', KEPT_A_DAY)
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_image_file_is_sent_to_who_has_another(client, image):
    assert client.get(f"/images/{image.id}.webp", headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(f"/images/{image.id}.webp", headers={"If-Match": '"other"'}).status_code == 412


def test_image_file_answers_head_like_get_without_the_body(client, image, large):
    get, head = client.get(f"/images/{image.id}.webp"), client.head(f"/images/{image.id}.webp")

    assert (head.status_code, head.content) == (200, b"")
    assert {name: value for name, value in head.items() if name != "X-Request-ID"} == {
        name: value for name, value in get.items() if name != "X-Request-ID"
    }


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-10", -10, None),
        ("bytes= 5-9", 5, 10),
        ("bytes=0-99999999", 0, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_image_file_answers_with_the_part_that_was_asked_for(client, image, large, asked, start, stop):
    whole = stored(large)

    response = client.get(f"/images/{image.id}.webp", headers={"Range": asked})

    assert (response.status_code, response.content) == (206, whole[start:stop])
    first = range(len(whole))[start]
    assert response["Content-Range"] == f"bytes {first}-{first + len(response.content) - 1}/{len(whole)}"
    assert response["Content-Length"] == str(len(response.content))
    assert response["ETag"] == f'"{large.sha256}"'


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0", "bytes=99999999-99999999"])
def test_image_file_has_no_part_beyond_its_end(client, image, large, asked):
    response = client.get(f"/images/{image.id}.webp", headers={"Range": asked})

    assert (response.status_code, response.content) == (416, b"")
    assert response["Content-Range"] == f"bytes */{large.byte_count}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=0-1,5-9", "bytes=-", "bytes=x-y", "lines=0-9", "bytes=" + "9" * 6000 + "-", "bytes=٣-٤"],
)
def test_image_file_passes_over_a_range_that_it_cannot_read(client, image, large, asked):
    response = client.get(f"/images/{image.id}.webp", headers={"Range": asked})

    assert (response.status_code, response.content) == (200, stored(large))


def test_image_file_sends_a_part_only_of_what_the_client_began_with(client, image, large):
    for etag, status in ((f'"{large.sha256}"', 206), ('"other"', 200)):
        response = client.get(f"/images/{image.id}.webp", headers={"Range": "bytes=0-9", "If-Range": etag})

        assert response.status_code == status
    assert client.head(f"/images/{image.id}.webp", headers={"Range": "bytes=0-9"}).status_code == 200


def test_image_file_takes_no_other_method(client, image):
    for method in (client.post, client.put, client.delete):
        assert method(f"/images/{image.id}.webp").status_code == 405


def test_image_file_is_served_from_a_storage_that_is_not_local(client, settings, db):
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"default": memory}
    source = SourceImage(name="a.png", source_id="a.png", content=picture_bytes())
    image = import_image(dataset=DatasetFactory(), source=source)

    response = client.get(f"/images/{image.id}.webp", headers={"Range": "bytes=0-3"})

    assert (response.status_code, response.content) == (206, b"RIFF")
