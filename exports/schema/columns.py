"""What a column and a table of a release are, and the coarse values that several columns share."""

import enum
import uuid
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql

SCHEMA_VERSION = "1.1"

INSTANT = pa.timestamp("us", tz="UTC")
HISTOGRAM = pa.list_(pa.field("element", pa.int32(), nullable=False))


class Treatment(enum.Enum):
    """What happens to a column between the database and the file; `exports.privacy` does it."""

    NONE = enum.auto()
    UUID_TEXT = enum.auto()
    PSEUDONYM = enum.auto()
    ANONYMITY = enum.auto()
    CLIENT_NAME = enum.auto()
    # Those of the file that old programs read.
    CLIENT_NAME_OR_UNKNOWN = enum.auto()
    USER_ID = enum.auto()
    KUDOS_OR_MARK = enum.auto()
    NOTHING_IF_ANONYMOUS = enum.auto()
    ACCOUNT_AGE = enum.auto()
    IS_VALIDATED = enum.auto()
    CHALLENGES_FAILED = enum.auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and type in the file, the SQL expression it is read with, and its meaning.

    ``made_from`` names the columns whose values its treatment takes, itself among them where it reads one. A column
    without an expression is made from others alone: each field costs time.
    """

    name: str
    type: pa.DataType
    sql: str
    meaning: str
    nullable: bool = False
    treatment: Treatment = Treatment.NONE
    made_from: tuple[str, ...] = ()

    @property
    def read_as(self) -> tuple[str, ...]:
        return self.made_from or (self.name,)

    @property
    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, nullable=self.nullable, metadata={"description": self.meaning})


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a release, and the rows it has: those of one dataset, ``{dataset}``, in one order."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows_from: str
    described_by: str
    where: str
    order_by: str
    sorted_by: tuple[str, ...]
    row_group_rows: int

    @property
    def path(self) -> str:
        return f"{self.name}.parquet"

    @property
    def schema(self) -> pa.Schema:
        metadata = {"table": self.name, "schema_version": SCHEMA_VERSION, "description": self.meaning}
        return pa.schema([column.field for column in self.columns], metadata=metadata)

    def select(self, dataset_id: uuid.UUID) -> str:
        """Return the statement that reads the table."""
        columns = ",\n    ".join(f"{column.sql} AS {column.name}" for column in self.columns if column.sql)
        parts = (f"SELECT {columns}", self.rows_from, self.described_by, self.where, self.order_by)
        return fill("\n".join(parts), dataset_id)

    def count(self, dataset_id: uuid.UUID) -> str:
        """Return the statement that counts the rows without what describes them: a check on every join."""
        return fill(f"SELECT count(*) {self.rows_from} {self.where}", dataset_id)


def fill(statement: str, dataset_id: uuid.UUID) -> str:
    """Return a statement with the id of a dataset in the place of ``{dataset}``."""
    return sql.SQL(statement).format(dataset=sql.Literal(dataset_id)).as_string()


def powers_of_ten(number: str) -> str:
    """Return SQL for the largest power of ten that is not above ``number``; 0 for 0 and below."""
    powers = [10**exponent for exponent in range(10)]
    cases = " ".join(f"WHEN {number} >= {power} THEN {power}" for power in reversed(powers))
    return f"CASE {cases} WHEN {number} IS NOT NULL THEN 0 END::bigint"


def age_band(seconds: str) -> str:
    days = (1, 7, 30, 180)
    cases = " ".join(
        f"WHEN {seconds} < {day * 24 * 3600} THEN 'under {day} day{'s' if day > 1 else ''}'" for day in days
    )
    return f"CASE {cases} WHEN {seconds} IS NOT NULL THEN 'over 180 days' END"


BAND = "as a power of ten: 0, 1 (1 to 9), 10 (10 to 99), and so on up to 1000000000"
