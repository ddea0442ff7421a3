"""The texts of a release: its schema, its data card, its licences, its manifest and its checksums."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from exports.schema import HISTOGRAM, IMAGE_IDS, IMAGES, RATINGS, SCHEMA_VERSION, TABLES, Table
from exports.writers.files import WrittenFile
from ratings.models import Dataset
from ratings.scales import COMPARISON_SCALES, SCALES

MANIFEST, CHECKSUMS = "manifest.json", "SHA256SUMS"
TYPE_NAMES = {
    IMAGE_IDS: "list of string",
    HISTOGRAM: "list of int32",
    pa.bool_(): "boolean",
    pa.float64(): "double",
    pa.date32(): "date",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a release is of: a dataset at one moment, and how much of it there is."""

    dataset: Dataset
    version: str
    snapshot_at: datetime
    row_counts: dict[str, int]
    excluded: dict[str, int]

    @property
    def moment(self) -> str:
        return self.snapshot_at.isoformat(timespec="seconds").replace("+00:00", "Z")


def make_schema_text() -> str:
    """Return SCHEMA.md: every column of every table, from the same list the files are written by."""
    parts = [f"# Schema {SCHEMA_VERSION}", "Times are UTC. A missing value is null, never a special number."]
    for table in TABLES:
        parts += [
            f"## {table.parts_path}",
            table.meaning,
            f"Sorted by {', '.join(table.sorted_by)}.",
            _column_table(table),
        ]
    return "\n\n".join(parts) + "\n"


def _column_table(table: Table) -> str:
    rows = ["| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    for column in table.columns:
        type_name = TYPE_NAMES.get(column.type, str(column.type))
        rows.append(f"| `{column.name}` | {type_name} | {'yes' if column.nullable else ''} | {column.meaning} |")
    return "\n".join(rows)


README = """\
# {name}, release {version}

{description}{rating_count:,} ratings of {image_count:,} images, as of {moment}.

One row of `ratings.parquet` is what one rater said of one image. One row of `images.parquet` is one image and the
plain summary of its ratings. `legacy_export.parquet` has those that say how
good an image looks once more, in the columns that programs of 2023 read.
One row of `comparisons` is what one rater found of images that they saw together.
Every column is explained in `SCHEMA.md`. The pictures themselves are not inside.

Only ratings that count are here: none that a moderator voided, that are held or in quarantine, or that another rating
of the same person replaced; and none of images that are hidden or withdrawn.

## The questions

{scales}

## Please

Do not try to find out who a rater is, and do not rank raters in public. Raters chose to take part and are no sample
of any population; a mean of few ratings says little.

## Check and cite

`sha256sum -c {checksums}` checks every file. Cite the dataset by its name and this version, `{slug} {version}`: a
published version never changes. Licences are in `LICENSE.md`.
"""


def make_readme(contents: Contents) -> str:
    """Return README.md, the short data card."""
    dataset = contents.dataset
    return README.format(
        name=dataset.name,
        slug=dataset.slug,
        version=contents.version,
        description=f"{dataset.description}\n\n" if dataset.description else "",
        rating_count=contents.row_counts[RATINGS.name],
        image_count=contents.row_counts[IMAGES.name],
        moment=contents.moment,
        scales="\n\n".join([_scale_text(version) for version in sorted(SCALES)] + [_comparison_text()]),
        checksums=CHECKSUMS,
    )


def _comparison_text() -> str:
    asked = [
        f"Version {scale.version}: “{scale.question}” One image, “{scale.tie}” (tie), or “{scale.all_bad}” (all_bad)."
        for scale in COMPARISON_SCALES.values()
    ]
    return " ".join(["Comparisons.", *asked])


def _scale_text(version: int) -> str:
    scale = SCALES[version]
    levels = "; ".join(f"{level.value} {level.word.lower()} ({level.meaning})" for level in scale.artifacts)
    return (
        f"Scale version {version}. `aesthetic`: “{scale.aesthetic_question}” 1 ({scale.aesthetic_low}) to "
        f"10 ({scale.aesthetic_high}). `artifacts`: “{scale.artifacts_question}” {levels}."
    )


def make_licence_text(dataset: Dataset) -> str:
    return (
        "# Licences\n\n"
        f"Ratings, and everything computed from them: `{dataset.ratings_licence}` (SPDX).\n\n"
        f"Images: they are not part of this release. They are under `{dataset.licence}` (SPDX) unless the column "
        "`licence` of `images.parquet` says otherwise.\n"
    )


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
