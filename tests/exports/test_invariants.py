"""Whatever is promised and not there is reported."""

from datetime import timedelta

import pytest

from exports.invariants import find_violations
from exports.models import Release
from tests.exports.made import folder_of
from tests.people import now

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(release):
    assert list(find_violations()) == []


def test_a_missing_file(release):
    folder_of(release).chmod(0o755)
    (folder_of(release) / "SCHEMA.md").unlink()
    assert list(find_violations()) == [f"Release {release} is published, but SCHEMA.md is not on disk."]


def test_a_file_of_another_size(release):
    path = folder_of(release) / "SCHEMA.md"
    path.chmod(0o644)
    path.write_text("short")
    size = release.files.get(path="SCHEMA.md").byte_count
    assert list(find_violations()) == [f"Release {release}: SCHEMA.md has 5 bytes, published {size}."]


def test_a_release_without_files(harbours):
    moment = now()
    release = Release.objects.create(
        dataset=harbours,
        version="2000-01-01",
        schema_version="1.0",
        state="published",
        snapshot_at=moment,
        published_at=moment,
    )
    assert list(find_violations()) == [f"Release {release} is published without files."]


def test_a_build_that_never_ends(harbours):
    fields = {"dataset": harbours, "schema_version": "1.0"}
    Release.objects.create(version="2000-01-01", requested_at=now() - timedelta(hours=7), **fields)
    Release.objects.create(version="2000-01-02", requested_at=now() - timedelta(hours=1), **fields)
    (sentence,) = find_violations()
    assert sentence.startswith("Release harbours 2000-01-01 has been building since")
