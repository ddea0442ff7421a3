"""The texts of a release: read by the programs that they are for."""

import json
import shutil
import subprocess
import sys

import polars as pl
import pytest
import yaml

from exports.schema import RATINGS, TABLES
from exports.services import ReleaseNotVerified, verify_release
from exports.services.describe import signing_key
from ratings.models import Dataset, Image
from tests.exports.made import FILES, build, folder_of, make_rater, make_rating

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(harbours):
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater(), state="quarantined")
    Dataset.objects.update(description='Ships: "at rest", {braces} and 絵.')
    harbours.refresh_from_db()
    return folder_of(build(harbours))


# In a process of its own: what it logs with closes the stream that it found as standard error, here that of pytest.
READ_CROISSANT = """
import json, sys, mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1])
issues, metadata = dataset.metadata.ctx.issues, dataset.metadata
print(json.dumps({
    "version": metadata.version,
    "errors": list(issues.errors),
    "warnings": list(issues.warnings),
    "tables": sorted(record_set.name for record_set in metadata.record_sets),
    "aesthetic": sorted(row["ratings/aesthetic"] for row in dataset.records("ratings")),
    "counts": sorted(sum(row["image_scores/histogram_aesthetic"]) for row in dataset.records("image_scores")),
}, default=int))
"""


def read_croissant(folder):
    command = [sys.executable, "-c", READ_CROISSANT, str(folder / "croissant.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_croissant_is_valid_and_reads_every_table(harbours, folder):
    found = read_croissant(folder)
    assert (found["errors"], found["warnings"]) == ([], [])
    assert found["tables"] == sorted(table.name for table in TABLES)
    assert (found["aesthetic"], found["counts"]) == ([1, 4, 9], [0, 1, 2])
    again = read_croissant(folder_of(build(harbours)))
    assert (again["warnings"], again["version"][-2:]) == ([], "+1")


def test_schema_json_names_every_column(folder):
    tables = {table["name"]: table for table in json.loads((folder / "schema.json").read_text())["tables"]}
    for table in TABLES:
        assert [column["name"] for column in tables[table.name]["columns"]] == table.schema.names


def front_matter(folder):
    _, header, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(header), text


def test_the_data_card_has_the_front_matter_of_hubs(folder):
    header, text = front_matter(folder)
    assert header["license"] == "cc0-1.0"
    configs = {config["config_name"]: config["data_files"] for config in header["configs"]}
    assert configs == {table.name: table.parts_path for table in TABLES}
    for pattern in configs.values():
        assert len(list(folder.glob(pattern))) == 1
    assert "1 quarantined (its rater is under suspicion)" in text
    assert '"at rest", {braces} and 絵' in text


def test_citation_is_yaml(folder):
    citation = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert (citation["type"], citation["version"], citation["license"]) == ("dataset", folder.name, "CC0-1.0")
    assert citation["authors"] == [{"name": "Raters of Harbours"}]


def test_the_changelog_says_what_came_since(harbours, folder):
    assert "The first release: 3 ratings of 3 images." in (folder / "CHANGELOG.md").read_text()
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater())
    said = (folder_of(build(harbours)) / "CHANGELOG.md").read_text()
    assert f"Since {folder.name}: +1 ratings, +0 images." in said


def run(folder, *arguments, code=None):
    program = [folder / "verify.py"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_verify_checks_files_and_signature_without_us(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    good = run(copy, "--key", str(signing_key().public))
    assert good.returncode == 0, good.stderr
    assert f"The signature is good: harbours {folder.name}." in good.stdout
    assert f"{len(FILES) - 2} of {len(FILES) - 2} files are here, and as they were published." in good.stdout
    (copy / "METHODS.md").unlink()
    assert f"{len(FILES) - 3} of {len(FILES) - 2} files are here" in run(copy).stdout
    (copy / "README.md").write_text("changed")
    assert run(copy).stderr == "README.md is not as it was published.\n"
    (copy / "SHA256SUMS").write_text("")
    assert "not what was signed" in run(copy, "--key", str(signing_key().public)).stderr


# DuckDB makes tables of pandas and Polars through pyarrow, so those two need it in any case.
@pytest.mark.parametrize(
    ("library", "without"),
    [("arrow", ""), ("pandas", ""), ("polars", ""), ("duckdb", ""), ("arrow", "pyarrow"), ("duckdb", "pyarrow")],
)
def test_verify_is_the_reader_as_well(folder, library, without):
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({without.split()!r}))\n"
        f"from verify import load; found = load('ratings', as_={library!r}, columns=['rating_id', 'aesthetic'])\n"
        "print(len(found))"
    )
    ran = run(folder, code=code)
    assert (ran.returncode, ran.stdout) == (0, "3\n"), ran.stderr


def test_the_reader_refuses_what_is_not_as_published(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / RATINGS.path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    ran = run(copy, code="from verify import load; load('ratings')")
    assert f"NotAsPublished: {RATINGS.path} is not as it was published." in ran.stderr
    unknown = run(copy, code="from verify import load; load('scores')")
    names = ", ".join(sorted(table.name for table in TABLES if not table.single_path))
    assert f"There is no table 'scores'; there are {names}." in unknown.stderr.replace("\\'", "'")


def test_polars_and_the_csv_agree(folder):
    text = pl.read_csv(folder / "text/ratings.csv.zst")
    assert text["rating_id"].to_list() == pl.read_parquet(folder / "data/ratings/*.parquet")["rating_id"].to_list()


def test_a_key_that_changed_is_trusted_only_when_it_is_listed(release, settings):
    before = str(signing_key().public)
    settings.SIGNING_KEY = "another secret of this test, longer than fifty characters"
    with pytest.raises(ReleaseNotVerified, match="a key that is not known here"):
        verify_release(release=release)
    settings.SIGNING_KEYS_BEFORE = [before]
    assert len(verify_release(release=release)) == len(FILES)
