"""The one step in which a release becomes public, and how a build that was killed around it is resolved.

The folder gets its name first, the row says `published` second. Between the two the release is whole but
unknown to the site; the next build of the dataset finds it and finishes the job. The other way round a row
could promise files that are not there.
"""

import json
from pathlib import Path

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models.functions import Now

from exports.models import Release, ReleaseFile, ReleaseState
from exports.queries import latest_release_of
from exports.schema import COMPARISONS, IMAGES, RATINGS
from exports.services.verify import ReleaseNotVerified, VerifiedFolder, verify_folder
from exports.writers.documents import CHECKSUMS
from exports.writers.folders import (
    building_folder,
    finished_folders,
    put_in_place,
    release_folder,
    remove_folder,
    unfinished_folders,
    write_state,
)
from ratings.models import Dataset

MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".zst": "application/zstd",
    ".py": "text/x-python; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}
PLAIN_TEXT = "text/plain; charset=utf-8"
INTERRUPTED = "The build ended before it was finished: it was stopped, or the machine was."

log = structlog.get_logger(__name__)


class ReleaseGivenUp(Exception):
    """The row of a release no longer says ``building``, so it cannot say ``published``."""


def publish_release(*, release: Release, verified: VerifiedFolder) -> None:
    """Name the finished folder, then tell the database, in this order."""
    slug = release.dataset.slug
    put_in_place(building_folder(slug, release.version), release_folder(slug, release.version))
    record_publication(release=release, verified=verified)
    renew_state(dataset=release.dataset)


def renew_state(*, dataset: Dataset) -> None:
    """Write down which release is the newest; the last step, so that nobody is led to what is not whole.

    A failure here is logged and no more: the release is published, and the next build writes the file again.
    """
    release = latest_release_of(dataset.slug)
    if release is None:
        return
    state = {
        "dataset": dataset.slug,
        "latest": release.version,
        "published_at": release.published_at,
        "rating_count": release.rating_count,
        "image_count": release.image_count,
        "schema_version": release.schema_version,
        "snapshot_at": release.snapshot_at,
        "path": f"{release.version}/",
        "sha256sums": release.files.get(path=CHECKSUMS).sha256,
    }
    try:
        write_state(dataset.slug, json.dumps(state, indent=2, sort_keys=True, cls=DjangoJSONEncoder) + "\n")
    except OSError:
        log.exception("release_state_not_written", dataset=dataset.slug)


@transaction.atomic(durable=True)
def record_publication(*, release: Release, verified: VerifiedFolder) -> None:
    """Write down the files of a release and its new state, together. From here on the database refuses changes."""
    ReleaseFile.objects.bulk_create(
        ReleaseFile(
            release=release,
            path=file.path,
            media_type=MEDIA_TYPES.get(Path(file.path).suffix, PLAIN_TEXT),
            byte_count=file.byte_count,
            row_count=file.row_count,
            sha256=file.sha256,
        )
        for file in verified.files
    )
    manifest = verified.manifest
    still_building = Release.objects.filter(pk=release.pk, state=ReleaseState.BUILDING)
    if not still_building.update(
        state=ReleaseState.PUBLISHED,
        schema_version=manifest.schema_version,
        snapshot_at=manifest.snapshot_at,
        image_count=manifest.row_counts[IMAGES.name],
        rating_count=manifest.row_counts[RATINGS.name],
        comparison_count=manifest.row_counts.get(COMPARISONS.name, 0),
        published_at=Now(),
    ):
        raise ReleaseGivenUp(f"{release} was given up by another process while it was being published.")
    release.refresh_from_db()


def fail_release(*, release: Release, reason: str) -> None:
    """Say why a release came to nothing, and remove what there is of it, unless it is published after all.

    A commit whose answer was lost counts as what it is, not as what this process believes.
    """
    building = Release.objects.filter(pk=release.pk, state=ReleaseState.BUILDING)
    is_failed = building.update(state=ReleaseState.FAILED, failure=reason)
    slug = release.dataset.slug
    try:
        remove_folder(building_folder(slug, release.version))
        if is_failed:
            remove_folder(release_folder(slug, release.version))
    except OSError:
        # The row says what matters; the next build tries again to remove the rest.
        log.exception("release_folder_not_removed", release=str(release))


def recover_releases(*, dataset: Dataset) -> None:
    """Resolve what killed builds of a dataset left behind. The caller holds the dataset's lock.

    1. half-built folders go
    2. a named folder that nobody published is published if it is whole, and goes if it is not
    3. rows that still say `building` say `failed`
    4. state.json names the newest release, which the killed build may not have come to
    """
    for folder in unfinished_folders(dataset.slug):
        remove_folder(folder)
    published = set(dataset.releases.filter(state=ReleaseState.PUBLISHED).values_list("version", flat=True))
    for folder in finished_folders(dataset.slug):
        if folder.name not in published:
            _adopt_or_remove(dataset, folder)
    for release in dataset.releases.filter(state=ReleaseState.BUILDING).select_related("dataset"):
        fail_release(release=release, reason=INTERRUPTED)
    renew_state(dataset=dataset)


def _adopt_or_remove(dataset: Dataset, folder: Path) -> None:
    release = dataset.releases.filter(version=folder.name).first()
    if release is not None and release.state in {ReleaseState.FAILED, ReleaseState.RETIRED}:
        log.warning("release_folder_removed", folder=str(folder), problems=[release.failure or "it was retired"])
        remove_folder(folder)
        return
    try:
        verified = verify_folder(folder)
    except ReleaseNotVerified as error:
        log.warning("release_folder_removed", folder=str(folder), problems=error.problems)
        remove_folder(folder)
        return
    if verified.manifest.dataset_id != str(dataset.pk):
        # Whole, and of another database: two installations may share a folder by mistake. Nobody's to delete.
        log.warning("release_folder_is_not_ours", folder=str(folder))
        return
    if release is None:
        # The database was restored from a copy older than the release, which others have downloaded by now.
        release = Release.objects.create(
            dataset=dataset, version=folder.name, schema_version=verified.manifest.schema_version
        )
    record_publication(release=release, verified=verified)
    log.info("release_adopted", release=str(release))
