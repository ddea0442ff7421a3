"""From an old export into a dataset of history, from there into a release, and back again."""

import pytest
from django.core.management import call_command
from pyarrow import parquet

from config.invariants import find_violations
from exports.queries import due_dataset_ids
from ratings.models import Dataset, Image, Rating
from tests.exports.made import build, folder_of, rows_of
from tests.people import tomorrow
from tests.ratings.old_exports import ELEVEN, as_tuples, made_coarse, make_rows, write_export

pytestmark = pytest.mark.django_db(transaction=True)


def take_over(path, slug):
    call_command("import_legacy_export", str(path), "--dataset", slug, "--licence", "CC-BY-SA-4.0")
    return Dataset.objects.get(slug=slug)


def users(rows):
    """Return the sizes of what each user rated: user ids change, who is who does not."""
    sizes = {}
    for row in rows:
        sizes.setdefault(row["user_id"], []).append(row["id"])
    return sorted(sorted(images) for images in sizes.values())


def test_a_release_says_what_the_export_said_made_coarse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = make_rows(3_000)
    dataset = take_over(write_export(tmp_path / "old_export.parquet", rows), "history")
    release = build(dataset)
    found = rows_of(release, "legacy_export")
    assert len(found) == 3_000
    assert as_tuples(found) == made_coarse(rows)
    assert users(found) == users(rows)
    assert {row["user_id"] for row in found}.isdisjoint({row["user_id"] for row in rows})
    assert {row["proof"] for row in rows_of(release, "ratings")} == {"import"}
    assert list(find_violations()) == []
    assert not list(tmp_path.glob("*.jsonl"))


def test_the_release_says_what_is_wrong_with_history(tmp_path):
    dataset = take_over(write_export(tmp_path / "old.parquet", make_rows(10)), "history")
    folder = folder_of(build(dataset))
    readme = (folder / "README.md").read_text()
    for words in ("28 January to 6 March 2023", "modulo one day", "several highest ratings", "not proven"):
        assert words in readme
    assert "CC-BY-SA-4.0" in (folder / "LICENSE").read_text()
    assert due_dataset_ids(now=tomorrow()) == []


def test_what_we_published_comes_back_as_it_was(tmp_path):
    """A round trip in one database: the ids of the images are taken, so they get others, and say so."""
    first = take_over(write_export(tmp_path / "old.parquet", make_rows(500)), "first")
    release = build(first)
    second = take_over(folder_of(release) / "legacy_export.parquet", "second")
    again = build(second)
    names = {row["image_id"]: row["source_id"] for row in rows_of(again, "images")}
    assert names.keys().isdisjoint(names.values())
    before = rows_of(release, "legacy_export")
    after = [row | {"id": names[row["id"]]} for row in rows_of(again, "legacy_export")]
    assert as_tuples(after) == as_tuples(before)
    assert users(after) == users(before)
    assert Image.objects.filter(dataset=second).count() == second.image_count == first.image_count
    assert list(find_violations()) == []
    take_over(folder_of(release) / "legacy_export.parquet", "second")
    assert Rating.objects.filter(dataset=second).count() == 500


def test_a_pair_that_occurs_twice_stays(tmp_path):
    row = make_rows(1)[0] | {"kudos": 24, "ratings_count": 3}
    other = row | {"rating": 11 - row["rating"]}
    dataset = take_over(write_export(tmp_path / "old.parquet", [row, row, other]), "history")
    found = parquet.read_table(folder_of(build(dataset)) / "legacy_export.parquet").to_pylist()
    assert sorted(row["rating"] for row in found) == sorted([row["rating"], row["rating"], other["rating"]])
    assert len({row["user_id"] for row in found}) == 1


def test_an_export_that_names_nobody_keeps_what_it_knows(tmp_path):
    rows = make_rows(300)
    dataset = take_over(write_export(tmp_path / "old.parquet", rows, ELEVEN), "history")
    release = build(dataset)
    found = rows_of(release, "legacy_export")
    nobody = {"user_id": "", "validated": False, "captchas_failed": 0}
    assert sorted(row["kudos"] for row in found) == sorted(
        row[3] for row in made_coarse([row | nobody for row in rows])
    )
    assert sum(row["anonymous"] for row in rows_of(release, "ratings")) == sum(row["kudos"] == -50 for row in rows) > 0
    assert len({row["user_id"] for row in found}) == 2
