"""The texts of a release that programs read as well: its schema, its manifest and its checksums."""

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from exports.schema import HISTOGRAM, IMAGE_IDS, SCHEMA_VERSION, TABLES, Table
from exports.writers.contents import Contents
from exports.writers.files import WrittenFile

MANIFEST, CHECKSUMS, SIGNATURE = "manifest.json", "SHA256SUMS", "SHA256SUMS.minisig"
TYPE_NAMES = {
    IMAGE_IDS: "list of string",
    HISTOGRAM: "list of int32",
    pa.bool_(): "boolean",
    pa.float64(): "double",
    pa.date32(): "date",
}


def make_schema_text() -> str:
    """Return SCHEMA.md: every column of every table, from the same list the files are written by."""
    parts = [f"# Schema {SCHEMA_VERSION}", "Times are UTC. A missing value is null, never a special number."]
    for table in TABLES:
        parts += [
            f"## {table.parts_path}",
            table.meaning,
            f"Sorted by {', '.join(table.sorted_by)}." if table.sorted_by else "In no order that means anything.",
            _column_table(table),
        ]
    return "\n\n".join(parts) + "\n"


def _column_table(table: Table) -> str:
    rows = ["| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    for column in table.columns:
        type_name = TYPE_NAMES.get(column.type, str(column.type))
        rows.append(f"| `{column.name}` | {type_name} | {'yes' if column.nullable else ''} | {column.meaning} |")
    return "\n".join(rows)


def make_schema_json() -> str:
    """Return schema.json: the same for programs, with the types as Arrow names them."""
    schema = {
        "schema_version": SCHEMA_VERSION,
        "tables": [
            {
                "columns": [
                    {
                        "description": column.meaning,
                        "name": column.name,
                        "nullable": column.nullable,
                        "type": TYPE_NAMES.get(column.type, str(column.type)),
                    }
                    for column in table.columns
                ],
                "description": table.meaning,
                "name": table.name,
                "paths": table.parts_path,
                "sorted_by": list(table.sorted_by),
                "text": table.text_path or None,
            }
            for table in TABLES
        ],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def make_manifest(contents: Contents, files: Iterable[WrittenFile]) -> str:
    """Return manifest.json: what the release is and what each of its files must be, in one fixed order."""
    dataset = contents.dataset
    manifest: dict[str, Any] = {
        "counts": contents.row_counts,
        "dataset": {"id": str(dataset.pk), "name": dataset.name, "slug": dataset.slug},
        "files": [
            {"bytes": file.byte_count, "path": file.path, "rows": file.row_count, "sha256": file.sha256}
            for file in sorted(files, key=lambda file: file.path)
        ],
        "excluded": contents.excluded,
        "licences": {"images": dataset.licence, "ratings": dataset.ratings_licence},
        "schema_version": SCHEMA_VERSION,
        "snapshot_at": contents.snapshot_at.isoformat().replace("+00:00", "Z"),
        "version": contents.version,
    }
    return json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def make_checksums(files: Iterable[WrittenFile]) -> str:
    """Return SHA256SUMS in the form that ``sha256sum -c`` reads."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
