"""The export of the ratings service of 2023: one Parquet file with one row a rating, read and checked.

Eleven columns at first, thirteen from 26 March 2023 on (``user_id``, ``captchas_failed``), fourteen from 24 April
(``validated``). What cannot be so is refused, row by row and with the reason; nothing is guessed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, parquet

from ratings.importers.sources import Refusal

BATCH_ROWS = 65_536
# Whose rating it is, for rows that do not name anybody. `exports.schema` knows the first by this word.
ANONYMOUS, UNNAMED = "anonymous", "unnamed"
# What marked the ratings of people without an account, and what old programs leave out.
ANONYMOUS_KUDOS = -50
UNKNOWN_AGENT = "unknown:0:unknown"
LONGEST_AGENT = 200
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NO_IMAGE = "00000000-0000-0000-0000-000000000000"
USER_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
COUNTRY = re.compile(r"[0-9A-Z]{2}")

TEXTS = ("id", "client_agent", "user_id", "country")
FLAGS = ("trusted", "validated")
OPTIONAL = {"user_id", "captchas_failed", "validated"}
# The least and the greatest of each number; what is not required may be null.
NUMBERS = {
    "ratings_count": (0, 2**63 - 1),
    "rating": (1, 10),
    "artifacts": (0, 5),
    "kudos": (-(2**63), 2**63 - 1),
    "account_age": (0, 2**31 - 1),
    "usage_requests": (0, 2**63 - 1),
    "captchas_failed": (-(2**31), 2**31 - 1),
}
REQUIRED_NUMBERS = {"rating"}
COLUMNS = ("id", *NUMBERS, "created_at", "client_agent", "user_id", *FLAGS, "country")

Mask = npt.NDArray[np.bool_]


class NotALegacyExport(Exception):
    """The file is not such an export, or cannot be read to its end; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Some rows of the file: those that can be stored, in the columns of `STORED`, and the refusals."""

    accepted: pa.RecordBatch
    refusals: list[Refusal]

    @property
    def seen(self) -> int:
        return len(self.accepted) + len(self.refusals)


# What is handed on of each row, in this order. ``place`` is its number in the file, from 1.
STORED = pa.schema(
    [
        ("place", pa.int64()),
        ("source", pa.string()),
        ("rater_key", pa.string()),
        ("aesthetic", pa.int64()),
        ("artifacts", pa.int64()),
        ("kudos", pa.int64()),
        ("account_age", pa.int64()),
        ("images_generated", pa.int64()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("client_agent", pa.string()),
        ("is_trusted", pa.bool_()),
        ("is_validated", pa.bool_()),
        ("challenges_failed", pa.int64()),
        ("country", pa.string()),
    ]
)


class LegacyExport:
    """One file, open for reading. Raises NotALegacyExport if it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with parquet.ParquetFile(path) as file:
                schema, self.row_count = file.schema_arrow, file.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            raise NotALegacyExport(f"{path} cannot be read as Parquet: {error}") from error
        if problems := _schema_problems(schema):
            raise NotALegacyExport(f"{path} is not an export of ratings: {' '.join(problems)}")
        self.columns = [name for name in COLUMNS if name in schema.names]

    def read(self, *, now: datetime, limit: int | None = None) -> Iterator[CheckedRows]:
        """Yield the rows in their order, checked, some ten thousand at a time. Raises NotALegacyExport half-way."""
        first = 1
        try:
            with parquet.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=self.columns, use_threads=False):
                    wanted = batch if limit is None else batch.slice(0, limit - first + 1)
                    if wanted.num_rows:
                        yield check_rows(wanted, first=first, now=now)
                    first += batch.num_rows
                    if limit is not None and first > limit:
                        return
        except (OSError, pa.ArrowException) as error:
            raise NotALegacyExport(f"{self.path} is damaged after row {first - 1:,}: {error}") from error


def _schema_problems(schema: pa.Schema) -> list[str]:
    missing = [name for name in COLUMNS if name not in schema.names and name not in OPTIONAL]
    problems = [f"It has no column {', '.join(missing)}."] if missing else []
    if "user_id" not in schema.names and "validated" in schema.names:
        problems.append("It has validated and no user_id: it says who was validated, and not who rated.")
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1 and name in COLUMNS})
    if twice:
        return [*problems, f"It has more than one column {', '.join(twice)}."]
    types = {name: schema.field(name).type for name in COLUMNS if name in schema.names}
    return problems + [
        f"The column {name} is {kind}, not {_kind_of(name)}."
        for name, kind in types.items()
        if not _is_of_kind(name, kind)
    ]


def _kind_of(name: str) -> str:
    if name in TEXTS:
        return "text"
    if name in FLAGS:
        return "true or false"
    return "a time" if name == "created_at" else "a number"


def _is_of_kind(name: str, kind: pa.DataType) -> bool:
    if pa.types.is_null(kind):
        return True
    if name in TEXTS:
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))
    if name in FLAGS:
        return bool(pa.types.is_boolean(kind))
    if name == "created_at":
        return bool(pa.types.is_timestamp(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def check_rows(batch: pa.RecordBatch, *, first: int, now: datetime) -> CheckedRows:
    """Return what can be stored of some rows, and a refusal for each other row. ``first`` is the first row's number."""
    checks = _Checks(batch)
    numbers = {name: checks.number(name) for name in NUMBERS if name != "ratings_count"}
    is_anonymous = compute.fill_null(compute.equal(numbers["kudos"], ANONYMOUS_KUDOS), fill_value=False)
    columns = [
        pa.array(np.arange(first, first + batch.num_rows)),
        checks.text("id", _as_uuid, "the id is not the UUID of an image"),
        checks.rater_key(is_anonymous),
        numbers["rating"],
        numbers["artifacts"],
        numbers["kudos"],
        numbers["account_age"],
        numbers["usage_requests"],
        checks.moment(now),
        checks.text("client_agent", _clean_agent, ""),
        *(compute.fill_null(checks.column(name, pa.bool_()), fill_value=False) for name in FLAGS),
        compute.fill_null(numbers["captchas_failed"], 0),
        checks.text("country", _as_country, "the country is not a code of two letters"),
    ]
    rows = pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, STORED, strict=True)], schema=STORED
    )
    return CheckedRows(rows.filter(pa.array(~checks.is_refused)), checks.refusals(first))


