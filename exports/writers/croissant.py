"""croissant.json: what a release is, for machines.

Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from exports.schema import TABLES, Column, Table
from exports.writers.contents import Contents
from exports.writers.files import WrittenFile

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
DATA_TYPES = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.float64(): "sc:Float",
    pa.date32(): "sc:Date",
}
# What tells the rows of a table apart; the first of these that it has.
KEYS = ("rating_id", "comparison_id", "image_id", "rater")
PARQUET = "application/x-parquet"


def make_croissant(contents: Contents, files: Iterable[WrittenFile]) -> str:
    """Return croissant.json: every file with its checksum, and the columns of every part of every table."""
    dataset = contents.dataset
    parts = {file.path: file for file in files}
    tables = [
        (table, path) for table in TABLES for path in parts if table.part_path(0) == path or _is_part(table, path)
    ]
    croissant = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "citeAs": contents.citation,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "datePublished": contents.day,
        "description": contents.description,
        "distribution": [_file_object(file) for file in parts.values()],
        "isLiveDataset": False,
        "license": contents.licence_url,
        "name": dataset.slug,
        "rai:dataBiases": "Raters chose to take part, through a few programs: they are no sample of any population.",
        "rai:dataCollection": "Volunteers rate images one at a time, in a browser or in a program of their choice.",
        "rai:personalSensitiveInformation": "Raters are pseudonyms; what is known of them is coarse. See PRIVACY.md.",
        "recordSet": [_record_set(table, path) for table, path in tables],
        "version": contents.semantic_version,
    }
    if contents.site:
        croissant["url"] = contents.site
    return json.dumps(croissant, indent=2, ensure_ascii=False) + "\n"


def _is_part(table: Table, path: str) -> bool:
    return not table.single_path and path.startswith(f"data/{table.name}/")


def _file_object(file: WrittenFile) -> dict[str, Any]:
    return {
        "@id": file.path,
        "@type": "cr:FileObject",
        "contentSize": f"{file.byte_count} B",
        "contentUrl": file.path,
        "encodingFormat": _encoding(file.path),
        "name": file.path,
        "sha256": file.sha256,
    }


def _encoding(path: str) -> str:
    if path.endswith(".parquet"):
        return PARQUET
    return "text/csv" if path.endswith(".csv") else "application/zstd"


def _record_set(table: Table, path: str) -> dict[str, Any]:
    name = table.name if path == table.path else path.removeprefix("data/").removesuffix(".parquet")
    key = next((column.name for column in table.columns if column.name in KEYS), None)
    return {
        "@id": name,
        "@type": "cr:RecordSet",
        "description": table.meaning,
        "field": [_field(name, column, path) for column in table.columns],
        **({"key": {"@id": f"{name}/{key}"}} if key else {}),
        "name": name,
    }


def _field(record_set: str, column: Column, path: str) -> dict[str, Any]:
    return {
        "@id": f"{record_set}/{column.name}",
        "@type": "cr:Field",
        "dataType": _data_type(column.type),
        "description": column.meaning,
        "name": column.name,
        **({"repeated": True} if pa.types.is_list(column.type) else {}),
        "source": {"extract": {"column": column.name}, "fileObject": {"@id": path}},
    }


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _data_type(kind.value_type)
    return "sc:DateTime" if pa.types.is_timestamp(kind) else DATA_TYPES.get(kind, "sc:Integer")
