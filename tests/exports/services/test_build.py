"""build_release: what a release holds when everything goes well."""

import json
import stat
import subprocess
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pyarrow import parquet

from exports.invariants import find_violations
from exports.models import Release, ReleaseState
from exports.schema import COMPARISONS, IMAGES, RATERS, RATINGS, RATINGS_EXCLUDED, SCHEMA_VERSION, TABLES
from exports.services import Progress, build_release, verify_release
from ratings.models import Dataset, Image, Rating
from tests.exports.made import FILES, build, folder_of, folders_in, make_rater, make_rating, make_voided, rows_of
from tests.factories import DatasetFactory, UserFactory, make_images
from tests.people import now

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(harbours, releases_root):
    release = build(harbours)
    stored = Release.objects.get(pk=release.pk)
    assert stored.state == ReleaseState.PUBLISHED
    assert (stored.image_count, stored.rating_count, stored.schema_version) == (3, 3, SCHEMA_VERSION)
    assert stored.requested_at < stored.snapshot_at < stored.published_at
    assert [file.path for file in stored.files.order_by("path")] == FILES
    assert folders_in(releases_root) == [f"harbours/{stored.version}"]
    assert len(verify_release(release=stored)) == len(FILES)
    assert list(find_violations()) == []


def test_ratings_are_what_was_said(harbours):
    image = Image.objects.filter(dataset=harbours).order_by("id").last()
    rating = make_rating(
        image,
        make_rater(),
        aesthetic=10,
        revision_count=2,
        session_position=5,
        decode_ms=149,
        answer_ms=70_000,
        session_id=uuid.uuid4(),
        artifacts=3,
        proof="hash",
        is_late=True,
        country="NL",
        client_agent="Painter:2:me",
        created_at=datetime(2026, 3, 4, 5, 59, 59, tzinfo=UTC),
        rater_is_trusted=True,
        rater_rating_count=42,
        rater_images_generated=0,
    )
    row = rows_of(build(harbours), "ratings")[-1]
    assert len(row.pop("rater")) == 32
    assert row == {
        "rating_id": rating.pk,
        "image_id": str(image.pk),
        "aesthetic": 10,
        "artifacts": 3,
        "rated_at": datetime(2026, 3, 4, 5, tzinfo=UTC),
        "client_agent": "Painter",
        "proof": "hash",
        "is_late": True,
        "scale_version": 1,
        "account_age_band": None,
        "images_generated_band": 0,
        "kudos_band": None,
        "ratings_given_band": 10,
        "is_trusted": True,
        "anonymous": False,
        "country": "NL",
        "is_artifacts_unsure": False,
        "revision_count": 2,
        "session_position": 5,
        "is_warm_up": True,
        "is_before_training": None,
        "decode_ms": 100,
        "answer_ms": 60_000,
    }


def test_images_carry_the_summary_of_their_ratings(harbours):
    first, second, third = rows_of(build(harbours), "images")
    assert first["histogram"] == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert (first["rating_count"], first["mean_aesthetic"], first["mean_artifacts"]) == (2, 6.5, 0.0)
    assert (second["rating_count"], second["mean_aesthetic"], second["mean_artifacts"]) == (1, 1.0, 5.0)
    assert (third["rating_count"], third["mean_aesthetic"], third["histogram"]) == (0, None, [0] * 10)
    assert first["added_on"] == Image.objects.filter(dataset=harbours).first().created_at.date()


def test_images_say_where_they_came_from(harbours):
    image = make_images(
        harbours, 1, source_url="https://example.org/1", licence="MIT", prompt="a harbour", is_open=False
    )[0]
    rows = {row["image_id"]: row for row in rows_of(build(harbours), "images")}
    found = rows.pop(str(image.pk))
    assert (found["licence"], found["prompt"], found["source_url"]) == ("MIT", "a harbour", "https://example.org/1")
    assert found["is_complete"] is True
    for row in rows.values():
        assert (row["licence"], row["prompt"], row["source_url"]) == ("CC-BY-4.0", None, None)
        assert row["is_complete"] is False


@pytest.mark.parametrize("state", ["held", "quarantined", "superseded"])
def test_ratings_that_do_not_count_stay_inside(harbours, state):
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater(), state=state)
    assert build(harbours).rating_count == 3


def test_voided_ratings_stay_inside(harbours):
    make_voided(Image.objects.filter(dataset=harbours).first(), make_rater(), by=UserFactory())
    release = build(harbours)
    assert release.rating_count == 3
    assert sum(row["rating_count"] for row in rows_of(release, "images")) == 3


@pytest.mark.parametrize("status", ["hidden", "withdrawn", "pending"])
def test_images_that_are_not_shown_stay_inside_with_their_ratings(harbours, status):
    first = Image.objects.filter(dataset=harbours).order_by("id").first()
    Image.objects.filter(pk=first.pk).update(status=status, is_open=False)
    release = build(harbours)
    assert (release.image_count, release.rating_count) == (2, 1)
    assert str(first.pk) not in {row["image_id"] for row in rows_of(release, "ratings")}


