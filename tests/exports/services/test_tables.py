"""What each table of a release holds, beyond the ratings themselves: scores, splits, what does not count, and copies."""

import csv
import hashlib
import io
from collections import Counter
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from django.utils import timezone
from pyarrow import parquet

from exports.privacy import RaterBook, make_treatments
from exports.schema import IMAGE_SCORES, LEGACY, RATINGS, Scope, select_raters
from exports.writers import parquet as writer
from exports.writers.snapshot import open_snapshot
from exports.writers.text import write_text_copy
from ratings.models import Image
from tests.exports.made import build, folder_of, make_rater, make_rating, make_voided, rows_of
from tests.factories import UserFactory, make_images

pytestmark = pytest.mark.django_db(transaction=True)


def images_of(dataset):
    return list(Image.objects.filter(dataset=dataset).order_by("id"))


def test_scores_are_the_plain_summary_of_the_ratings(harbours):
    first, second, third = rows_of(build(harbours), "image_scores")
    assert (first["rating_count"], first["mean_aesthetic"], round(first["sd_aesthetic"], 6)) == (2, 6.5, 3.535534)
    assert first["histogram_aesthetic"] == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert (first["artifacts_count"], first["mean_artifacts"], first["sd_artifacts"]) == (1, 0.0, None)
    assert second["histogram_artifacts"] == [0, 0, 0, 0, 0, 1]
    assert (third["rating_count"], third["mean_aesthetic"], third["histogram_artifacts"]) == (0, None, [0] * 6)


def test_what_does_not_count_is_listed_with_its_reason(harbours):
    first, second, third = images_of(harbours)
    voided = make_voided(first, make_rater(), by=UserFactory())
    quarantined = make_rating(second, make_rater(), state="quarantined")
    held = make_rating(third, make_rater(), state="held")
    release = build(harbours)
    found = {row["rating_id"]: (row["reason"], row["decided_on"]) for row in rows_of(release, "ratings_excluded")}
    today = voided.moderation_action.taken_at.date()
    assert isinstance(today, date)
    assert found == {
        voided.pk: ("voided", today),
        quarantined.pk: ("quarantined", None),
        held.pk: ("held", None),
    }
    assert release.rating_count == 3
    assert found.keys().isdisjoint(row["rating_id"] for row in rows_of(release, "ratings"))


def test_what_would_tell_that_two_raters_are_one_person_is_in_no_table(harbours):
    make_rating(images_of(harbours)[0], make_rater(), state="superseded")
    assert rows_of(build(harbours), "ratings_excluded") == []


@pytest.mark.parametrize("status", ["hidden", "withdrawn", "pending"])
def test_excluded_ratings_leave_with_their_image(harbours, status):
    first = images_of(harbours)[0]
    make_rating(first, make_rater(), state="quarantined")
    Image.objects.filter(pk=first.pk).update(status=status, is_open=False)
    assert rows_of(build(harbours), "ratings_excluded") == []


def expected_split(text):
    place = int(hashlib.md5(text.encode()).hexdigest()[:8], 16) % 100
    return "train" if place < 90 else "validation" if place < 95 else "test"


def test_images_of_one_prompt_are_in_one_split_and_anybody_can_compute_it(harbours):
    made = [make_images(harbours, 2, prompt=f"a harbour, {number}, “naïve” 絵")[0] for number in range(60)]
    release = build(harbours)
    rows = {row["image_id"]: row for row in rows_of(release, "images")}
    for row in rows.values():
        assert row["split"] == expected_split(row["prompt"] or row["image_id"])
    assert {row["image_id"]: row["split"] for row in rows_of(release, "image_scores")} == {
        name: row["split"] for name, row in rows.items()
    }
    assert len({rows[str(image.pk)]["split"] for image in made}) > 1


def test_nine_in_ten_images_are_for_training():
    counts = Counter(expected_split(str(number)) for number in range(20_000))
    assert counts["train"] == pytest.approx(18_000, rel=0.02)
    assert counts["validation"] == pytest.approx(1_000, rel=0.15)


