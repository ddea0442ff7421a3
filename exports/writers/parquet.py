"""A table of a release as one Parquet file, hashed and counted while it is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from exports.privacy import Treat
from exports.schema import Table, Treatment
from exports.writers.files import HashingFile, WrittenFile

# Measured on ratings: 6 and 9 take 1.3 and 1.8 times as long as 3 and save nothing.
ZSTD_LEVEL = 3
# One thread and small steps: reading back needs less memory than writing did.
READ_BUFFER_BYTES = 1024 * 1024
READ_BATCH_ROWS = 16_384
# Room for all the raters of a row group; with the usual 1 MB a release of many raters is a tenth larger.
DICTIONARY_BYTES = 4 * 1024 * 1024
# Ids hardly repeat within a row group, so a dictionary of them only costs; both are in sorted order.
ENCODINGS = {"image_id": "DELTA_BYTE_ARRAY", "rating_id": "DELTA_BINARY_PACKED"}
# Their values are nearly all different.
NO_DICTIONARY = {*ENCODINGS, "source_id", "source_url", "sha256", "mean_aesthetic", "mean_artifacts"}


@contextmanager
def lean_memory() -> Iterator[None]:
    """Let Arrow take memory from the system while a release is built or read: a fifth less of it.

    Arrow's own allocator keeps what it has had, for speed that PostgreSQL does not let us use.
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def write_table(
    *,
    folder: Path,
    table: Table,
    batches: Iterable[pa.RecordBatch],
    treatments: Mapping[Treatment, Treat],
    on_rows: Callable[[int], None],
) -> WrittenFile:
    """Write the batches as ``<table>.parquet``; call ``on_rows`` with how many were taken as they come.

    Reading, and treating and compressing, run in two threads, one batch ahead of each other: the time is that
    of the slower side, and there are never more than three batches and one row group in memory.
    """
    path = folder / table.path
    with HashingFile(path) as file, _parquet_writer(file, table) as writer:
        groups = RowGroups(writer, table.row_group_rows)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet") as pool:
            ahead: Future[None] | None = None
            for batch in batches:
                if ahead is not None:
                    ahead.result()
                ahead = pool.submit(_treat_and_write, batch, table, treatments, groups)
                on_rows(batch.num_rows)
            if ahead is not None:
                ahead.result()
        groups.finish()
    return WrittenFile(table.path, file.byte_count, file.sha256, groups.row_count)


class RowGroups:
    """Cuts a stream of batches into row groups of one size, whatever the size of the batches."""

    def __init__(self, writer: parquet.ParquetWriter, size: int) -> None:
        self._writer = writer
        self._size = size
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_count = 0
        self.row_count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._waiting_count += batch.num_rows
        while self._waiting_count >= self._size:
            self._write(self._size)

    def finish(self) -> None:
        if self._waiting_count:
            self._write(self._waiting_count)

    def _write(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting)
        self._writer.write_table(table.slice(0, rows), row_group_size=self._size)
        self._waiting = table.slice(rows).to_batches()
        self._waiting_count -= rows
        self.row_count += rows


def _treat_and_write(
    batch: pa.RecordBatch, table: Table, treatments: Mapping[Treatment, Treat], groups: RowGroups
) -> None:
    arrays = []
    for column in table.columns:
        read = [batch.column(name) for name in column.read_as]
        arrays.append(treatments[column.treatment](*read).cast(column.type))
    groups.add(pa.RecordBatch.from_arrays(arrays, schema=table.schema))


def _parquet_writer(file: HashingFile, table: Table) -> parquet.ParquetWriter:
    return parquet.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        use_dictionary=[column.name for column in table.columns if column.name not in NO_DICTIONARY],
        column_encoding={name: value for name, value in ENCODINGS.items() if name in table.schema.names},
        sorting_columns=parquet.SortingColumn.from_ordering(
            table.schema, [(name, "ascending") for name in table.sorted_by]
        ),
        write_page_index=True,
        write_page_checksum=True,
    )


def read_row_count(path: Path) -> int:
    """Decode every page of a file, with its checksums, and return how many rows came out."""
    with parquet.ParquetFile(
        path, page_checksum_verification=True, buffer_size=READ_BUFFER_BYTES, pre_buffer=False
    ) as file:
        return sum(batch.num_rows for batch in file.iter_batches(batch_size=READ_BATCH_ROWS, use_threads=False))
