"""What makes a person unrecognisable in a release: pseudonyms, and names without contacts."""

import hmac
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exports.schema import AGE_BANDS, AGE_FLOORS, SCHEMA_VERSION, Treatment
from ratings.importers.legacy import ANONYMOUS_KUDOS

CLIENT_NAME_LENGTH = 40
UNKNOWN = "unknown"
# What could be an address, a number to call, or an attempt at markup is not a program's name.
NOT_A_NAME = re.compile(r"[@<>{}\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|\d{6}|//|www\.")

Treat = Callable[..., pa.Array]


def make_treatments(raters: "RaterBook") -> Mapping[Treatment, Treat]:
    """Return what to do with each kind of column in a release."""
    return {
        Treatment.NONE: lambda column: column,
        Treatment.UUID_TEXT: uuid_text,
        Treatment.PSEUDONYM: lambda ids: hex_text(raters.pseudonyms[raters.places(ids)]),
        Treatment.ANONYMITY: lambda ids: pa.array(raters.is_anonymous[raters.places(ids)]),
        Treatment.CLIENT_NAME: lambda column: _each_distinct(column, client_name),
        Treatment.ACCOUNT_AGE_BAND: lambda ids: age_bands(raters.account_ages[raters.places(ids)]),
        **_make_legacy_treatments(raters),
    }


def _make_legacy_treatments(raters: "RaterBook") -> Mapping[Treatment, Treat]:
    return {
        Treatment.CLIENT_NAME_OR_UNKNOWN: lambda agents: _each_distinct(
            agents, lambda agent: client_name(agent) or UNKNOWN
        ),
        Treatment.USER_ID: lambda ids: hex_text(raters.user_ids[raters.places(ids)]),
        Treatment.KUDOS_OR_MARK: lambda kudos, ids: raters.unless_anonymous(kudos, ids, ANONYMOUS_KUDOS),
        Treatment.NOTHING_IF_ANONYMOUS: lambda counts, ids: raters.unless_anonymous(counts, ids, 0),
        Treatment.ACCOUNT_AGE: lambda ids: raters.unless_anonymous(
            np.maximum(raters.account_ages[raters.places(ids)], 0), ids, 0
        ),
        Treatment.IS_VALIDATED: lambda ids: pa.array(raters.is_validated[raters.places(ids)]),
        Treatment.CHALLENGES_FAILED: lambda ids: pa.array(raters.challenges_failed[raters.places(ids)]),
    }


@dataclass(frozen=True, slots=True)
class Pseudonymiser:
    """From the sixteen bytes of a rater's seed to what a release calls the rater, in one kind of file.

    HMAC-SHA256 under a key that never leaves the service, over the label of that kind, the major schema version, the
    dataset and the seed: the same rater has unrelated pseudonyms in two datasets, and in two major versions.
    """

    prefix: hmac.HMAC
    size: int

    def __call__(self, seed: bytes) -> bytes:
        mac = self.prefix.copy()
        mac.update(seed)
        return mac.digest()[: self.size]


def make_pseudonymiser(
    *, key: str, dataset_id: uuid.UUID, label: str = "rater", size: int = 16, schema_version: str = SCHEMA_VERSION
) -> Pseudonymiser:
    """Return what makes pseudonyms of ``size`` bytes; those of two labels have no byte in common but by chance."""
    major = schema_version.partition(".")[0]
    return Pseudonymiser(hmac.new(key.encode(), f"{label}:{major}:{dataset_id}:".encode(), "sha256"), size)