def read_csv(path):
    with pa.input_stream(path, compression="detect") as file:
        return list(csv.DictReader(io.StringIO(file.read().decode())))


def as_text(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "hour") else str(value)


@pytest.mark.parametrize("table", [RATINGS, IMAGE_SCORES], ids=lambda table: table.name)
def test_the_text_has_the_same_rows(harbours, table):
    make_rating(images_of(harbours)[2], make_rater(), client_agent='Comma, "quote" and 絵:1')
    release = build(harbours)
    rows = read_csv(folder_of(release) / table.text_path)
    expected = rows_of(release, table.name)
    for row, wanted in zip(rows, expected, strict=True):
        assert list(row) == [column.name for column in table.columns]
        for name, value in wanted.items():
            if isinstance(value, float):
                assert float(row[name]) == pytest.approx(value)
            else:
                assert row[name] == as_text(value)
    assert release.files.get(path=table.text_path).row_count == len(expected)


def test_the_sample_is_the_first_thousand_ratings(harbours):
    rater = make_rater("shared_key", is_shared=True)
    for number in range(1_010):
        make_rating(images_of(harbours)[2], rater, aesthetic=1 + number % 10)
    release = build(harbours)
    sample = parquet.read_table(folder_of(release) / "samples/ratings-1000.parquet")
    assert sample.to_pylist() == rows_of(release, "ratings")[:1_000]
    assert sample.schema.field("aesthetic").metadata == RATINGS.schema.field("aesthetic").metadata
    text = read_csv(folder_of(release) / "samples/ratings-1000.csv")
    assert [row["rating_id"] for row in text] == [str(row["rating_id"]) for row in sample.to_pylist()]


def write_parts(dataset, table, folder):
    scope = Scope(dataset.pk, until=timezone.now())
    with open_snapshot() as snapshot:
        book = RaterBook.read(snapshot.batches(select_raters(scope)), key="a key", dataset_id=dataset.pk, smallest=1)
        return writer.write_table(
            folder=folder,
            table=table,
            batches=snapshot.batches(table.select(scope)),
            treatments=make_treatments(book),
            on_rows=lambda rows: None,
        )


def test_a_large_table_is_cut_into_parts_at_row_groups(harbours, monkeypatch, tmp_path):
    """What counts as large is made small: to fill a real part takes millions of rows."""
    monkeypatch.setattr(writer, "PART_BYTES", 1)
    table = replace(RATINGS, row_group_rows=2)
    parts = write_parts(harbours, table, tmp_path)
    assert [(part.path, part.row_count) for part in parts] == [
        ("data/ratings/part-00000.parquet", 2),
        ("data/ratings/part-00001.parquet", 1),
    ]
    for part in parts:
        content = (tmp_path / part.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (part.byte_count, part.sha256)
    whole = [row for part in parts for row in parquet.read_table(tmp_path / part.path).to_pylist()]
    assert [row["rating_id"] for row in whole] == [row["rating_id"] for row in rows_of(build(harbours), "ratings")]
    text = write_text_copy(tmp_path, table, parts)
    assert text.row_count == len(read_csv(tmp_path / text.path)) == 3


def test_the_file_of_old_programs_is_one_however_large(harbours, monkeypatch, tmp_path):
    monkeypatch.setattr(writer, "PART_BYTES", 1)
    (part,) = write_parts(harbours, replace(LEGACY, row_group_rows=1), tmp_path)
    assert (part.path, part.row_count) == ("legacy_export.parquet", 3)


def test_keys_have_bloom_filters_and_pages_an_index(harbours):
    release = build(harbours)
    group = parquet.read_metadata(folder_of(release) / RATINGS.path).row_group(0)
    columns = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    assert all(column.has_offset_index and column.has_column_index for column in columns.values())
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    filtered = {name for name, column in columns.items() if column.bloom_filter_length}
    assert filtered == {"image_id", "rater"}
