"""Take over an old export with `manage.py import_legacy_export`, against COPY of the rows that it makes."""

import statistics
import tempfile
import time
from pathlib import Path

import pyarrow as pa
from django.core.management import call_command
from django.db import connection
from pyarrow import parquet

from ratings.models import Dataset
from tests.benchmarks.data import fetch, settle_down
from tests.benchmarks.data import run as execute
from tests.ratings.old_exports import SCHEMA, make_rows

ROUNDS = 3
TABLES = ("ratings_image", "ratings_rating")


def run(*, rows: int = 200_000) -> list[str]:
    """Print rows a second and the ratio, the median of rounds in which both sides take turns."""
    imports, copies = [], []
    with tempfile.TemporaryDirectory(prefix="kudoscope-bench-") as folder:
        for number in range(ROUNDS):
            file = Path(folder) / f"{number}.parquet"
            made = make_rows(rows, seed=number, people=rows // 200)
            parquet.write_table(pa.Table.from_pylist(made, schema=SCHEMA), file)
            settle_down()
            imports.append(_import_seconds(file, slug=f"history-{number}", rows=rows))
            copies.append(_copy_seconds(f"history-{number}"))
    ratio = statistics.median(copy / ours for ours, copy in zip(imports, copies, strict=True))
    speed, limit = rows / statistics.median(imports), rows / statistics.median(copies)
    name = f"import of {rows:,} old ratings with their images / COPY of both into tables with the same indexes"
    return [f"{name}: {ratio:.2f} (target >= 0.5)   {speed:,.0f} rows/s of {limit:,.0f} rows/s"]


def _import_seconds(file: Path, *, slug: str, rows: int) -> float:
    start = time.perf_counter()
    refused = file.with_suffix(".refused")
    call_command("import_legacy_export", file, dataset=slug, licence="CC0-1.0", refused=refused, verbosity=0)
    seconds = time.perf_counter() - start
    assert fetch(
        "SELECT count(*) FROM ratings_rating r JOIN ratings_dataset d ON d.id = r.dataset_id WHERE d.slug = %(slug)s",
        slug=slug,
    ) == [(rows,)]
    return seconds


def _copy_seconds(slug: str) -> float:
    """Copy what the import has made into empty tables that have everything but the foreign keys."""
    dataset = Dataset.objects.get(slug=slug)
    seconds = 0.0
    for table in TABLES:
        with connection.cursor() as cursor:
            with cursor.copy(
                f"COPY (SELECT * FROM {table} WHERE dataset_id = '{dataset.pk}') TO STDOUT (FORMAT binary)"
            ) as out:
                data = [bytes(part) for part in out]
            execute(f"DROP TABLE IF EXISTS copied; CREATE TABLE copied (LIKE {table} INCLUDING ALL)")
            start = time.perf_counter()
            with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as into:
                for part in data:
                    into.write(part)
            seconds += time.perf_counter() - start
            execute("DROP TABLE copied")
    return seconds
