"""The signed token of a lease: what proves, a week long and without any store, who was shown which image when.

49 bytes in base64url: lease id (16; a UUIDv7, whose first 48 bits are the time of issue in ms), image id (16),
scale version (1), and the first 16 bytes of an HMAC-SHA256 over those and the holder.

Whether a lease is of a control is in the id itself: its last 32 bits are an HMAC over the others then, and chance
otherwise. To whoever has no key the two look alike, and nothing has to be kept anywhere for a week.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from random import Random

from django.conf import settings
from django.utils.translation import gettext as _

LIVE_MS = 30 * 60 * 1000
ACCEPTED_MS = 7 * 24 * 3600 * 1000
CLOCK_SKEW_MS = 60 * 1000
TOKEN_BYTES = 49
MAC_BYTES = 16
KIND = b"kudoscope lease v1:"
LABEL = b"kudoscope label v1:"


MARK_BITS = 32


class LeaseKind(Enum):
    """What an answer to a lease is: a rating, or one of the two controls. The value names the key of its mark."""

    RATING = b""
    GOLD = b"kudoscope gold v1:"
    REPEAT = b"kudoscope repeat v1:"


class LeaseInvalid(Exception):
    """The token was not made by us for this holder, or it is older than a week."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What was handed out, and when: the first 48 bits of the id are the time in ms."""

    lease_id: uuid.UUID

    @property
    def issued_ms(self) -> int:
        return self.lease_id.int >> 80

    @property
    def issued_at(self) -> datetime:
        return datetime.fromtimestamp(self.issued_ms / 1000, UTC)

    def is_late(self, now_ms: int) -> bool:
        """Return whether the live lease had ended by ``now_ms``."""
        return now_ms > self.issued_ms + LIVE_MS


@dataclass(frozen=True, slots=True)
class Lease(Issued):
    """An image shown to a holder, and when."""

    image_id: uuid.UUID
    scale_version: int


def new_lease_id(*, now_ms: int, dice: Random, kind: LeaseKind = LeaseKind.RATING) -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): ordered by time, so that the unique index of ratings grows at its end."""
    number = (now_ms & (2**48 - 1)) << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    if kind is not LeaseKind.RATING:
        number = number >> MARK_BITS << MARK_BITS | _mark(number, kind)
    return uuid.UUID(int=number)


def kind_of_lease(lease_id: uuid.UUID | None) -> LeaseKind:
    """Return what an answer to this lease is. One in two thousand million of others is taken for a control."""
    if lease_id is not None:
        for kind in (LeaseKind.GOLD, LeaseKind.REPEAT):
            if lease_id.int & (2**MARK_BITS - 1) == _mark(lease_id.int, kind):
                return kind
    return LeaseKind.RATING


def sign_lease(lease: Lease, holder: str) -> str:
    """Return the token of a lease for its holder."""
    payload = lease.lease_id.bytes + lease.image_id.bytes + bytes([lease.scale_version])
    return seal(payload, holder, kind=KIND)


def verify_lease(token: str, *, holder: str, now_ms: int) -> Lease:
    """Return what a token says. Raises LeaseInvalid."""
    payload = unseal(token, holder, kind=KIND)
    if len(payload) != TOKEN_BYTES - MAC_BYTES:
        raise LeaseInvalid(_("The lease was not given to you."))
    lease = Lease(uuid.UUID(bytes=payload[:16]), uuid.UUID(bytes=payload[16:32]), payload[32])
    check_age(issued_ms=lease.issued_ms, now_ms=now_ms)
    return lease


def check_age(*, issued_ms: int, now_ms: int) -> None:
    """Raise LeaseInvalid for a lease that is older than a week, or of the future."""
    if not -CLOCK_SKEW_MS <= now_ms - issued_ms <= ACCEPTED_MS:
        raise LeaseInvalid(_("The lease is older than a week."))


def label_of(holder: str) -> str:
    """Return what a holder is called before their own browser: stable, and it tells nobody who they are.

    Entries that wait in a browser name whom they belong to. It is made under the key of leases, because when that is
    replaced nothing that waits is accepted any more anyway. 22 characters.
    """
    return base64.urlsafe_b64encode(_mac(b"", holder, LABEL)).rstrip(b"=").decode()


def seal(payload: bytes, holder: str, *, kind: bytes) -> str:
    """Return a payload with the proof that we gave it to the holder; ``kind`` keeps two kinds of token apart."""
    return base64.urlsafe_b64encode(payload + _mac(payload, holder, kind)).rstrip(b"=").decode()


def unseal(token: str, holder: str, *, kind: bytes) -> bytes:
    """Return the payload of a token that we gave to the holder. Raises LeaseInvalid."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise LeaseInvalid(_("The lease cannot be read.")) from error
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(payload, holder, kind)):
        raise LeaseInvalid(_("The lease was not given to you."))
    return payload


def _mac(payload: bytes, holder: str, kind: bytes) -> bytes:
    key = _lease_key(str(getattr(settings, "LEASE_KEY")), kind)
    return hmac.new(key, payload + holder.encode(), hashlib.sha256).digest()[:MAC_BYTES]


def _mark(number: int, kind: LeaseKind) -> int:
    """Return what the last bits of an id are if it is of this kind."""
    rest = (number >> MARK_BITS).to_bytes(16 - MARK_BITS // 8, "big")
    return int.from_bytes(_mac(rest, "", kind.value)[: MARK_BITS // 8], "big")


@lru_cache(maxsize=8)
def _lease_key(secret: str, kind: bytes) -> bytes:
    return hashlib.sha256(kind + secret.encode()).digest()
