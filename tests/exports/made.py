"""Rows of a dataset as a release finds them, and ways to read a release."""

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone
from pyarrow import parquet

from accounts.models import Identity, IdentityKind, User
from exports.models import Release, ReleaseFile
from exports.schema import TABLES
from exports.services import build_release
from exports.writers.folders import release_folder
from ratings.models import ActionKind, Dataset, Image, ModerationAction, Rater, Rating

# Where the rows of a table are; all of them, as long as there are few.
PATHS = {table.name: table.path for table in TABLES}
FILES = [
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "METHODS.md",
    "PRIVACY.md",
    "README.md",
    "SCHEMA.md",
    "SHA256SUMS",
    "SHA256SUMS.minisig",
    "croissant.json",
    "data/comparisons/part-00000.parquet",
    "data/image_scores/part-00000.parquet",
    "data/images/part-00000.parquet",
    "data/raters/part-00000.parquet",
    "data/ratings/part-00000.parquet",
    "data/ratings_excluded/part-00000.parquet",
    "legacy_export.parquet",
    "manifest.json",
    "samples/ratings-1000.csv",
    "samples/ratings-1000.parquet",
    "schema.json",
    "text/image_scores.csv.zst",
    "text/ratings.csv.zst",
    "verify.py",
]


def make_rater(kind: str = IdentityKind.HORDE, *, external_id: str | None = None, user: User | None = None, **fields):
    """Make an identity and its rater."""
    identity = Identity.objects.create(kind=kind, external_id=external_id or uuid.uuid4().hex, user=user)
    return Rater.objects.create(identity=identity, **fields)


def make_rating(image: Image, rater: Rater, **fields: Any) -> Rating:
    """Make a rating as it lies in the table; what a release says of it is up to ``fields``."""
    plain = {
        "dataset_id": image.dataset_id,
        "image": image,
        "rater": rater,
        "is_shared": rater.is_shared,
        "aesthetic": 7,
        "proof": "lease",
        "client_agent": "tests:1:nobody",
        "scale_version": 1,
        "lease_id": uuid.uuid4(),
    }
    return Rating.objects.create(**(plain | fields))


def make_voided(image: Image, rater: Rater, *, by: User) -> Rating:
    action = ModerationAction.objects.create(kind=ActionKind.VOID_RATINGS, taken_by=by, target="rating", reason="spam")
    return make_rating(image, rater, state="voided", moderation_action=action)


def build(dataset: Dataset) -> Release:
    return build_release(dataset=dataset, now=timezone.now())


def publish_on(dataset: Dataset, day: str) -> Release:
    """Make the row and the folder of a release of another day, with two files in it."""
    moment = datetime.fromisoformat(f"{day}T03:30:00Z")
    release = Release.objects.create(dataset=dataset, version=day, schema_version="2.0", requested_at=moment)
    folder = folder_of(release)
    folder.mkdir(parents=True)
    for path in ("README.md", "SHA256SUMS"):
        (folder / path).write_text(day)
        ReleaseFile.objects.create(
            release=release, path=path, media_type="text/plain", byte_count=len(day), sha256="0" * 64
        )
    Release.objects.filter(pk=release.pk).update(state="published", snapshot_at=moment, published_at=moment)
    release.refresh_from_db()
    return release


def folder_of(release: Release) -> Path:
    return release_folder(release.dataset.slug, release.version)


def rows_of(release: Release, table: str) -> list[dict[str, Any]]:
    return parquet.read_table(folder_of(release) / PATHS[table]).to_pylist()


def folders_in(root: Path) -> list[str]:
    """Return the folders of releases below a root, finished or not."""
    return sorted(path.relative_to(root).as_posix() for path in root.glob("*/*") if path.is_dir())