def test_other_datasets_stay_out(harbours):
    other = make_images(DatasetFactory(slug="other"), 1)[0]
    make_rating(other, make_rater())
    assert build(harbours).rating_count == 3


def test_an_empty_dataset_has_a_release_too(transactional_db):
    release = build(DatasetFactory(slug="empty"))
    assert (release.image_count, release.rating_count) == (0, 0)
    for table in TABLES:
        assert rows_of(release, table.name) == []
        assert parquet.read_schema(folder_of(release) / table.path).equals(table.schema, check_metadata=True)


def test_rows_are_in_order_and_typed_as_the_schema_says(harbours):
    release = build(harbours)
    ratings = rows_of(release, "ratings")
    assert ratings == sorted(ratings, key=lambda row: (row["image_id"], row["rating_id"]))
    for table in (IMAGES, RATINGS):
        written = parquet.read_schema(folder_of(release) / table.path)
        assert written.equals(table.schema, check_metadata=True)
        assert all(written.field(name).metadata[b"description"] for name in written.names)


def test_schema_text_names_every_column(harbours):
    text = (folder_of(build(harbours)) / "SCHEMA.md").read_text()
    for table in TABLES:
        for column in table.columns:
            assert f"| `{column.name}` |" in text
            assert column.meaning in text


def test_versions_of_one_day_are_numbered(harbours):
    moment = datetime(2026, 2, 1, 12, tzinfo=UTC)
    versions = [build_release(dataset=harbours, now=moment).version for _ in range(3)]
    assert versions == ["2026-02-01", "2026-02-01.1", "2026-02-01.2"]


def test_checksums_are_what_sha256sum_reads(harbours):
    folder = folder_of(build(harbours))
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert checked.stdout.count(": OK") == len(FILES) - 2


def test_manifest_describes_every_file_in_one_order(harbours):
    release = build(harbours)
    text = (folder_of(release) / "manifest.json").read_text()
    manifest = json.loads(text)
    assert json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n" == text
    assert manifest["counts"] == {
        "comparisons": 0,
        "image_scores": 3,
        "images": 3,
        "legacy_export": 3,
        "raters": 2,
        "ratings": 3,
        "ratings_excluded": 0,
    }
    assert manifest["excluded"] == {}
    assert manifest["dataset"]["slug"] == "harbours"
    assert datetime.fromisoformat(manifest["snapshot_at"]) == release.snapshot_at
    stored = {file.path: file for file in release.files.all()}
    for file in manifest["files"]:
        assert (file["bytes"], file["sha256"], file["rows"]) == (
            stored[file["path"]].byte_count,
            stored[file["path"]].sha256,
            stored[file["path"]].row_count,
        )
    assert {file["path"] for file in manifest["files"]} == set(FILES) - {
        "manifest.json",
        "SHA256SUMS",
        "SHA256SUMS.minisig",
    }


def test_the_same_data_makes_the_same_tables(harbours):
    one, two = build(harbours), build(harbours)
    for table in TABLES:
        assert one.files.get(path=table.path).sha256 == two.files.get(path=table.path).sha256


def test_files_cannot_be_written_to(harbours):
    folder = folder_of(build(harbours))
    inside = [*folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *inside) if path.is_dir()} == {0o555}
    assert {stat.S_IMODE(path.stat().st_mode) for path in inside if path.is_file()} == {0o444}


def test_texts_state_licences_and_scale_words(harbours):
    Dataset.objects.filter(pk=harbours.pk).update(description="Ships at rest.")
    harbours.refresh_from_db()
    folder = folder_of(build(harbours))
    assert "CC-BY-4.0" in (folder / "LICENSE").read_text()
    assert "CC0-1.0" in (folder / "LICENSE").read_text()
    readme = (folder / "README.md").read_text()
    for words in ("Harbours", "Ships at rest.", "3 ratings of 3 images", "not at all", "small flaws"):
        assert words in readme


def test_progress_ends_where_the_table_ends(harbours):
    seen = []
    build_release(dataset=harbours, now=now(), on_progress=seen.append)
    rows = {COMPARISONS: 0, RATINGS_EXCLUDED: 0, RATERS: 2}
    counts = {table: rows.get(table, 3) for table in TABLES}
    assert seen == [Progress(table.name, count, count) for table, count in counts.items() if count]


def test_a_release_is_of_one_moment(harbours):
    """Whatever is committed while it is built comes with the next one."""
    late = []

    def rate_meanwhile(progress):
        if progress.table == "images" and not late:
            late.append(make_rating(Image.objects.filter(dataset=harbours).first(), make_rater()))

    release = build_release(dataset=harbours, now=now(), on_progress=rate_meanwhile)
    assert Rating.objects.filter(dataset=harbours).count() == 4
    assert release.rating_count == 3
    assert sum(row["rating_count"] for row in rows_of(release, "images")) == 3
    assert build(harbours).rating_count == 4


def test_version_is_the_day_in_utc(harbours):
    moment = datetime(2026, 2, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert build_release(dataset=harbours, now=moment).version == "2026-02-02"
