"""What a release holds: every column with its type, where it comes from and what it means.

The SQL that reads a release, the schema of its Parquet files and its SCHEMA.md are all made from these tables, so
they cannot disagree. What is not listed here does not leave the service.
"""

from exports.schema.columns import HISTOGRAM, SCHEMA_VERSION, Column, Table, Treatment
from exports.schema.legacy import LEGACY, select_legacy_raters
from exports.schema.tables import IMAGES, RATERS, RATINGS

TABLES = (IMAGES, RATINGS, LEGACY)

__all__ = [
    "HISTOGRAM",
    "IMAGES",
    "LEGACY",
    "RATERS",
    "RATINGS",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Table",
    "Treatment",
    "select_legacy_raters",
]
