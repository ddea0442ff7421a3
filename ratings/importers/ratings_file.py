"""A file of ratings by others, CSV or Parquet, as columns. Whatever is wrong with it is said in plain words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

NEEDED = ("rater_id", "item_id", "rating")
OPTIONAL = ("timestamp", "artifacts")
LONGEST_ID = 1000
BLOCK_BYTES = 8 * 1024 * 1024
ROWS = 1 << 17
DELIMITERS = ",;\t|"


class RatingsFileBroken(Exception):
    """The file cannot be used; the message says why, to a person."""


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """Ratings in the order of time, each pair of rater and item once: the last rating of it.

    `rater` and `item` are positions in `rater_ids` and `item_ids`; `artifacts` is None without such a column and NaN
    where it is empty.
    """

    rater_ids: list[str]
    item_ids: list[str]
    rater: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    rating: npt.NDArray[np.float64]
    artifacts: npt.NDArray[np.float64] | None
    has_time: bool
    replaced_count: int
    """Rows that were left out because the same rater rated the item again later."""


def read_ratings(path: Path) -> RatingsFile:
    """Read a file. Raises RatingsFileBroken."""
    columns = _Columns()
    try:
        for table in _tables(path):
            columns.add(table)
    except pa.ArrowInvalid as error:
        raise RatingsFileBroken(f"{path.name} is broken: {_first_line(error)}") from error
    except (OSError, EOFError) as error:
        raise RatingsFileBroken(f"{path.name} cannot be read: {_first_line(error)}") from error
    if not columns.row_count:
        raise RatingsFileBroken(f"{path.name} has no ratings.")
    return columns.finish()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _tables(path: Path) -> Iterator[pa.Table]:
    """Return the columns that we know, a block at a time."""
    if path.is_dir() or not path.exists():
        raise RatingsFileBroken(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise RatingsFileBroken(f"{path.name} is empty.")
    if path.suffix.lower() in {".parquet", ".pq"}:
        file = pyarrow.parquet.ParquetFile(path)
        names = _check_names(path, file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=ROWS, columns=names):
            yield pa.Table.from_batches([batch])
        return
    header = _read_header(path)
    delimiter = max(DELIMITERS, key=header.count) if any(mark in header for mark in DELIMITERS) else ","
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    chosen = _check_names(path, names)
    reader = pyarrow.csv.open_csv(
        pa.input_stream(str(path), compression="detect"),
        read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1, block_size=BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen, strings_can_be_null=False
        ),
    )
    for batch in reader:
        yield pa.Table.from_batches([batch])


def _read_header(path: Path) -> str:
    with pa.input_stream(str(path), compression="detect") as stream:
        start = bytes(stream.read(65536))
    if b"\x00" in start:
        raise RatingsFileBroken(f"{path.name} is neither CSV nor Parquet.")
    try:
        first = re.split(rb"\r\n|\n|\r", start, maxsplit=1)[0]
        return first.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RatingsFileBroken(f"{path.name} is not UTF-8 text.") from error


def _check_names(path: Path, names: list[str]) -> list[str]:
    """Return which columns are read. Raises RatingsFileBroken when one is missing or there twice."""
    missing = [name for name in NEEDED if name not in names]
    if missing:
        found = ", ".join(names)[:300]
        raise RatingsFileBroken(f"{path.name} has no column {', '.join(missing)}. It has: {found}.")
    chosen = [name for name in (*NEEDED, *OPTIONAL) if name in names]
    twice = [name for name in chosen if names.count(name) > 1]
    if twice:
        raise RatingsFileBroken(f"{path.name} has more than one column {twice[0]}.")
    return chosen


class _Codes:
    """Texts as numbers, in the order of their first use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes: dict[str, int] = {}

    def encode(self, column: pa.ChunkedArray, before: int) -> npt.NDArray[np.int64]:
        texts = column.cast(pa.string()).combine_chunks()
        if isinstance(texts, pa.ChunkedArray):
            texts = pa.concat_arrays(texts.chunks)
        texts = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
        length = pc.binary_length(texts)
        empty, long = pc.index(length, 0).as_py(), pc.index(pc.greater(length, LONGEST_ID), value=True).as_py()
        if empty >= 0:
            raise RatingsFileBroken(f"{self.name} is empty in row {before + empty + 1}.")
        if long >= 0:
            raise RatingsFileBroken(f"{self.name} in row {before + long + 1} is longer than {LONGEST_ID} characters.")
        encoded = texts.dictionary_encode()
        known = self.codes
        places = [known.setdefault(text, len(known)) for text in encoded.dictionary.to_pylist()]
        codes: npt.NDArray[np.int64] = np.array(places, dtype=np.int64)
        return np.asarray(codes[encoded.indices.to_numpy(zero_copy_only=False)])


