"""The index of a folder: a JSON-lines file that says of each picture what its pixels cannot.

Some keys have a place of their own in the database (`KEYS`); all others are kept as generation parameters.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ratings.importers.licences import is_spdx_expression
from ratings.importers.sources import Refusal, StatedMeasures
from ratings.models import AdultClass

MAX_LINE_BYTES = 1_000_000

# What a value is kept as, and the keys it is looked for under; the first that is there wins.
KEYS = {
    "file": ("file", "file_name"),
    "id": ("id",),
    "prompt": ("prompt", "base_prompt", "text"),
    "model_name": ("model", "model_name", "style"),
    "licence": ("licence", "license"),
    "source_url": ("source_url", "url"),
    "adult_class": ("adult_class",),
    "sha256": ("sha256",),
    "byte_count": ("bytes",),
    "width": ("width",),
    "height": ("height",),
}
LONGEST = {"file": 4096, "id": 300, "model_name": 200, "licence": 60, "source_url": 1000}
SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class BrokenIndexLine(Exception):
    """A line that cannot be used; the message says why, to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """What one line says of one file."""

    line_number: int
    file: str
    id: str
    image_id: uuid.UUID | None
    prompt: str
    model_name: str
    licence: str
    source_url: str
    adult_class: AdultClass | None
    generation: dict[str, Any]
    stated: StatedMeasures


def read_index(path: Path) -> Iterator[IndexEntry | Refusal]:
    """Yield the entries in order, and a refusal for each line that is broken. Blank lines are passed over."""
    with path.open("rb") as file:
        for number, line in enumerate(_lines_of(file), start=1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            try:
                yield parse_index_line(text, number=number)
            except BrokenIndexLine as broken:
                yield Refusal(name=f"{path.name}, line {number}", reason=str(broken))


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of one that is too long only the beginning, however long it is."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
        yield line


def parse_index_line(line: bytes, *, number: int) -> IndexEntry:
    """Return what the line says. Raises BrokenIndexLine."""
    record = _parse_object(line)
    known, used = _take_known(record)
    file = _text(known, "file")
    if not file:
        raise BrokenIndexLine("names no file: the key “file” is missing or empty")
    source_id = _identifier(known)
    return IndexEntry(
        line_number=number,
        file=file,
        id=source_id,
        image_id=_as_uuid(source_id),
        prompt=_text(known, "prompt"),
        model_name=_text(known, "model_name"),
        licence=_licence(known),
        source_url=_url(known),
        adult_class=_adult_class(known),
        generation={key: value for key, value in record.items() if key not in used},
        stated=StatedMeasures(
            sha256=_sha256(known),
            byte_count=_count(known, "byte_count"),
            width=_count(known, "width"),
            height=_count(known, "height"),
        ),
    )


def _parse_object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise BrokenIndexLine(f"longer than {MAX_LINE_BYTES / 1e6:.0f} MB")
    try:
        record = json.loads(line.decode(), parse_constant=_refuse_constant)
        # What PostgreSQL cannot keep must not reach a transaction that it shares with 199 good lines.
        unstorable = "\x00" in "".join(_texts_in(record))
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeError as error:
        raise BrokenIndexLine("not UTF-8") from error
    except RecursionError as error:
        raise BrokenIndexLine("nested too deeply") from error
    except ValueError as error:
        raise BrokenIndexLine(f"not JSON: {error}") from error
    if unstorable:
        raise BrokenIndexLine("holds the character NUL, which PostgreSQL cannot keep")
    if not isinstance(record, dict):
        raise BrokenIndexLine("not a JSON object")
    return record


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts_in(item)


def _take_known(record: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the values that have a place of their own, and the keys they stood under."""
    known: dict[str, Any] = {}
    used: set[str] = set()
    for name, keys in KEYS.items():
        key = next((key for key in keys if record.get(key) is not None), None)
        if key is not None:
            known[name] = record[key]
            used.add(key)
    return known, used


def _text(known: dict[str, Any], name: str) -> str:
    value = known.get(name, "")
    if not isinstance(value, str):
        raise BrokenIndexLine(f"{name} is not a text")
    if len(value) > LONGEST.get(name, MAX_LINE_BYTES):
        raise BrokenIndexLine(f"{name} is longer than {LONGEST[name]} characters")
    return value.strip()


def _identifier(known: dict[str, Any]) -> str:
    value = known.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(known, "id")


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _licence(known: dict[str, Any]) -> str:
    licence = _text(known, "licence")
    if licence and not is_spdx_expression(licence):
        raise BrokenIndexLine(f"licence “{licence}” is not an SPDX expression, such as CC0-1.0")
    return licence


def _url(known: dict[str, Any]) -> str:
    url = _text(known, "source_url")
    if url and not url.startswith(("https://", "http://")):
        raise BrokenIndexLine("source_url does not start with https:// or http://")
    return url


def _adult_class(known: dict[str, Any]) -> AdultClass | None:
    value = _text(known, "adult_class")
    if value and value not in AdultClass.values:
        raise BrokenIndexLine(f"adult_class “{value}” is none of {', '.join(AdultClass.values)}")
    return AdultClass(value) if value else None


def _sha256(known: dict[str, Any]) -> str | None:
    value = _text(known, "sha256")
    if value and not SHA256.fullmatch(value):
        raise BrokenIndexLine("sha256 is not 64 hexadecimal digits")
    return value.lower() or None


def _count(known: dict[str, Any], name: str) -> int | None:
    value = known.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BrokenIndexLine(f"{name} is not a whole number")
    return value
