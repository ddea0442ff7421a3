"""What a release holds: every column with its type, where it comes from and what it means.

The SQL that reads a release, its Parquet and CSV files, and every text that describes them are made from these tables,
so they cannot disagree. What is not listed here does not leave the service.

To add a column, add a `Column` to its table and raise the second number of `SCHEMA_VERSION`. The order of columns is
that of the file; new ones go to the end. Three things may have to be said beside its meaning:

- `treatment`: what is done to the value on its way out. A new kind gets a member of `Treatment`, and a line in
  `exports.privacy.make_treatments` that says how an Arrow array of it is changed.
- what the rows must be joined with: `described_by` of the table. It must not change how many rows there are.
- who could be recognised by it: a value that describes a rater is told once for each rater, by `select_raters` and
  `exports.privacy.RaterBook`, never anew for each rating, and is one of `exports.privacy.raters.GIVEN_UP`
  (docs/releases.md, "What does not leave").

To add a table, define a `Table` in a module of this package and list it in `TABLES`. Its rows are those of `rows_from`
and `where`; `{dataset}` and `{until}` stand for what the release is of. It is then read, written in parts, counted,
verified, described, and shown on the downloads page. `has_text` gives it a CSV as well. Rows that are facts (what
people said) and rows that are computed (what follows from it) belong in different tables.
"""

from exports.schema.columns import (
    AGE_BANDS,
    AGE_FLOORS,
    HISTOGRAM,
    IMAGE_IDS,
    POWER_FLOORS,
    SCHEMA_VERSION,
    Column,
    Scope,
    Table,
    Treatment,
)
from exports.schema.comparisons import COMPARISONS
from exports.schema.excluded import RATINGS_EXCLUDED, REASONS
from exports.schema.legacy import LEGACY
from exports.schema.raters import RATERS, select_raters
from exports.schema.scores import IMAGE_SCORES
from exports.schema.tables import IMAGES, RATINGS

TABLES = (IMAGES, RATINGS, COMPARISONS, IMAGE_SCORES, RATERS, RATINGS_EXCLUDED, LEGACY)

__all__ = [
    "AGE_BANDS",
    "AGE_FLOORS",
    "COMPARISONS",
    "HISTOGRAM",
    "IMAGES",
    "IMAGE_IDS",
    "IMAGE_SCORES",
    "LEGACY",
    "POWER_FLOORS",
    "RATERS",
    "RATINGS",
    "RATINGS_EXCLUDED",
    "REASONS",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Scope",
    "Table",
    "Treatment",
    "select_raters",
]
