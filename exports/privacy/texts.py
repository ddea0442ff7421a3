"""Texts on their way out: names of programs without contacts, and ids in hexadecimal."""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

CLIENT_NAME_LENGTH = 40
# What could be an address, a number to call, or an attempt at markup is not a program's name.
NOT_A_NAME = re.compile(r"[@<>{}\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|\d{6}|//|www\.")


def client_name(agent: str) -> str | None:
    """Return the name in ``name:version:contact``; None when what stands there could be a contact."""
    name = " ".join(agent.partition(":")[0].split())
    if not name or len(name) > CLIENT_NAME_LENGTH or NOT_A_NAME.search(name):
        return None
    return name


def each_distinct(column: pa.Array, change: Callable[..., str | None]) -> pa.Array:
    """Return a column of texts with each changed; whatever occurs often is changed once."""
    encoded = column.dictionary_encode()
    changed = pa.array([change(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return changed.take(encoded.indices)


# Two digits of text for each value of a byte, as one number, so that a lookup writes both.
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)
# The places of a UUID's digits: among the 32 without dashes, and in the text of 36 with them.
_UUID_PARTS = (
    (slice(0, 8), slice(0, 8)),
    (slice(8, 12), slice(9, 13)),
    (slice(12, 16), slice(14, 18)),
    (slice(16, 20), slice(19, 23)),
    (slice(20, 32), slice(24, 36)),
)


def hex_text(rows: npt.NDArray[np.uint8]) -> pa.Array:
    """Return each row of bytes as hexadecimal text."""
    return _fixed_text(_hex_digits(rows))


def uuid_text(column: pa.Array) -> pa.Array:
    """Return UUIDs as text, all at once: a fraction of the time of asking PostgreSQL or Python for it."""
    digits = _hex_digits(uuid_bytes(column))
    text = np.full((len(column), 36), ord("-"), np.uint8)
    for without_dashes, with_dashes in _UUID_PARTS:
        text[:, with_dashes] = digits[:, without_dashes]
    return _fixed_text(text)


def uuid_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Return UUIDs as rows of sixteen bytes."""
    storage = column.storage
    raw = np.frombuffer(storage.buffers()[1], np.uint8, count=16 * len(storage), offset=16 * storage.offset)
    return raw.reshape(-1, 16)


def _hex_digits(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return _HEX.take(rows).view(np.uint8)


def _fixed_text(text: npt.NDArray[np.uint8]) -> pa.Array:
    count, width = text.shape
    offsets = np.arange(0, width * (count + 1), width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))
