"""What a release holds: every column with its type, where it comes from and what it means.

The SQL that reads a release, the schema of its Parquet files and its SCHEMA.md are all made from these tables, so
they cannot disagree. What is not listed here does not leave the service.
"""

from exports.schema.columns import AGE_BANDS, AGE_FLOORS, HISTOGRAM, SCHEMA_VERSION, Column, Table, Treatment
from exports.schema.legacy import LEGACY
from exports.schema.tables import IMAGES, RATINGS, select_raters

TABLES = (IMAGES, RATINGS, LEGACY)

__all__ = [
    "AGE_BANDS",
    "AGE_FLOORS",
    "HISTOGRAM",
    "IMAGES",
    "LEGACY",
    "RATINGS",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Table",
    "Treatment",
    "select_raters",
]
