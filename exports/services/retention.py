"""How long releases are kept: all for some months, one of each year for good."""

from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import transaction

from exports.models import Release, ReleaseState
from exports.queries import published_releases_of
from exports.services.lock import lock_releases
from exports.writers.folders import release_folder, remove_folder
from ratings.models import Dataset

log = structlog.get_logger(__name__)


def releases_to_retire(*, dataset: Dataset, now: datetime) -> list[Release]:
    """Return the published releases of a dataset that have been kept long enough, newest first.

    Kept are those of this month and RELEASE_KEEP_MONTHS before it (0 keeps all), the newest of each year, and so the
    newest of all.
    """
    if not settings.RELEASE_KEEP_MONTHS:
        return []
    oldest = _month(now) - settings.RELEASE_KEEP_MONTHS
    releases = published_releases_of(dataset.slug)
    kept = {release.pk for release in _newest_of_years(releases)}
    return [release for release in releases if release.pk not in kept and _month(_snapshot_at(release)) < oldest]


def retire_release(*, release: Release, now: datetime) -> None:
    """Take the files of a published release away; the row and the checksums stay, and say that they are gone.

    The row first: nobody is led to files that are going. What a crash leaves between, the next build removes.
    """
    with lock_releases(release.dataset):
        with transaction.atomic(durable=True):
            published = Release.objects.filter(pk=release.pk, state=ReleaseState.PUBLISHED)
            if not published.update(state=ReleaseState.RETIRED, retired_at=now):
                return
        remove_folder(release_folder(release.dataset.slug, release.version))
    log.info("release_retired", release=str(release))


def _month(moment: datetime) -> int:
    return moment.year * 12 + moment.month


def _newest_of_years(releases: Iterable[Release]) -> list[Release]:
    newest: dict[int, Release] = {}
    for release in releases:
        newest.setdefault(_snapshot_at(release).year, release)
    return list(newest.values())


def _snapshot_at(release: Release) -> datetime:
    return (release.snapshot_at or release.requested_at).astimezone(UTC)
