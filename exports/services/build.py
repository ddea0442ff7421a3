"""build_release: from a database to a published folder, or to nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import adbc_driver_manager
import psycopg
import structlog
from django.conf import settings
from django.db import Error, connection, transaction

from exports.models import Release
from exports.privacy import RaterBook, Treat, make_treatments
from exports.schema import (
    RATINGS,
    RATINGS_EXCLUDED,
    SCHEMA_VERSION,
    TABLES,
    Scope,
    Table,
    Treatment,
    select_raters,
)
from exports.services.describe import describe_release, find_earlier
from exports.services.lock import lock_releases
from exports.services.publish import fail_release, publish_release, recover_releases
from exports.services.verify import ReleaseNotVerified, VerifiedFolder, verify_folder
from exports.writers.contents import Contents
from exports.writers.files import WrittenFile
from exports.writers.folders import building_folder, make_final, release_folder
from exports.writers.parquet import lean_memory, write_table
from exports.writers.snapshot import Snapshot, open_snapshot
from exports.writers.text import count_reasons, write_samples, write_text_copy
from ratings.models import Dataset

# Django's own connection, the lock's, and the snapshot's.
DATABASE_ERRORS = (Error, psycopg.Error, adbc_driver_manager.Error)

log = structlog.get_logger(__name__)


class ReleaseFailed(Exception):
    """Nothing was published; the message says why, and so does the row of the release."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: so many rows of so many, of one table."""

    table: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    del progress


def build_release(
    *, dataset: Dataset, now: datetime, hold_back: timedelta | None = None, on_progress: OnProgress = ignore_progress
) -> Release:
    """Build, verify and publish one full release of a dataset; return it.

    1. take the dataset's lock (ReleaseInProgress if another process has it) and resolve what was left behind
    2. write every file aside, from one snapshot of the database
    3. read everything back from disk and compare it with the snapshot
    4. name the folder, then publish the row

    ``now`` gives the version; the moments of the snapshot and of publication are the database's own. Answers younger
    than ``hold_back``, settings.RELEASE_HOLD_BACK by default, are left to the next one, so that moderators come first.
    Whatever goes wrong before 4 leaves a row that says why, no folder, and raises ReleaseFailed.
    """
    with lock_releases(dataset) as check_lock, _explained(dataset), lean_memory():
        recover_releases(dataset=dataset)
        release = _start_release(dataset, now)
        with _failing_with_a_reason(release):
            verified = _build_aside(
                release, settings.RELEASE_HOLD_BACK if hold_back is None else hold_back, on_progress
            )
            check_lock()
            # The connection has been idle for as long as the build took; something may have closed it.
            connection.close_if_unusable_or_obsolete()
            publish_release(release=release, verified=verified)
    log.info("release_published", release=str(release), ratings=release.rating_count, images=release.image_count)
    return release


@contextmanager
def _explained(dataset: Dataset) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ReleaseFailed(f"No release of {dataset.slug} was published. {describe_failure(error)}") from error


@contextmanager
def _failing_with_a_reason(release: Release) -> Iterator[None]:
    """Whatever ends the block early, a person at the keyboard included, goes into the row and then on its way."""
    try:
        yield
    except BaseException as error:
        reason = describe_failure(error) if isinstance(error, Exception) else "The build was interrupted."
        log.exception("release_failed", release=str(release), reason=reason)
        connection.close_if_unusable_or_obsolete()
        fail_release(release=release, reason=reason)
        raise


@transaction.atomic(durable=True)
def _start_release(dataset: Dataset, now: datetime) -> Release:
    return Release.objects.create(
        dataset=dataset, version=_free_version(dataset, now), schema_version=SCHEMA_VERSION, requested_at=now
    )


def _free_version(dataset: Dataset, now: datetime) -> str:
    taken = set(dataset.releases.values_list("version", flat=True))
    day = now.astimezone(UTC).date().isoformat()
    candidates = (f"{day}.{number}" if number else day for number in count())
    return next(
        version for version in candidates if version not in taken and not release_folder(dataset.slug, version).exists()
    )


def _build_aside(release: Release, hold_back: timedelta, on_progress: OnProgress) -> VerifiedFolder:
    folder = building_folder(release.dataset.slug, release.version)
    folder.mkdir(parents=True)
    with open_snapshot() as snapshot:
        scope = Scope(release.dataset.pk, until=snapshot.taken_at - hold_back)
        raters = _read_raters(snapshot, scope)
        treatments = make_treatments(raters)
        scope = replace(scope, nameless=raters.nameless_ids)
        parts = {table: _write_table(snapshot, table, scope, folder, treatments, on_progress) for table in TABLES}
    contents = Contents(
        dataset=release.dataset,
        version=release.version,
        snapshot_at=snapshot.taken_at,
        until=scope.until,
        row_counts={table.name: _rows(parts[table]) for table in TABLES},
        excluded=count_reasons(folder, parts[RATINGS_EXCLUDED]),
        site=f"{settings.PUBLIC_URL}/downloads/" if settings.PUBLIC_URL else "",
        earlier=find_earlier(release.dataset.slug),
    )
    files = [file for table in TABLES for file in parts[table]]
    files += [write_text_copy(folder, table, parts[table]) for table in TABLES if table.has_text]
    files += write_samples(folder, parts[RATINGS][0])
    describe_release(release=release, folder=folder, contents=contents, tables=files)
    make_final(folder)
    return verify_folder(folder)


def _read_raters(snapshot: Snapshot, scope: Scope) -> RaterBook:
    return RaterBook.read(
        snapshot.batches(select_raters(scope)),
        key=str(getattr(settings, "PSEUDONYM_KEY")),
        dataset_id=scope.dataset_id,
        smallest=settings.RELEASE_SMALLEST_CELL,
    )


def _write_table(
    snapshot: Snapshot,
    table: Table,
    scope: Scope,
    folder: Path,
    treatments: Mapping[Treatment, Treat],
    on_progress: OnProgress,
) -> list[WrittenFile]:
    total = snapshot.count(table.count(scope))
    done = 0

    def on_rows(rows: int) -> None:
        nonlocal done
        done += rows
        on_progress(Progress(table.name, done, total))

    parts = write_table(
        folder=folder,
        table=table,
        batches=snapshot.batches(table.select(scope)),
        treatments=treatments,
        on_rows=on_rows,
    )
    if _rows(parts) != total:
        raise ReleaseNotVerified([f"{table.name} has {_rows(parts)} rows, and the database has {total}."])
    return parts


def _rows(parts: list[WrittenFile]) -> int:
    return sum(part.row_count or 0 for part in parts)


def describe_failure(error: Exception) -> str:
    """Return one sentence in plain words for whoever looks after the service."""
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"The files could not be written: {error.strerror}{where}."
    if isinstance(error, DATABASE_ERRORS):
        return f"The database refused or went away: {str(error).strip()}"
    if isinstance(error, ReleaseNotVerified):
        return f"What was written could not be verified. {error}"
    return f"{type(error).__name__}: {error}"
