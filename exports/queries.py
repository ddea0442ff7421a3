"""Which releases there are, which are due, and which file an address means."""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from exports.models import Release, ReleaseFile, ReleaseState
from ratings.models import Dataset
from ratings.queries.published import IS_PUBLISHED_COMPARISON, IS_RELEASED_RATING, IS_UNDER_EMBARGO

SHOWN_RELEASES = 10
# The file of a release that programs of 2023 read.
LEGACY_PATH = "legacy_export.parquet"

# A rating that was being committed while the last snapshot was taken bears an earlier time than the snapshot; for
# ten minutes' worth of ratings a release too many is better than one that never comes. The counts see what times
# do not: ratings voided or imported, images hidden or restored.
RATINGS_OF_DATASET = f"""
    FROM ratings_rating rating JOIN ratings_image image ON image.id = rating.image_id
    WHERE rating.dataset_id = dataset.id AND {IS_RELEASED_RATING} AND rating.created_at <= %(until)s
"""
COMPARISONS_OF_DATASET = f"""
    FROM ratings_comparison comparison JOIN ratings_imageset image_set ON image_set.id = comparison.image_set_id
    WHERE image_set.dataset_id = dataset.id AND {IS_PUBLISHED_COMPARISON} AND comparison.created_at <= %(until)s
"""
SINCE = "coalesce(latest.snapshot_at, '-infinity') - %(hold_back)s - interval '10 minutes'"
DUE = f"""
SELECT dataset.id
FROM ratings_dataset dataset
LEFT JOIN LATERAL (
    SELECT snapshot_at, rating_count, comparison_count FROM exports_release
    WHERE dataset_id = dataset.id AND state = 'published' ORDER BY snapshot_at DESC LIMIT 1
) latest ON true
WHERE dataset.state <> 'closed' AND coalesce(latest.snapshot_at < %(since)s, true) AND (
    EXISTS (SELECT 1 {RATINGS_OF_DATASET} AND rating.created_at > {SINCE})
    OR EXISTS (SELECT 1 {COMPARISONS_OF_DATASET} AND comparison.created_at > {SINCE})
    OR EXISTS (
        SELECT 1 FROM ratings_revision revision JOIN ratings_rating rating ON rating.id = revision.rating_id
            JOIN ratings_image image ON image.id = rating.image_id
        WHERE NOT {IS_UNDER_EMBARGO} AND rating.dataset_id = dataset.id AND latest.snapshot_at IS NOT NULL
            AND revision.revised_at > latest.snapshot_at - interval '10 minutes'
    )
    OR latest.rating_count <> (SELECT count(*) {RATINGS_OF_DATASET})
    OR latest.comparison_count <> (SELECT count(*) {COMPARISONS_OF_DATASET})
)
ORDER BY dataset.slug
"""


@dataclass(frozen=True, slots=True)
class PublishedRelease:
    """A release with its files in order: tables first, then what describes them."""

    release: Release
    files: list[ReleaseFile]

    @property
    def byte_count(self) -> int:
        return sum(file.byte_count for file in self.files)


@dataclass(frozen=True, slots=True)
class DatasetReleases:
    """The releases of one dataset, newest first: one, some with their files, and the rest by name."""

    dataset: Dataset
    latest: PublishedRelease
    older: list[PublishedRelease]
    earliest: list[Release]

    @property
    def older_count(self) -> int:
        return len(self.older) + len(self.earliest)


def due_dataset_ids(*, now: datetime) -> list[uuid.UUID]:
    """Return the datasets that are not closed, have changed since their last release, and have none in this period."""
    values: dict[str, Any] = {
        "until": now - settings.RELEASE_HOLD_BACK,
        "hold_back": settings.RELEASE_HOLD_BACK,
        "since": _period_start(now, settings.RELEASE_EVERY),
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE, values)
        return [row[0] for row in cursor.fetchall()]


def held_back_count(release: Release) -> int:
    """Return how many ratings that count came too lately for a release."""
    statement = f"SELECT count(*) {RATINGS_OF_DATASET}".replace("dataset.id", "%(dataset)s")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"dataset": release.dataset_id, "until": datetime.max.replace(tzinfo=UTC)})
        [count] = cursor.fetchone()
    return max(int(count) - release.rating_count, 0)


def _period_start(now: datetime, every: str) -> datetime:
    """Return when the day, week (from Monday) or month of ``now`` began, in UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[every]


def releases_by_dataset() -> list[DatasetReleases]:
    """Return every dataset that has a published release, the most recently published first."""
    published = Release.objects.filter(state=ReleaseState.PUBLISHED).select_related("dataset")
    by_dataset: dict[uuid.UUID, list[Release]] = defaultdict(list)
    for release in published.order_by("-snapshot_at", "-pk"):
        by_dataset[release.dataset_id].append(release)
    shown = [release.pk for releases in by_dataset.values() for release in releases[:SHOWN_RELEASES]]
    files: dict[int, list[ReleaseFile]] = defaultdict(list)
    for file in sorted(ReleaseFile.objects.filter(release__in=shown), key=_reading_order):
        files[file.release_id].append(file)
    return [_dataset_releases(releases, files) for releases in by_dataset.values()]


def _dataset_releases(releases: list[Release], files: dict[int, list[ReleaseFile]]) -> DatasetReleases:
    latest, *older = [PublishedRelease(release, files[release.pk]) for release in releases[:SHOWN_RELEASES]]
    return DatasetReleases(releases[0].dataset, latest, older, releases[SHOWN_RELEASES:])


def list_published(slug: str = "") -> list[PublishedRelease]:
    """Return the published releases of a dataset, or of all, with their files: by dataset, newest first."""
    published = Release.objects.filter(state=ReleaseState.PUBLISHED).select_related("dataset").prefetch_related("files")
    chosen = published.filter(dataset__slug=slug) if slug else published
    ordered = chosen.order_by("dataset__slug", "-snapshot_at", "-pk")
    return [PublishedRelease(release, sorted(release.files.all(), key=_reading_order)) for release in ordered]


def _reading_order(file: ReleaseFile) -> tuple[bool, bool, str]:
    """Tables first, then copies of them, then what describes them."""
    return file.row_count is None, not file.path.startswith("data/"), file.path


def find_published_file(*, slug: str, version: str, path: str) -> ReleaseFile | None:
    """Return the file of a published release at this address, or None."""
    return (
        ReleaseFile.objects.filter(
            release__dataset__slug=slug,
            release__version=version,
            release__state=ReleaseState.PUBLISHED,
            path=path,
        )
        .select_related("release__dataset")
        .first()
    )


def find_latest_file(*, slug: str, path: str) -> ReleaseFile | None:
    """Return the file of this name in the newest release of a dataset that has one, or None."""
    files = ReleaseFile.objects.filter(
        release__dataset__slug=slug, release__state=ReleaseState.PUBLISHED, path=path
    ).select_related("release__dataset")
    return files.order_by("-release__snapshot_at", "-release_id").first()


def latest_release_of(slug: str) -> Release | None:
    """Return the newest published release of a dataset, or None."""
    published = Release.objects.filter(dataset__slug=slug, state=ReleaseState.PUBLISHED)
    return published.order_by("-snapshot_at", "-pk").first()


def published_releases_of(slug: str, version: str = "") -> list[Release]:
    """Return the published releases of a dataset, newest first, or the one of this version."""
    published = Release.objects.filter(dataset__slug=slug, state=ReleaseState.PUBLISHED).select_related("dataset")
    return list((published.filter(version=version) if version else published).order_by("-snapshot_at", "-pk"))
