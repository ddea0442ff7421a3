"""Reading a release back: what lies on disk is what its checksums, its manifest and the database say."""

import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pyarrow import ArrowException

from exports.models import Release, ReleaseState
from exports.services.describe import trusted_keys
from exports.writers.documents import CHECKSUMS, MANIFEST, SIGNATURE
from exports.writers.files import WrittenFile
from exports.writers.folders import files_below, release_folder
from exports.writers.parquet import read_row_count
from exports.writers.signature import BadSignature, check_signature
from exports.writers.text import read_text_row_count

# Before schema 1.3 a table was one file beside the others.
TABLE_PATH = re.compile(r"(?:data/)?(?P<name>\w+)(?:/part-\d+)?\.parquet")


class ReleaseNotVerified(Exception):
    """Files on disk are not what they should be. ``problems`` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Manifest:
    """What manifest.json says of a release."""

    dataset_id: str
    schema_version: str
    snapshot_at: datetime
    row_counts: dict[str, int]
    files: dict[str, WrittenFile]

    @classmethod
    def read(cls, path: Path) -> Self:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = [WrittenFile(file["path"], file["bytes"], file["sha256"], file["rows"]) for file in content["files"]]
        return cls(
            dataset_id=content["dataset"]["id"],
            schema_version=content["schema_version"],
            snapshot_at=datetime.fromisoformat(content["snapshot_at"]),
            row_counts=dict(content["counts"]),
            files={file.path: file for file in files},
        )


@dataclass(frozen=True, slots=True)
class VerifiedFolder:
    """What was read back from the folder of a release and agrees with itself."""

    manifest: Manifest
    files: list[WrittenFile]


def verify_folder(folder: Path) -> VerifiedFolder:
    """Read every byte in a release's folder and check it against SHA256SUMS and the manifest.

    Raises ReleaseNotVerified with everything that is wrong.
    """
    try:
        sums = _read_checksums(folder / CHECKSUMS)
        manifest = Manifest.read(folder / MANIFEST)
        files = [_read_back(folder, path) for path in files_below(folder)]
    except (OSError, ValueError, LookupError, TypeError, ArrowException) as error:
        raise ReleaseNotVerified([f"It cannot be read back: {error!r}."]) from error
    found = {file.path: file for file in files}
    problems = [*_checksum_problems(sums, found), *_manifest_problems(manifest, found)]
    if problems:
        raise ReleaseNotVerified(problems)
    return VerifiedFolder(manifest, files)


def verify_release(*, release: Release) -> list[WrittenFile]:
    """Check a published release on disk against itself and against the database; return its files.

    Raises ReleaseNotVerified with everything that is wrong.
    """
    if release.state != ReleaseState.PUBLISHED:
        raise ReleaseNotVerified([f"{release} is {release.get_state_display()}, not published."])
    folder = release_folder(release.dataset.slug, release.version)
    verified = verify_folder(folder)
    promised = {WrittenFile(file.path, file.byte_count, file.sha256, file.row_count) for file in release.files.all()}
    problems = [f"{file.path} on disk is not the file that was published." for file in {*verified.files} - promised]
    problems += [f"{file.path} is published and not on disk." for file in promised - {*verified.files}]
    problems += signature_problems(folder)
    if problems:
        raise ReleaseNotVerified(sorted(problems))
    return verified.files


def signature_problems(folder: Path) -> list[str]:
    """Return what is wrong with the signature of a folder's checksums; releases before schema 1.3 have none."""
    if not (folder / SIGNATURE).exists():
        return []
    try:
        check_signature((folder / CHECKSUMS).read_bytes(), (folder / SIGNATURE).read_text(), trusted_keys())
    except (BadSignature, ValueError) as error:
        return [str(error)]
    return []


def _read_checksums(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _read_back(folder: Path, path: str) -> WrittenFile:
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return WrittenFile(path, (folder / path).stat().st_size, digest, _read_rows(folder / path))


def _read_rows(path: Path) -> int | None:
    if path.suffix == ".parquet":
        return read_row_count(path)
    return read_text_row_count(path) if ".csv" in path.suffixes else None


def _checksum_problems(sums: dict[str, str], found: dict[str, WrittenFile]) -> list[str]:
    expected, actual = {*sums, CHECKSUMS}, {*found} - {SIGNATURE}
    problems = [f"{path} is missing." for path in sorted(expected - actual)]
    problems += [f"{path} does not belong to the release." for path in sorted(actual - expected)]
    problems += [
        f"{path} does not have the checksum it was published with."
        for path, digest in sums.items()
        if path in found and found[path].sha256 != digest
    ]
    return problems


def _manifest_problems(manifest: Manifest, found: dict[str, WrittenFile]) -> list[str]:
    problems = [
        f"{path} is not as the manifest describes it."
        for path in sorted({*manifest.files, *found} - {MANIFEST, CHECKSUMS, SIGNATURE})
        if manifest.files.get(path) != found.get(path)
    ]
    rows: dict[str, int] = defaultdict(int)
    for path, file in found.items():
        if table := TABLE_PATH.fullmatch(path):
            rows[table["name"]] += file.row_count or 0
    problems += [
        f"{table} does not have the {count} rows that the manifest counts."
        for table, count in manifest.row_counts.items()
        if rows[table] != count
    ]
    return problems
