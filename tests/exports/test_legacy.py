"""The file that programs of 2023 read: their columns and types, and nobody recognisable."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import compute, parquet

from accounts.models import IdentityKind
from exports.schema import LEGACY
from ratings.models import Image, Rater, Rating
from tests.exports.made import build, folder_of, make_rater, make_rating, rows_of
from tests.factories import DatasetFactory, make_images
from tests.ratings.old_exports import SCHEMA

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400
COLUMNS = list(zip(SCHEMA.names, SCHEMA.types, strict=True))


@pytest.fixture
def image(harbours):
    return Image.objects.filter(dataset=harbours).order_by("id").last()


def only_row(image):
    (row,) = [row for row in rows_of(build(image.dataset), "legacy_export") if row["id"] == str(image.pk)]
    return row


def test_it_works(harbours, image):
    rater = make_rater(is_trusted=True, challenges_failed=-7)
    make_rating(
        image,
        rater,
        aesthetic=10,
        artifacts=3,
        country="NL",
        client_agent="Painter:2:me@example.org",
        created_at=datetime(2026, 3, 4, 5, 59, 59, 999999, tzinfo=UTC),
        rater_kudos=1_076_359,
        rater_account_age=40 * DAY + 7,
        rater_images_generated=498,
        rater_is_trusted=True,
    )
    row = only_row(image)
    assert len(bytes.fromhex(row.pop("user_id"))) == 32
    assert row == {
        "id": str(image.pk),
        "ratings_count": 1,
        "rating": 10,
        "kudos": 1_000_000,
        "account_age": 30 * DAY,
        "usage_requests": 100,
        "created_at": datetime(2026, 3, 4, 5),  # noqa: DTZ001 - as old programs read it
        "client_agent": "Painter",
        "artifacts": 3.0,
        "trusted": True,
        "validated": True,
        "captchas_failed": -1,
        "country": "NL",
    }


def test_columns_have_the_order_and_types_that_old_programs_read(release):
    schema = parquet.read_schema(folder_of(release) / "legacy_export.parquet")
    assert list(zip(schema.names, schema.types, strict=True)) == COLUMNS


def test_the_rows_are_those_of_the_ratings(harbours, image):
    for _ in range(3):
        make_rating(image, make_rater())
    make_rating(image, make_rater(), state="held")
    release = build(harbours)
    old, new = rows_of(release, "legacy_export"), rows_of(release, "ratings")
    assert [(row["id"], row["rating"], row["artifacts"]) for row in old] == [
        (row["image_id"], row["aesthetic"], row["artifacts"]) for row in new
    ]
    counts = {row["image_id"]: row["rating_count"] for row in rows_of(release, "images")}
    assert all(row["ratings_count"] == counts[row["id"]] for row in old)
    assert [row["ratings_count"] for row in old] == [2, 2, 1, 3, 3, 3]


def test_who_could_not_judge_is_left_out(harbours, image):
    make_rating(image, make_rater(), aesthetic=3)
    make_rating(image, make_rater(), aesthetic=None, artifacts=5)
    release = build(harbours)
    new = [
        (row["aesthetic"], row["artifacts"], row["session_position"], row["is_warm_up"], row["decode_ms"])
        for row in rows_of(release, "ratings")
        if row["image_id"] == str(image.pk)
    ]
    assert (None, 5, None, None, None) in new
    old = [row for row in rows_of(release, "legacy_export") if row["id"] == str(image.pk)]
    assert len(old) == len(new) - 1
    assert {row["ratings_count"] for row in old} == {len(old)}
    (summary,) = [row for row in rows_of(release, "images") if row["image_id"] == str(image.pk)]
    assert (summary["rating_count"], sum(summary["histogram"])) == (len(old), len(old))


def test_what_old_programs_do_with_it_works(harbours, image):
    """Leave out anonymous rows and repeated pairs, keep images with three ratings, take the mean."""
    for aesthetic in (2, 4, 9):
        make_rating(image, make_rater(), aesthetic=aesthetic)
    make_rating(image, make_rater(IdentityKind.BROWSER), aesthetic=1)
    table = parquet.read_table(folder_of(build(harbours)) / "legacy_export.parquet")
    table = table.filter(compute.field("kudos") != -50).filter(compute.field("ratings_count") >= 3)
    assert len(table.select(["id", "user_id"]).group_by(["id", "user_id"]).aggregate([])) == 3
    assert table.group_by("id").aggregate([("rating", "mean")]).to_pylist() == [{"id": str(image.pk), "rating_mean": 5}]


@pytest.mark.parametrize(
    ("there", "here", "trusted"), [(None, True, True), (None, False, False), (True, False, True), (False, True, False)]
)
def test_trust_is_that_of_the_service_where_the_rater_comes_from(image, there, here, trusted):
    make_rating(image, make_rater(), rater_is_trusted=here, rater_is_trusted_elsewhere=there)
    assert only_row(image)["trusted"] is trusted


@pytest.mark.parametrize("kind", [IdentityKind.BROWSER, IdentityKind.SHARED_KEY])
def test_anonymous_ratings_are_marked_as_they_were(image, kind):
    rater = make_rater(kind, is_shared=kind == IdentityKind.SHARED_KEY)
    make_rating(image, rater, rater_kudos=12, rater_account_age=90 * DAY, rater_images_generated=900)
    row = only_row(image)
    assert (row["kudos"], row["account_age"], row["usage_requests"]) == (-50, 0, 0)


def test_all_anonymous_ratings_share_one_user_id(harbours, image):
    for kind in (IdentityKind.BROWSER, IdentityKind.BROWSER, IdentityKind.SHARED_KEY, IdentityKind.HORDE):
        make_rating(image, make_rater(kind))
    rows = [row for row in rows_of(build(harbours), "legacy_export") if row["id"] == str(image.pk)]
    assert len({row["user_id"] for row in rows if row["kudos"] == -50}) == 1
    assert len({row["user_id"] for row in rows}) == 2


def test_kudos_are_powers_of_ten_and_never_the_mark(harbours, image):
    exact = (None, 0, 1, 9, 24, 99, 1000, 2**63 - 1, -1, -9, -10, -49, -50, -51, -(2**63))
    expected = [0, 0, 1, 1, 10, 10, 1000, 10**9, 0, 0, 0, 0, 0, 0, 0]
    for kudos in exact:
        make_rating(image, make_rater(), rater_kudos=kudos)
    rows = [row for row in rows_of(build(harbours), "legacy_export") if row["id"] == str(image.pk)]
    assert [row["kudos"] for row in rows] == expected


@pytest.mark.parametrize(
    ("seconds", "floor"),
    [
        (None, 0),
        (0, 0),
        (DAY - 1, 0),
        (DAY, DAY),
        (7 * DAY - 1, DAY),
        (7 * DAY, 7 * DAY),
        (30 * DAY, 30 * DAY),
        (180 * DAY, 180 * DAY),
        (2**31 - 1, 180 * DAY),
    ],
)
def test_age_is_the_lower_bound_of_a_band(image, seconds, floor):
    make_rating(image, make_rater(), rater_account_age=seconds)
    assert only_row(image)["account_age"] == floor


def test_one_rater_has_one_band_that_stays(harbours):
    """Two bands an hour apart would say when the account was made; so would one that changes between releases."""
    first, second, third = Image.objects.filter(dataset=harbours)
    rater = make_rater()
    began = datetime(2026, 3, 4, 5, 30, tzinfo=UTC)
    make_rating(first, rater, rater_account_age=7 * DAY - 60, created_at=began, aesthetic=10)
    make_rating(second, rater, rater_account_age=7 * DAY + 60, created_at=began + timedelta(minutes=2), aesthetic=10)

    def bands():
        return {row["account_age"] for row in rows_of(build(harbours), "legacy_export") if row["rating"] == 10}

    assert bands() == {DAY}
    make_rating(third, rater, rater_account_age=90 * DAY, created_at=began + timedelta(days=83), aesthetic=10)
    assert bands() == {DAY}


def test_a_user_id_is_the_same_in_one_dataset_and_like_nothing_else(harbours, image):
    rater = make_rater()
    make_rating(image, rater)
    there = make_images(DatasetFactory(slug="other"), 1)[0]
    make_rating(there, rater)
    one, two, other = only_row(image)["user_id"], only_row(image)["user_id"], only_row(there)["user_id"]
    assert one == two != other
    pseudonyms = {row["rater"] for row in rows_of(build(harbours), "ratings")}
    assert not any(one.startswith(pseudonym) for pseudonym in pseudonyms)
    assert rater.pseudonym_seed.hex not in one


@pytest.mark.parametrize(
    ("agent", "name"),
    [("ArtBot:v.1:(discord)somebody#4910", "ArtBot"), ("unknown:0:unknown", "unknown"), ("me@example.org", "unknown")],
)
def test_agents_lose_their_contact(image, agent, name):
    make_rating(image, make_rater(), client_agent=agent)
    assert only_row(image)["client_agent"] == name


def test_nothing_exact_of_a_person_is_in_it(harbours, image):
    moment = datetime(2026, 3, 4, 5, 37, 41, 123456, tzinfo=UTC)
    exact = {"rater_kudos": 918273, "rater_images_generated": 554433, "rater_account_age": 12345678}
    make_rating(image, make_rater(external_id="4711-somebody"), created_at=moment, address_hash="ad" * 16, **exact)
    said = repr(rows_of(build(harbours), "legacy_export"))
    assert not any(str(value) in said for value in (*exact.values(), "4711-somebody", "ad" * 16, "37, 41"))


def test_an_empty_dataset_has_an_empty_file(transactional_db):
    release = build(DatasetFactory(slug="empty"))
    assert rows_of(release, "legacy_export") == []
    assert parquet.read_schema(folder_of(release) / LEGACY.path).equals(LEGACY.schema, check_metadata=True)


def test_it_is_one_of_the_files_of_the_release(release):
    file = release.files.get(path="legacy_export.parquet")
    assert file.row_count == release.rating_count
    manifest = json.loads((folder_of(release) / "manifest.json").read_text())
    assert file.sha256 in {entry["sha256"] for entry in manifest["files"]}
    assert f"{file.sha256}  legacy_export.parquet\n" in (folder_of(release) / "SHA256SUMS").read_text()
    text = (folder_of(release) / "SCHEMA.md").read_text()
    assert "## legacy_export.parquet" in text
    assert "cut to the full hour" in text


def test_a_pending_image_comes_only_with_ratings_that_were_counted(harbours, image):
    given = {"aesthetic": 10, "proof": "import", "is_shared": True, "lease_id": None}
    taken_over = make_rating(image, make_rater(), state="held", **given)
    Image.objects.filter(pk=image.pk).update(status="pending", is_open=False, width=0, mime="")
    assert str(image.pk) not in {row["id"] for row in rows_of(build(harbours), "legacy_export")}
    Rating.objects.filter(pk=taken_over.pk).update(state="counted")
    release = build(harbours)
    assert str(image.pk) in {row["id"] for row in rows_of(release, "legacy_export")}
    (row,) = [row for row in rows_of(release, "images") if row["image_id"] == str(image.pk)]
    assert (row["width"], row["mime"], row["rating_count"]) == (None, None, 1)
    assert Rater.objects.count() == 3
