"""Build a release, against PostgreSQL's own COPY of the same rows in the same order to nowhere."""

import statistics
import tempfile
import time
from pathlib import Path

from django.db import connection
from django.utils import timezone

from exports.privacy import RaterBook, make_treatments
from exports.schema import RATINGS, Scope, select_raters
from exports.writers.parquet import write_table
from exports.writers.snapshot import open_snapshot
from ratings.models import Dataset
from tests.benchmarks.data import settle_down
from tests.exports.child import peak_memory, start_build
from tests.exports.made import build
from tests.exports.volume import create_volume

ROUNDS = 3


def run(*, rows: int = 1_000_000) -> list[str]:
    """Print the ratio, the median of rounds in which both sides take turns, and what a whole build takes."""
    dataset = create_volume(slug="released", ratings=rows, raters=max(100, rows // 50))
    settle_down()
    _copy_seconds(dataset)  # Whoever goes first would pay for reading the tables from disk.
    copies, writes, sizes = [], [], []
    for _ in range(ROUNDS):
        copies.append(_copy_seconds(dataset))
        seconds, size = _write_seconds(dataset)
        writes.append(seconds)
        sizes.append(size)
    ratio = statistics.median(write / copy for write, copy in zip(writes, copies, strict=True))
    start = time.perf_counter()
    release = build(dataset)
    whole = time.perf_counter() - start
    assert release.rating_count == rows
    memory = peak_memory(start_build(dataset.slug)) / 1024**2
    speed, size = rows / statistics.median(writes), sizes[0] / rows
    name = f"{rows:,} ratings to zstd Parquet with checksums / COPY BINARY to /dev/null, same query"
    times = f"{statistics.median(writes):.1f} s against {statistics.median(copies):.1f} s"
    return [
        f"{name}: {ratio:.2f} (target <= 1.6)   {times}, {speed:,.0f} rows/s, {size:.1f} bytes a rating",
        f"their whole release, counted, verified, published: {whole:.1f} s, peak memory {memory:.0f} MiB (target < 400)",
    ]


def _copy_seconds(dataset: Dataset) -> float:
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(
            f"COPY ({RATINGS.select(Scope(dataset.pk, until=timezone.now()))}) TO '/dev/null' (FORMAT binary)"
        )
        return time.perf_counter() - start


def _write_seconds(dataset: Dataset) -> tuple[float, int]:
    with tempfile.TemporaryDirectory(prefix="kudoscope-bench-") as folder, open_snapshot() as snapshot:
        start = time.perf_counter()
        raters = RaterBook.read(
            snapshot.batches(select_raters(Scope(dataset.pk, until=timezone.now()))),
            key="a key of the benchmark",
            dataset_id=dataset.pk,
            smallest=5,
        )
        parts = write_table(
            folder=Path(folder),
            table=RATINGS,
            batches=snapshot.batches(RATINGS.select(Scope(dataset.pk, until=timezone.now()))),
            treatments=make_treatments(raters),
            on_rows=lambda rows: None,
        )
        return time.perf_counter() - start, sum(part.byte_count for part in parts)
