"""verify_release: any change on disk is found and named."""

import shutil

import pytest

from exports.services import ReleaseNotVerified, verify_release
from exports.writers.folders import remove_folder
from tests.exports.made import FILES, build, folder_of

pytestmark = pytest.mark.django_db(transaction=True)


def change_a_byte(folder):
    path = folder / "data/ratings/part-00000.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite_sums(folder):
    (folder / "README.md").write_text("changed")
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    (folder / "SHA256SUMS").write_text("\n".join(line for line in lines if "README" not in line) + "\n")


def miscount(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"ratings": 3', '"ratings": 4'))


DAMAGES = {
    "a changed byte": (change_a_byte, "data/ratings/part-00000.parquet|cannot be read back"),
    "a missing file": (lambda folder: (folder / "SCHEMA.md").unlink(), "SCHEMA.md is missing"),
    "a file too many": (
        lambda folder: (folder / "extra.txt").write_text("x"),
        "extra.txt does not belong to the release",
    ),
    "a shortened file": (
        lambda folder: (folder / "data/images/part-00000.parquet").write_bytes(b"PAR1"),
        "cannot be read back",
    ),
    "a changed text": (
        lambda folder: (folder / "LICENSE").write_text("mine"),
        "LICENSE does not have the checksum",
    ),
    "rewritten sums": (rewrite_sums, "README.md"),
    "a manifest that is no JSON": (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read back"),
    "a manifest of something else": (
        lambda folder: (folder / "manifest.json").write_text('{"files": []}'),
        "cannot be read back",
    ),
    "a manifest that counts wrongly": (
        miscount,
        "ratings does not have the 4 rows that the manifest counts",
    ),
    "no sums": (lambda folder: (folder / "SHA256SUMS").unlink(), "cannot be read back"),
    "no folder": (shutil.rmtree, "cannot be read back"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(release, damage):
    assert len(verify_release(release=release)) == len(FILES)
    folder = folder_of(release)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    do, message = DAMAGES[damage]
    do(folder)
    with pytest.raises(ReleaseNotVerified, match=message):
        verify_release(release=release)


def test_a_whole_release_in_place_of_another_is_found(harbours, release):
    """Everything agrees with itself, and is not what was published."""
    other = build(harbours)
    folder = folder_of(release)
    remove_folder(folder)
    shutil.copytree(folder_of(other), folder)
    with pytest.raises(ReleaseNotVerified, match="is not the file that was published"):
        verify_release(release=release)


def test_only_a_published_release_can_be_verified(release):
    release.state = "failed"
    with pytest.raises(ReleaseNotVerified, match="is failed, not published"):
        verify_release(release=release)
