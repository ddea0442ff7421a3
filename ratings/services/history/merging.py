"""An old export into its dataset: by COPY into a temporary table, from there sorted and in pieces into the tables."""

import enum
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import connection, transaction
from pyarrow import csv

from ratings.importers.legacy import CheckedRows
from ratings.importers.sources import Refusal
from ratings.models import Dataset
from ratings.services.history import statements

PIECE_ROWS = 50_000
BEFORE_ALL = uuid.UUID(int=0)
# A server or role may limit how long statements last; sorting millions of rows takes what it takes.
LIMITS = "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'"


class HistoryBusy(Exception):
    """Another process is importing into this dataset right now."""


class HistoryDisturbed(Exception):
    """Something took the id of an image meanwhile. What is stored stays; the same import again goes on."""


class Stage(enum.Enum):
    """What an import is doing: its two long parts."""

    READING = "reading"
    STORING = "storing"


@dataclass(slots=True, kw_only=True)
class HistoryReport:
    """How many rows there were of each kind, and how far the present stage is."""

    stage: Stage = Stage.READING
    read: int = 0
    refused: int = 0
    imported: int = 0
    known: int = 0
    images: int = 0

    @property
    def seen(self) -> int:
        """How many rows the present stage is through with."""
        return self.read if self.stage is Stage.READING else self.imported + self.known

    @property
    def accepted(self) -> int:
        return self.read - self.refused


OnRefused = Callable[[Refusal], None]
OnProgress = Callable[[HistoryReport], None]


def import_history(
    *,
    dataset: Dataset | None,
    rows: Iterable[CheckedRows],
    now: datetime,
    on_refused: OnRefused,
    on_progress: OnProgress,
    piece_rows: int = PIECE_ROWS,
) -> HistoryReport:
    """Store the ratings of an old export that the dataset does not have; without a dataset, only read them.

    1. copy every row that can be stored into a temporary table; whatever is wrong with the file comes up here
    2. make the raters, and sort the rows by image
    3. store them in pieces, each with its images and all counters, each committed: what came before stays

    Raises HistoryBusy, HistoryDisturbed, and what reading the rows raises.
    """
    report = HistoryReport()
    if dataset is None:
        for checked in rows:
            _count(report, checked, on_refused, on_progress)
        return report
    with _alone(dataset), _temporary_tables():
        _stage(rows, report, on_refused, on_progress)
        if report.accepted:
            _arrange(dataset, now)
            report.stage = Stage.STORING
            on_progress(report)
            _store(dataset, now, piece_rows, report, on_progress)
    return report


def _count(report: HistoryReport, checked: CheckedRows, on_refused: OnRefused, on_progress: OnProgress) -> None:
    report.read += checked.seen
    report.refused += len(checked.refusals)
    for refusal in checked.refusals:
        on_refused(refusal)
    on_progress(report)


@contextmanager
def _alone(dataset: Dataset) -> Iterator[None]:
    """Hold the dataset's import lock; it belongs to the connection, so a process that is killed lets go of it."""
    name = f"history of {dataset.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        if cursor.fetchone() != (True,):
            raise HistoryBusy(f"Another import into {dataset.slug} is running.")
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


@contextmanager
def _temporary_tables() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(statements.DROP)
        cursor.execute(statements.CREATE)
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute(statements.DROP)


@transaction.atomic
def _stage(rows: Iterable[CheckedRows], report: HistoryReport, on_refused: OnRefused, on_progress: OnProgress) -> None:
    options = csv.WriteOptions(include_header=False)
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        with cursor.copy(statements.COPY_ROWS) as copy:
            for checked in rows:
                _count(report, checked, on_refused, on_progress)
                sink = pa.BufferOutputStream()
                csv.write_csv(checked.accepted, sink, write_options=options)
                copy.write(sink.getvalue())


@transaction.atomic
def _arrange(dataset: Dataset, now: datetime) -> None:
    """Make the raters; find out which ids are taken and give those images another; sort."""
    params: dict[str, Any] = {"dataset": dataset.pk, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        cursor.execute("ANALYZE legacy_row")
        cursor.execute(statements.TAKEN, params)
        taken = [source for (source,) in cursor.fetchall()]
        with cursor.copy(statements.COPY_IMAGES) as copy:
            for source in taken:
                copy.write_row((source, uuid.uuid5(dataset.pk, str(source))))
        cursor.execute(statements.RENAMED, params)
        cursor.execute(statements.RATERS, params)
        for statement in statements.SORT:
            cursor.execute(statement, params)


def _store(dataset: Dataset, now: datetime, piece_rows: int, report: HistoryReport, on_progress: OnProgress) -> None:
    after: uuid.UUID | None = BEFORE_ALL
    while after is not None:
        after = _store_piece(dataset, now, after, piece_rows, report)
        on_progress(report)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ratings_rating, ratings_image, ratings_rater")


@transaction.atomic
def _store_piece(
    dataset: Dataset, now: datetime, after: uuid.UUID, piece_rows: int, report: HistoryReport
) -> uuid.UUID | None:
    """Store the next piece; return its last image, or None if there was nothing left."""
    params: dict[str, Any] = {"dataset": dataset.pk, "now": now, "after": after, "rows": piece_rows - 1}
    with connection.cursor() as cursor:
        cursor.execute(LIMITS)
        cursor.execute(statements.BOUNDARY, params)
        (until,) = cursor.fetchone()
        if until is None:
            return None
        params["until"] = until
        cursor.execute(statements.MERGE, params)
        seen, imported, images = cursor.fetchone()
        cursor.execute(statements.STRAYED, params)
        if cursor.fetchone():
            raise HistoryDisturbed("An image's id was taken by another dataset meanwhile. Start the same import again.")
    report.imported += imported
    report.known += seen - imported
    report.images += images
    last: uuid.UUID = until
    return last
