"""What a column and a table of a release are, and the coarse values that several columns share."""

import enum
import uuid
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from psycopg import sql

SCHEMA_VERSION = "2.0"

INSTANT = pa.timestamp("us", tz="UTC")
# Counts are told as the largest of these that they reach.
POWER_FLOORS = (0, *(10**exponent for exponent in range(10)))
# The days from which each band of ages reaches, and what the bands are called.
AGE_BANDS = {
    0: "under 1 day",
    1: "under 7 days",
    7: "under 30 days",
    30: "under 180 days",
    180: "over 180 days",
}
AGE_FLOORS = tuple(days * 24 * 3600 for days in AGE_BANDS)
HISTOGRAM = pa.list_(pa.field("element", pa.int32(), nullable=False))
IMAGE_IDS = pa.list_(pa.field("element", pa.string(), nullable=False))


class Treatment(enum.Enum):
    """What happens to a column between the database and the file; `exports.privacy` does it."""

    NONE = enum.auto()
    UUID_TEXT = enum.auto()
    PSEUDONYM = enum.auto()
    ANONYMITY = enum.auto()
    TRUST = enum.auto()
    CLIENT_NAME = enum.auto()
    COUNTRY = enum.auto()
    ACCOUNT_AGE_BAND = enum.auto()
    IMAGES_GENERATED_BAND = enum.auto()
    KUDOS_BAND = enum.auto()
    RATINGS_GIVEN_BAND = enum.auto()
    # Those of the file that old programs read.
    CLIENT_NAME_OR_UNKNOWN = enum.auto()
    USER_ID = enum.auto()
    KUDOS_OR_MARK = enum.auto()
    USAGE_REQUESTS = enum.auto()
    ACCOUNT_AGE = enum.auto()
    IS_TRUSTED = enum.auto()
    IS_VALIDATED = enum.auto()
    CHALLENGES_FAILED = enum.auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and type in the file, the SQL expression it is read with, and its meaning.

    ``made_from`` names the columns whose values its treatment takes, itself among them where it reads one. A column
    without an expression is made from others alone: each field costs time. ``encoding`` is Parquet's, for values in
    order; ``is_repetitive`` says that a dictionary of the values is worth its room. ``is_looked_up`` asks for a Bloom
    filter, so that whoever wants one value need not read the groups that have it not.
    """

    name: str
    type: pa.DataType
    sql: str
    meaning: str
    nullable: bool = False
    treatment: Treatment = Treatment.NONE
    made_from: tuple[str, ...] = ()
    encoding: str = ""
    is_repetitive: bool = True
    is_looked_up: bool = False

    @property
    def read_as(self) -> tuple[str, ...]:
        return self.made_from or (self.name,)

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, nullable=self.nullable, metadata={"description": self.meaning})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a release is of: one dataset, and the answers given until a moment.

    ``nameless`` are the raters whose answers nothing may connect (`exports.privacy.cells`): they have no row.
    """

    dataset_id: uuid.UUID
    until: datetime
    nameless: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a release, and the rows it has: those of one dataset, ``{dataset}``, until ``{until}``, in one
    order.

    Its files are the parts ``data/<name>/part-00000.parquet`` and so on, unless ``single_path`` names the one file it
    must be. ``has_text`` asks for the same rows as CSV as well.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows_from: str
    described_by: str
    where: str
    order_by: str
    sorted_by: tuple[str, ...]
    row_group_rows: int
    single_path: str = ""
    has_text: bool = False

    def part_path(self, number: int) -> str:
        """Return where the part of this number lies in a release; all of it for what must be a single file."""
        return self.single_path or f"data/{self.name}/part-{number:05}.parquet"

    @property
    def path(self) -> str:
        """Where the first part lies, which is the only one unless a table is very large."""
        return self.part_path(0)

    @property
    def parts_path(self) -> str:
        """What matches the paths of all parts."""
        return self.single_path or f"data/{self.name}/*.parquet"

    @property
    def text_path(self) -> str:
        return f"text/{self.name}.csv.zst" if self.has_text else ""

    @property
    def schema(self) -> pa.Schema:
        metadata = {"table": self.name, "schema_version": SCHEMA_VERSION, "description": self.meaning}
        return pa.schema([column.field for column in self.columns], metadata=metadata)

    def select(self, scope: Scope) -> str:
        """Return the statement that reads the table."""
        columns = ",\n    ".join(f"{column.sql} AS {column.name}" for column in self.columns if column.sql)
        parts = (f"SELECT {columns}", self.rows_from, self.described_by, self.where, self.order_by)
        return fill("\n".join(parts), scope)

    def count(self, scope: Scope) -> str:
        """Return the statement that counts the rows without what describes them: a check on every join."""
        return fill(f"SELECT count(*) {self.rows_from} {self.where}", scope)


def fill(statement: str, scope: Scope) -> str:
    """Return a statement with what a release is of in place of ``{dataset}``, ``{until}`` and ``{nameless}``."""
    return (
        sql.SQL(statement)
        .format(
            dataset=sql.Literal(scope.dataset_id),
            until=sql.Literal(scope.until),
            nameless=sql.SQL("{}::bigint[]").format(sql.Literal(list(scope.nameless))),
        )
        .as_string()
    )


def coarse_ms(number: str, *, longest: int) -> str:
    """Return SQL for a time in ms, to the nearest 100 and not above ``longest``; NULL when unknown."""
    return f"CASE WHEN {number} IS NOT NULL THEN least(({number} + 50) / 100 * 100, {longest}) END::int"


BAND = "as a power of ten: 0, 1 (1 to 9), 10 (10 to 99), and so on up to 1000000000"
