"""What a release calls a rater."""

import hmac
import uuid
from dataclasses import dataclass

from exports.schema import SCHEMA_VERSION


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
