"""The same rows for people without Parquet, and a sample of them; made from the Parquet files, not the database."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from exports.schema import RATINGS, Table
from exports.writers.files import HashingFile, WrittenFile
from exports.writers.parquet import READ_BATCH_ROWS, READ_BUFFER_BYTES

SAMPLE_ROWS = 1_000
SAMPLE = f"samples/ratings-{SAMPLE_ROWS}"


def write_text_copy(folder: Path, table: Table, parts: Iterable[WrittenFile]) -> WrittenFile:
    """Write the parts of a table as one CSV (UTF-8, RFC 4180, one line of names), compressed with zstd."""
    batches = (batch for part in parts for batch in _read(folder / part.path))
    with HashingFile(folder / table.text_path) as file, pa.CompressedOutputStream(file, "zstd") as compressed:
        rows = _write_csv(compressed, table.schema, batches)
    return WrittenFile(table.text_path, file.byte_count, file.sha256, rows)


def write_samples(folder: Path, ratings: WrittenFile) -> list[WrittenFile]:
    """Write the first thousand ratings as Parquet and as CSV.

    Rows are sorted by image, and ids of images are random: these are images drawn at random, with their ratings.
    """
    rows = pa.Table.from_batches(_first(_read(folder / ratings.path), SAMPLE_ROWS), RATINGS.schema)
    with HashingFile(folder / f"{SAMPLE}.parquet") as binary:
        parquet.write_table(rows, binary, compression="zstd")
    with HashingFile(folder / f"{SAMPLE}.csv") as text:
        _write_csv(text, RATINGS.schema, rows.to_batches())
    return [
        WrittenFile(f"{SAMPLE}.csv", text.byte_count, text.sha256, rows.num_rows),
        WrittenFile(f"{SAMPLE}.parquet", binary.byte_count, binary.sha256, rows.num_rows),
    ]


def count_reasons(folder: Path, parts: Iterable[WrittenFile]) -> dict[str, int]:
    """Return how many rows of ratings_excluded there are for each reason."""
    counts: dict[str, int] = {}
    for part in parts:
        for batch in _read(folder / part.path, ["reason"]):
            for entry in pc.value_counts(batch.column("reason")).to_pylist():
                counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    return dict(sorted(counts.items()))


def read_text_row_count(path: Path) -> int:
    """Decompress a CSV of ours and return how many rows are below the line of names; no value has a line break."""
    with pa.input_stream(path, compression="detect") as file:
        blocks: Iterator[bytes] = iter(lambda: file.read(READ_BUFFER_BYTES), b"")
        return sum(block.count(b"\n") for block in blocks) - 1


def _read(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    with parquet.ParquetFile(path, buffer_size=READ_BUFFER_BYTES, pre_buffer=False) as file:
        yield from file.iter_batches(batch_size=READ_BATCH_ROWS, columns=columns, use_threads=False)


def _first(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if limit <= 0:
            return
        yield batch.slice(0, limit)
        limit -= batch.num_rows


def _write_csv(file: HashingFile | pa.NativeFile, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    rows = 0
    flat = pa.schema([pa.field(field.name, _text_type(field.type)) for field in schema])
    with csv.CSVWriter(file, flat, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays([_as_text(column) for column in batch.columns], schema=flat))
            rows += batch.num_rows
    return rows


def _text_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_list(kind) or pa.types.is_timestamp(kind) else kind


def _as_text(column: pa.Array) -> pa.Array:
    """Return a list as ``1 2 3`` and a time as ISO 8601 in UTC; CSV has neither."""
    if pa.types.is_list(column.type):
        return pc.binary_join(column.cast(pa.list_(pa.string())), " ")
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("s", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    return column
