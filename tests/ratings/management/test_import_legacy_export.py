"""`manage.py import_legacy_export`: what a person is told, and what is there afterwards."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ratings.models import Dataset, Image, Rating
from tests.factories import DatasetFactory
from tests.ratings.old_exports import SCHEMA, make_rows, write_export

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_command(*arguments):
    out = StringIO()
    call_command("import_legacy_export", *map(str, arguments), stdout=out)
    return out.getvalue()


LICENCE = ("--licence", "CC-BY-SA-4.0")


@pytest.fixture
def export(tmp_path):
    rows = make_rows(200)
    rows[3] |= {"rating": 11}
    rows[4] |= {"id": "nothing"}
    return write_export(tmp_path / "old_export.parquet", rows)


def test_command_makes_the_dataset_and_tells_what_it_did(export, here, adds_up):
    out = run_command(
        export, "--dataset", "history", *LICENCE, "--name", "The first year", "--image-licence", "CC0-1.0"
    )
    dataset = Dataset.objects.get()
    assert (dataset.slug, dataset.name, dataset.state) == ("history", "The first year", "closed")
    assert (dataset.licence, dataset.ratings_licence) == ("CC0-1.0", "CC-BY-SA-4.0")
    assert f"history: 198 ratings taken over, 0 known already; {dataset.image_count} images are new." in out
    assert "2 rows were refused; all of them with their reasons: old_export.refused.jsonl" in out
    assert "refused: row 4: rating is not a whole number from 1 to 10" in out
    assert "Publish them: manage.py build_release history" in out
    refused = [json.loads(line) for line in (here / "old_export.refused.jsonl").read_text().splitlines()]
    assert refused[1] == {"name": "row 5", "reason": "the id is not the UUID of an image"}
    adds_up()
    again = run_command(export, "--dataset", "history", *LICENCE, "--refused", here / "elsewhere.jsonl")
    assert "history: 0 ratings taken over, 198 known already; 0 images are new." in again
    assert len((here / "elsewhere.jsonl").read_text().splitlines()) == 2


def test_a_dry_run_stores_nothing_and_writes_the_refusals(export, here):
    out = run_command(export, "--dataset", "history", *LICENCE, "--dry-run")
    assert "198 of 200 rows could be taken over; nothing was stored." in out
    assert (here / "old_export.refused.jsonl").exists()
    assert not Dataset.objects.exists()
    assert not Image.objects.exists()


def test_a_limit_takes_the_first_rows(export):
    assert "3 ratings taken over" in run_command(export, "--dataset", "history", *LICENCE, "--limit", 4)
    assert Rating.objects.count() == 3


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", str(2**63)])
def test_a_limit_is_a_number_of_rows(export, limit):
    with pytest.raises(CommandError, match="must be a whole number from 1"):
        run_command(export, "--dataset", "history", *LICENCE, f"--limit={limit}")


def test_a_new_dataset_needs_a_licence(export):
    with pytest.raises(CommandError, match="say under which licence its ratings are"):
        run_command(export, "--dataset", "history")
    with pytest.raises(CommandError, match="not an SPDX expression"):
        run_command(export, "--dataset", "history", "--licence", "free for all")
    with pytest.raises(CommandError, match="slug"):
        run_command(export, "--dataset", "not a slug", *LICENCE)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("option", [("--licence", "MIT"), ("--name", "Other"), ("--image-licence", "MIT")])
def test_an_old_dataset_keeps_its_name_and_licences(export, option):
    run_command(export, "--dataset", "history", *LICENCE)
    with pytest.raises(CommandError, match="exists under another name or licence"):
        run_command(export, "--dataset", "history", *option)


def test_another_dataset_is_not_touched(export):
    DatasetFactory(slug="harbours")
    with pytest.raises(CommandError, match="history needs a dataset of its own"):
        run_command(export, "--dataset", "harbours", *LICENCE)
    assert not Rating.objects.exists()


def test_what_is_no_export_is_refused_in_a_sentence(here):
    (here / "x.parquet").write_bytes(b"no parquet")
    for name, message in (("x.parquet", "cannot be read as Parquet"), ("nothing.parquet", "cannot be read")):
        with pytest.raises(CommandError, match=message):
            run_command(here / name, "--dataset", "history", *LICENCE)
    with pytest.raises(CommandError, match="has no rows"):
        run_command(write_export(here / "empty.parquet", []), "--dataset", "history", *LICENCE)
    path = write_export(here / "few.parquet", make_rows(1), [name for name in SCHEMA.names if name != "rating"])
    with pytest.raises(CommandError, match="It has no column rating"):
        run_command(path, "--dataset", "history", *LICENCE)
    assert not Dataset.objects.exists()


def test_nothing_to_take_over_is_an_error(here):
    path = write_export(here / "bad.parquet", [row | {"rating": 0} for row in make_rows(30)])
    with pytest.raises(CommandError, match="There was not one row"):
        run_command(path, "--dataset", "history", *LICENCE)


def test_refusals_that_cannot_be_written_stop_it(export, here):
    with pytest.raises(CommandError, match="The refusals could not be written"):
        run_command(export, "--dataset", "history", *LICENCE, "--refused", here)
    assert not Rating.objects.exists()