class _Checks:
    """The columns of some rows, made into what is stored, and the first thing that is wrong with each row."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.reasons: dict[int, str] = {}
        self.is_refused: Mask = np.zeros(batch.num_rows, np.bool_)

    def refuse(self, bad: Mask, reason: str) -> None:
        for row in np.flatnonzero(bad & ~self.is_refused):
            self.reasons[int(row)] = reason
        self.is_refused |= bad

    def refusals(self, first: int) -> list[Refusal]:
        return [Refusal(name=f"row {first + row}", reason=reason) for row, reason in sorted(self.reasons.items())]

    def column(self, name: str, kind: pa.DataType) -> pa.Array:
        """Return a column, all null where the file has none of it."""
        if name not in self.batch.schema.names or pa.types.is_null(self.batch.schema.field(name).type):
            return pa.nulls(self.batch.num_rows, kind)
        return self.batch.column(name)

    def number(self, name: str) -> pa.Array:
        """Return whole numbers; null where there is none or it is refused."""
        values = self.column(name, pa.int64())
        lowest, highest = NUMBERS[name]
        if pa.types.is_floating(values.type):
            values = values.cast(pa.float64())
            values = compute.if_else(compute.is_nan(values), None, values)
            # Whole doubles up to 2^53 are exact; beyond, neither the number nor the bound would be what it says.
            is_whole = compute.and_(
                compute.equal(values, compute.floor(values)), compute.less(compute.abs(values), 2.0**53)
            )
        else:
            is_whole = compute.is_valid(values)
            if pa.types.is_uint64(values.type):
                is_whole = compute.less(values, pa.scalar(2**63, pa.uint64()))
        whole = compute.if_else(compute.fill_null(is_whole, fill_value=False), values, None).cast(pa.int64())
        is_within = compute.and_(compute.greater_equal(whole, lowest), compute.less_equal(whole, highest))
        is_right = _mask(is_within)
        is_missing = ~_mask(compute.is_valid(values))
        if name in REQUIRED_NUMBERS:
            self.refuse(is_missing, f"there is no {name}")
        self.refuse(~is_right & ~is_missing, f"{name} is not a whole number from {lowest} to {highest}")
        return compute.if_else(pa.array(is_right), whole, None)

    def moment(self, now: datetime) -> pa.Array:
        values = self.column("created_at", pa.timestamp("us"))
        zoned = values.type.tz is not None
        values = values.cast(pa.timestamp("us", tz="UTC" if zoned else None), safe=False)
        values = values if zoned else compute.assume_timezone(values, "UTC")
        kind = pa.timestamp("us", tz="UTC")
        is_within = compute.and_(
            compute.greater_equal(values, pa.scalar(EARLIEST, kind)), compute.less_equal(values, pa.scalar(now, kind))
        )
        self.refuse(~_mask(compute.is_valid(values)), "there is no created_at")
        self.refuse(~_mask(is_within), f"created_at is before {EARLIEST.year} or in the future")
        return values

    def text(self, name: str, change: Callable[[bytes | None], str | None], reason: str) -> pa.Array:
        """Return a column with each value changed; None refuses the row. Bytes, because files hold what is no UTF-8."""
        changed = self.changed(name, change)
        self.refuse(~_mask(compute.is_valid(changed)), reason)
        return changed

    def changed(self, name: str, change: Callable[[bytes | None], str | None]) -> pa.Array:
        values = self.column(name, pa.string())
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        encoded = values.cast(pa.large_binary()).dictionary_encode(null_encoding="encode")
        return pa.array([change(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)

    def rater_key(self, is_anonymous: pa.Array) -> pa.Array:
        """Return whose rating it is; all without an account have one key, as in the file, and so have the unnamed."""
        keys = self.changed("user_id", _as_rater_key)
        self.refuse(~_mask(compute.or_(is_anonymous, compute.is_valid(keys))), "the user_id is not one")
        return compute.if_else(is_anonymous, ANONYMOUS, keys)


def _mask(values: Any) -> Mask:
    """Return true and false, and false for null."""
    filled: Mask = compute.fill_null(values, fill_value=False).to_numpy(zero_copy_only=False)
    return filled


def _as_uuid(value: bytes | None) -> str | None:
    text = (value or b"").decode(errors="replace").lower()
    return text if UUID_TEXT.fullmatch(text) and text != NO_IMAGE else None


def _as_rater_key(value: bytes | None) -> str | None:
    if not value:
        return UNNAMED
    text = value.decode(errors="replace")
    return f"user:{text}" if USER_ID.fullmatch(text) else None


def _as_country(value: bytes | None) -> str | None:
    text = (value or b"").decode(errors="replace").upper()
    return text if not text or COUNTRY.fullmatch(text) else None


def _clean_agent(value: bytes | None) -> str:
    """Return the agent as ratings of today have it: printable, at most 200 characters, never empty."""
    text = (value or b"").decode(errors="replace")
    return "".join(character for character in text if character.isprintable())[:LONGEST_AGENT] or UNKNOWN_AGENT
