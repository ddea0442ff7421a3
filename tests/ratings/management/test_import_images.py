"""`manage.py import_images`: what a person is told, and what is there afterwards."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ratings.models import Dataset, Image
from tests.ratings.stored import assert_whole


def run_command(*arguments):
    out = StringIO()
    call_command("import_images", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_command_creates_the_dataset_and_tells_what_it_did(db, picture_folder, media_root):
    (picture_folder / "notes.txt").write_text("no picture")
    index = picture_folder / "index.jsonl"
    index.write_text(json.dumps({"file": "a.png", "prompt": "two boats"}) + "\n{\n")
    arguments = ["folder", picture_folder, "--dataset", "harbours", "--licence", "CC-BY-4.0", "--index", index]

    out = run_command(*arguments, "--name", "Harbours", "--target", 7, "--adult-class", "unknown")

    dataset = Dataset.objects.get()
    assert (dataset.slug, dataset.name, dataset.licence, dataset.target_rating_count) == (
        "harbours",
        "Harbours",
        "CC-BY-4.0",
        7,
    )
    assert dataset.images.get(source_id="a.png").prompt == "two boats"
    assert set(dataset.images.values_list("adult_class", flat=True)) == {"unknown"}
    assert_whole(dataset)
    rows = {line.split("│")[0].strip(): line.split("│")[1].strip() for line in out.splitlines() if "│" in line}
    assert rows["imported"] == "3"
    assert rows["refused"] == "2"
    assert "refused: notes.txt: not a picture by its name" in out
    assert "refused: index.jsonl, line 2: not JSON" in out
    # Known is as good as imported: no error.
    assert "3" in run_command(*arguments)


def test_command_writes_every_refusal_to_a_file_and_shows_fifty(harbours, picture_folder, tmp_path):
    for number in range(60):
        (picture_folder / f"{number:02}.png").write_bytes(b"words" * min(number, 40))

    out = run_command("folder", picture_folder, "--dataset", "harbours", "--refused", tmp_path / "refused.jsonl")

    written = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert {"name": "00.png", "reason": "the file is empty"} in written
    assert {"name": "40.png", "reason": "not a PNG, JPEG, WebP, AVIF or GIF picture"} in written
    assert {"name": "59.png", "reason": "the same bytes were refused under another name"} in written
    assert len(written) == 60
    assert out.count("refused: ") == 50
    assert "... and 10 more" in out


def test_command_prints_no_control_characters_of_file_names(harbours, picture_folder):
    (picture_folder / "\x1b[2J[red]\n.png").write_bytes(b"words")

    out = run_command("folder", picture_folder, "--dataset", "harbours")

    assert "refused: \N{REPLACEMENT CHARACTER}[2J[red]\N{REPLACEMENT CHARACTER}.png: not a PNG" in out


def test_command_writes_nothing_in_a_dry_run(db, picture_folder, media_root):
    out = run_command("folder", picture_folder, "--dataset", "harbours", "--licence", "MIT", "--dry-run")

    assert "would be imported" in out
    assert not Dataset.objects.exists()
    assert not media_root.exists()


def test_command_fails_when_nothing_could_be_imported(harbours, picture_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"words")
    existing = ["--dataset", "harbours"]

    for arguments, sentence in (
        (["folder", tmp_path / "bad", *existing], "Nothing could be imported"),
        (["folder", tmp_path / "empty", *existing], "not one file"),
        (["folder", tmp_path / "missing", *existing], "is not there"),
        (["folder", picture_folder / "a.png", *existing], "is a file, not a folder"),
        (["folder", picture_folder, *existing, "--index", tmp_path / "no.jsonl"], "The index .* is not there"),
        (["folder", picture_folder, *existing, "--refused", tmp_path / "no" / "such"], "No such file"),
        (["folder", picture_folder, *existing, "--target", "9"], "exists: --name and --target are for one that is new"),
        (["folder", picture_folder, *existing, "--licence", "free stuff"], "not an SPDX expression"),
        (["folder", picture_folder, "--dataset", "other"], r"say under which licence its pictures are \(--licence\)"),
        (["folder", picture_folder, "--dataset", "not a slug", "--licence", "MIT"], "slug: Enter a valid"),
        (["folder", picture_folder, "--dataset", "other", "--licence", "MIT", "--target", "0"], "target_rating_count"),
        (["folder", picture_folder], "--dataset"),
        (["cloud", picture_folder, *existing], "invalid choice: 'cloud'"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run_command(*arguments)

    assert not Image.objects.exists()
    assert list(Dataset.objects.values_list("slug", flat=True)) == ["harbours"]
    # The same set-up, and nothing wrong.
    assert "3" in run_command("folder", picture_folder, *existing)
