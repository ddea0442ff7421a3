"""A table of a release as Parquet files, hashed and counted while they are written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

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
# A part is closed at the first row group beyond this: large enough for few requests, small enough for one to fail.
PART_BYTES = 192 * 1024 * 1024
# One value in twenty that is not there is looked for in vain: three times the room makes it one in a hundred.
BLOOM_FALSE_POSITIVES = 0.05


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
) -> list[WrittenFile]:
    """Write the batches as the parts of a table; call ``on_rows`` with how many were taken as they come.

    Reading, and treating and compressing, run in two threads, one batch ahead of each other: the time is that
    of the slower side, and there are never more than three batches and one row group in memory.
    """
    with Parts(folder, table) as parts:
        groups = RowGroups(parts.write, table.row_group_rows)
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
    return parts.written


class Parts:
    """The files of a table, one after the other; a new one begins when the last is large. There is always one."""

    def __init__(self, folder: Path, table: Table) -> None:
        self._folder = folder
        self._table = table
        self._open: ExitStack = ExitStack()
        self.written: list[WrittenFile] = []
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()
        else:
            self._open.__exit__(kind, error, trace)

    def write(self, rows: pa.Table) -> None:
        """Write one row group."""
        if self._row_count and self._file.byte_count >= PART_BYTES and not self._table.single_path:
            self._end()
            self._begin()
        self._writer.write_table(rows, row_group_size=self._table.row_group_rows)
        self._row_count += rows.num_rows

    def _begin(self) -> None:
        self._path = self._table.part_path(len(self.written))
        self._row_count = 0
        self._file = self._open.enter_context(HashingFile(self._folder / self._path))
        self._writer = self._open.enter_context(_parquet_writer(self._file, self._table))

    def _end(self) -> None:
        self._open.close()
        self.written.append(WrittenFile(self._path, self._file.byte_count, self._file.sha256, self._row_count))


class RowGroups:
    """Cuts a stream of batches into row groups of one size, whatever the size of the batches."""

    def __init__(self, write: Callable[[pa.Table], None], size: int) -> None:
        self._write_group = write
        self._size = size
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_count = 0

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
        self._write_group(table.slice(0, rows))
        self._waiting = table.slice(rows).to_batches()
        self._waiting_count -= rows


def _treat_and_write(
    batch: pa.RecordBatch, table: Table, treatments: Mapping[Treatment, Treat], groups: RowGroups
) -> None:
    # Each is taken out once: the raters of a batch are looked up for the first column that asks, and for no other.
    read = dict(zip(batch.schema.names, batch.columns, strict=True))
    arrays = []
    for column in table.columns:
        treated = treatments[column.treatment](*(read[name] for name in column.read_as))
        arrays.append(treated.cast(column.type))
    groups.add(pa.RecordBatch.from_arrays(arrays, schema=table.schema))


def _parquet_writer(file: HashingFile, table: Table) -> parquet.ParquetWriter:
    return parquet.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        use_dictionary=[column.name for column in table.columns if column.is_repetitive],
        column_encoding={column.name: column.encoding for column in table.columns if column.encoding},
        bloom_filter_options={
            column.name: {"ndv": table.row_group_rows, "fpp": BLOOM_FALSE_POSITIVES}
            for column in table.columns
            if column.is_looked_up and not table.single_path
        },
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