@dataclass(frozen=True, slots=True)
class RaterBook:
    """What the files of a release say of each rater of a dataset, by id in ascending order."""

    ids: npt.NDArray[np.int64]
    pseudonyms: npt.NDArray[np.uint8]
    user_ids: npt.NDArray[np.uint8]
    is_anonymous: npt.NDArray[np.bool_]
    is_validated: npt.NDArray[np.bool_]
    challenges_failed: npt.NDArray[np.int32]
    account_ages: npt.NDArray[np.int64]

    @classmethod
    def read(cls, batches: Iterable[pa.RecordBatch], *, key: str, dataset_id: uuid.UUID) -> Self:
        """Take down every rater from batches of (id, seed, anonymous, validated, challenges, age), sorted by id.

        Everybody without an account has one user id, as in the original: it told nobody apart there either.
        """
        pseudonym_of = make_pseudonymiser(key=key, dataset_id=dataset_id)
        user_id_of = make_pseudonymiser(key=key, dataset_id=dataset_id, label="user_id", size=32)
        nobody, pseudonyms, user_ids = user_id_of(b"anonymous"), bytearray(), bytearray()
        kinds = (np.int64, np.bool_, np.bool_, np.int32, np.int64)
        read: list[tuple[npt.NDArray[Any], ...]] = [tuple(np.empty(0, kind) for kind in kinds)]
        for batch in batches:
            columns = [batch.column(place).to_numpy(zero_copy_only=False) for place in (0, 2, 3, 4, 5)]
            read.append(tuple(columns))
            for row, is_anonymous in zip(_uuid_bytes(batch.column(1)), columns[1], strict=True):
                seed = row.tobytes()
                pseudonyms += pseudonym_of(seed)
                user_ids += nobody if is_anonymous else user_id_of(seed)
        ids, *rest = (np.concatenate(parts) for parts in zip(*read, strict=True))
        return cls(ids, _rows(pseudonyms, pseudonym_of.size), _rows(user_ids, user_id_of.size), *rest)

    def places(self, rater_ids: pa.Array) -> npt.NDArray[np.intp]:
        """Return where each rater stands; LookupError if one is not there."""
        wanted = rater_ids.to_numpy()
        places: npt.NDArray[np.intp] = np.searchsorted(self.ids, wanted)
        if len(wanted) and (places.max() == len(self.ids) or not np.array_equal(self.ids[places], wanted)):
            raise LookupError("A rating names a rater who is not there.")
        return places

    def unless_anonymous(self, values: Any, rater_ids: pa.Array, otherwise: int) -> pa.Array:
        return pa.array(np.where(self.is_anonymous[self.places(rater_ids)], otherwise, values))


def _rows(raw: bytearray, size: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8).reshape(-1, size)


# An unknown age is below every floor.
_BAND_NAMES = pa.array([None, *AGE_BANDS.values()], pa.string())


def age_bands(floors: npt.NDArray[np.int64]) -> pa.Array:
    """Return what the bands that begin at these ages are called, null where it is unknown."""
    return _BAND_NAMES.take(pa.array(np.searchsorted(AGE_FLOORS, floors, side="right")))


def client_name(agent: str) -> str | None:
    """Return the name in ``name:version:contact``; None when what stands there could be a contact."""
    name = " ".join(agent.partition(":")[0].split())
    if not name or len(name) > CLIENT_NAME_LENGTH or NOT_A_NAME.search(name):
        return None
    return name


def _each_distinct(column: pa.Array, change: Callable[..., str | None]) -> pa.Array:
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
    digits = _hex_digits(_uuid_bytes(column))
    text = np.full((len(column), 36), ord("-"), np.uint8)
    for without_dashes, with_dashes in _UUID_PARTS:
        text[:, with_dashes] = digits[:, without_dashes]
    return _fixed_text(text)


def _uuid_bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    storage = column.storage
    raw = np.frombuffer(storage.buffers()[1], np.uint8, count=16 * len(storage), offset=16 * storage.offset)
    return raw.reshape(-1, 16)


def _hex_digits(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return _HEX.take(rows).view(np.uint8)


def _fixed_text(text: npt.NDArray[np.uint8]) -> pa.Array:
    count, width = text.shape
    offsets = np.arange(0, width * (count + 1), width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))