class _Columns:
    """The columns of all blocks, as numbers."""

    def __init__(self) -> None:
        self.raters, self.items = _Codes("rater_id"), _Codes("item_id")
        self.parts: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in (*NEEDED, *OPTIONAL)}
        self.row_count = 0

    def add(self, table: pa.Table) -> None:
        before = self.row_count
        self.parts["rater_id"].append(self.raters.encode(table["rater_id"], before))
        self.parts["item_id"].append(self.items.encode(table["item_id"], before))
        self.parts["rating"].append(_numbers(table["rating"], "rating", before))
        if "timestamp" in table.column_names:
            self.parts["timestamp"].append(_times(table["timestamp"], before))
        if "artifacts" in table.column_names:
            self.parts["artifacts"].append(_numbers(table["artifacts"], "artifacts", before, may_be_empty=True))
        self.row_count += table.num_rows

    def finish(self) -> RatingsFile:
        rater, item, rating = (np.concatenate(self.parts[name]) for name in NEEDED)
        artifacts = np.concatenate(self.parts["artifacts"]) if self.parts["artifacts"] else None
        times = np.concatenate(self.parts["timestamp"]) if self.parts["timestamp"] else None
        order = np.arange(len(rater)) if times is None else np.argsort(times, kind="stable")
        pair = rater[order].astype(np.int64) * len(self.items.codes) + item[order]
        _, last = np.unique(pair[::-1], return_index=True)
        order = order[np.sort(len(order) - 1 - last)]
        return RatingsFile(
            rater_ids=list(self.raters.codes),
            item_ids=list(self.items.codes),
            rater=rater[order].astype(np.int64),
            item=item[order].astype(np.int64),
            rating=rating[order].astype(np.float64),
            artifacts=None if artifacts is None else artifacts[order].astype(np.float64),
            has_time=times is not None,
            replaced_count=self.row_count - len(order),
        )


def _numbers(column: pa.ChunkedArray, name: str, before: int, *, may_be_empty: bool = False) -> npt.NDArray[np.float64]:
    """Return a column as numbers. Raises RatingsFileBroken for the first row that has none."""
    try:
        texts = column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            texts = pc.utf8_trim_whitespace(column)
            texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
        numbers = np.asarray(texts.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RatingsFileBroken(_first_wrong(column.to_pylist(), name, before)) from None
    is_wrong = np.isinf(numbers) | (np.isnan(numbers) & (not may_be_empty))
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong)[0])
        raise RatingsFileBroken(f"{name} in row {before + row + 1} is no number: {column[row].as_py()!r}.")
    return numbers


def _first_wrong(values: list[object], name: str, before: int) -> str:
    for row, value in enumerate(values):
        try:
            float(str(value).strip() or "nan")
        except ValueError:
            return f"{name} in row {before + row + 1} is no number: {str(value)[:80]!r}."
    return f"{name} has values that are no numbers."


def _times(column: pa.ChunkedArray, before: int) -> npt.NDArray[np.float64]:
    """Return time stamps, which are numbers or dates in the form of ISO 8601, as numbers that grow with time."""
    if pa.types.is_temporal(column.type):
        return _seconds(column.cast(pa.timestamp("us")), before)
    try:
        return _numbers(column, "timestamp", before)
    except RatingsFileBroken as broken:
        try:
            texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
            return _seconds(
                texts.cast(pa.timestamp("us", tz="UTC") if _has_zone(texts) else pa.timestamp("us")), before
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise RatingsFileBroken(str(broken).replace("is no number", "is neither a number nor a date")) from None


def _has_zone(texts: pa.ChunkedArray) -> bool:
    return bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", str(texts[0].as_py())))


def _seconds(column: pa.ChunkedArray, before: int) -> npt.NDArray[np.float64]:
    if column.null_count:
        row = pc.index(pc.is_null(column), value=True).as_py()
        raise RatingsFileBroken(f"timestamp is empty in row {before + row + 1}.")
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.float64) / 1e6
