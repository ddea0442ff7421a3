"""Leases: this rater was shown this image at this time.

A lease is a signed token that the client sends back; the signature alone proves it, for a week. Valkey
keeps the live ones for half an hour, so that images are not over-served, so that old clients, who send
only the image's id, can be matched with what they were shown, and so that nobody fishes for images.

The token is 49 bytes in base64url: lease id (16; a UUIDv7, whose first 48 bits are the time of issue in
ms), image id (16), scale version (1), and the first 16 bytes of an HMAC-SHA256 over those and the holder.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any

from django.conf import settings

from accounts.valkey import ask_valkey, get_client

LIVE_MS = 30 * 60 * 1000
ACCEPTED_MS = 7 * 24 * 3600 * 1000
CLOCK_SKEW_MS = 60 * 1000
MAX_OPEN = 20
# Leases that one may take in a day without rating: this many, and this many more for each rating given.
FREE_LEASES = 200
LEASES_PER_RATING = 5
DAY_SECONDS = 24 * 3600
EXHAUSTED_SECONDS = 60
TOKEN_BYTES = 49
MAC_BYTES = 16


class LeaseInvalid(Exception):
    """The token was not made by us for this holder, or it is older than a week."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An image shown to a holder, and when."""

    lease_id: uuid.UUID
    image_id: uuid.UUID
    scale_version: int

    @property
    def issued_ms(self) -> int:
        return self.lease_id.int >> 80

    @property
    def issued_at(self) -> datetime:
        return datetime.fromtimestamp(self.issued_ms / 1000, UTC)

    def is_late(self, now_ms: int) -> bool:
        """Return whether the live lease had ended by ``now_ms``."""
        return now_ms > self.issued_ms + LIVE_MS


def new_lease_id(*, now_ms: int, dice: Random) -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): ordered by time, so that the unique index of ratings grows at its end."""
    return uuid.UUID(
        int=(now_ms & (2**48 - 1)) << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    )


def sign_lease(lease: Lease, holder: str) -> str:
    """Return the token of a lease for its holder."""
    payload = lease.lease_id.bytes + lease.image_id.bytes + bytes([lease.scale_version])
    return base64.urlsafe_b64encode(payload + _mac(payload, holder)).rstrip(b"=").decode()


def verify_lease(token: str, *, holder: str, now_ms: int) -> Lease:
    """Return what a token says. Raises LeaseInvalid."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise LeaseInvalid("The lease cannot be read.") from error
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(raw) != TOKEN_BYTES or not hmac.compare_digest(mac, _mac(payload, holder)):
        raise LeaseInvalid("The lease was not given to you.")
    lease = Lease(uuid.UUID(bytes=payload[:16]), uuid.UUID(bytes=payload[16:32]), payload[32])
    if not -CLOCK_SKEW_MS <= now_ms - lease.issued_ms <= ACCEPTED_MS:
        raise LeaseInvalid("The lease is older than a week.")
    return lease


def _mac(payload: bytes, holder: str) -> bytes:
    return hmac.new(_lease_key(settings.LEASE_KEY), payload + holder.encode(), hashlib.sha256).digest()[:MAC_BYTES]


@lru_cache(maxsize=2)
def _lease_key(secret: str) -> bytes:
    return hashlib.sha256(b"kudoscope lease v1:" + secret.encode()).digest()


# --- The live leases, in Valkey -----------------------------------------------------------------------------
# Keys: kudoscope:open:<holder>   sorted set of "<image hex><lease hex><dataset hex>" by time of ending (ms)
#       kudoscope:image:<image>   sorted set of lease hex by time of ending: how often it is out just now
#       kudoscope:took:<holder>   leases taken and ratings given within a day of the first

GRANT = """
local holder, took = KEYS[1], KEYS[2]
local now, live, count, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local free, per_rating, day, dataset = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local ending = now + live
redis.call('ZREMRANGEBYSCORE', holder, '-inf', now)
local open = redis.call('ZRANGE', holder, 0, -1)
local held = {}
for _, member in ipairs(open) do held[string.sub(member, 1, 32)] = true end
local counts = redis.call('HMGET', took, 'leases', 'ratings')
local allowed = free + per_rating * tonumber(counts[2] or 0) - tonumber(counts[1] or 0)
local room = math.min(count, cap - #open, allowed)
local granted = {}
if room > 0 then
    for i = 3, #KEYS do
        local at = 9 + (i - 3) * 3
        local image, lease, need = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
        if not held[image] then
            redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
            if redis.call('ZCARD', KEYS[i]) < need then
                redis.call('ZADD', KEYS[i], ending, lease)
                redis.call('PEXPIREAT', KEYS[i], ending)
                redis.call('ZADD', holder, ending, image .. lease .. dataset)
                held[image] = true
                table.insert(granted, image .. lease .. dataset)
                if #granted >= room then break end
            end
        end
    end
    if #granted > 0 then
        redis.call('PEXPIREAT', holder, ending)
        redis.call('HINCRBY', took, 'leases', #granted)
        redis.call('EXPIRE', took, day, 'NX')
    end
    return {granted, 0}
end
-- No room: hand the longest-held image of this dataset out once more, and put it at the end of the queue.
for _, member in ipairs(open) do
    if string.sub(member, 65) == dataset then
        redis.call('ZADD', holder, ending, member)
        redis.call('PEXPIREAT', holder, ending)
        local image = 'kudoscope:image:' .. string.sub(member, 1, 32)
        redis.call('ZADD', image, ending, string.sub(member, 33, 64))
        redis.call('PEXPIREAT', image, ending)
        return {{member}, 1}
    end
end
return {granted, 1}
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the book gave: (image, lease) pairs; ``is_full`` when the holder may take nothing new just now."""

    pairs: tuple[tuple[uuid.UUID, uuid.UUID], ...]
    is_full: bool


@dataclass(frozen=True, slots=True)
class SelectionState:
    """What Valkey knows before images are picked."""

    is_exhausted: bool
    cursor: int | None
    is_dry: bool
    tail: tuple[uuid.UUID, ...]
    tail_size: int


def read_selection_state(*, holder: str, dataset_id: uuid.UUID, sample_size: int) -> SelectionState:
    """Return marker, cursor and a sample of the dataset's tail pool, in one round trip."""

    def read(valkey: Any) -> list[Any]:
        pipe = valkey.pipeline(transaction=False)
        pipe.exists(_exhausted_key(holder, dataset_id))
        pipe.get(_cursor_key(holder, dataset_id))
        pipe.srandmember(_tail_key(dataset_id), sample_size)
        pipe.scard(_tail_key(dataset_id))
        return list(pipe.execute())

    exhausted, cursor, tail, tail_size = ask_valkey("read_selection_state", read)
    position, _, dry = (cursor or b"").partition(b":")
    return SelectionState(
        bool(exhausted),
        int(position) if position else None,
        dry == b"dry",
        tuple(uuid.UUID(bytes=member) for member in tail or ()),
        tail_size,
    )


def grant_leases(
    *,
    holder: str,
    dataset_id: uuid.UUID,
    candidates: Sequence[tuple[uuid.UUID, int]],
    count: int,
    now_ms: int,
    dice: Random,
) -> Grant:
    """Lease up to ``count`` of the candidates (image, ratings still needed), atomically.

    Passed over are images this holder has already and images that are out as often as they need ratings.
    """
    keys = [_open_key(holder), _took_key(holder)]
    args: list[Any] = [
        now_ms, LIVE_MS, count, MAX_OPEN, FREE_LEASES, LEASES_PER_RATING, DAY_SECONDS, dataset_id.hex
    ]  # fmt: skip
    for image_id, need in candidates:
        keys.append(_image_key(image_id))
        args += [image_id.hex, new_lease_id(now_ms=now_ms, dice=dice).hex, need]
    script = get_client().register_script(GRANT)
    members, is_full = ask_valkey("grant_leases", lambda _: script(keys=keys, args=args))
    pairs = tuple(_pair_of(member) for member in members)
    return Grant(pairs, bool(is_full))


def find_live_lease(*, holder: str, image_id: uuid.UUID, now_ms: int) -> uuid.UUID | None:
    """Return the live lease of an image, for clients that send only the image's id."""
    members = ask_valkey("find_lease", lambda valkey: valkey.zrange(_open_key(holder), now_ms, "+inf", byscore=True))
    return next((lease for image, lease in map(_pair_of, members) if image == image_id), None)


def forget_lease(
    *, holder: str, image_id: uuid.UUID, lease_id: uuid.UUID, dataset_id: uuid.UUID, is_rated: bool
) -> None:
    """Take a lease off the book: it was used, or given back."""

    def forget(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=False)
        pipe.zrem(_open_key(holder), image_id.hex + lease_id.hex + dataset_id.hex)
        pipe.zrem(_image_key(image_id), lease_id.hex)
        if is_rated:
            pipe.hincrby(_took_key(holder), "ratings", 1)
            pipe.expire(_took_key(holder), DAY_SECONDS, nx=True)
        pipe.execute()

    ask_valkey("forget_lease", forget)


def save_cursor(*, holder: str, dataset_id: uuid.UUID, position: int, is_dry: bool) -> None:
    """Remember how far this holder's scan of a dataset has come, and whether it has found nothing so far."""
    value = f"{position}:{'dry' if is_dry else 'wet'}"
    ask_valkey("save_cursor", lambda valkey: valkey.set(_cursor_key(holder, dataset_id), value, ex=DAY_SECONDS))


def mark_exhausted(*, holder: str, dataset_id: uuid.UUID) -> None:
    """Remember for a minute that this holder has rated all there is, so that nobody scans to find out again."""
    ask_valkey(
        "mark_exhausted", lambda valkey: valkey.set(_exhausted_key(holder, dataset_id), 1, ex=EXHAUSTED_SECONDS)
    )


def replace_tail(*, dataset_id: uuid.UUID, image_ids: Iterable[uuid.UUID], seconds: int) -> None:
    """Set the pool of the last open images of a dataset; it lapses by itself when nobody renews it."""
    members = [image_id.bytes for image_id in image_ids]

    def replace(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=True)
        pipe.delete(_tail_key(dataset_id))
        if members:
            pipe.sadd(_tail_key(dataset_id), *members)
            pipe.expire(_tail_key(dataset_id), seconds)
        pipe.execute()

    ask_valkey("replace_tail", replace)


def read_tail(*, dataset_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the whole pool of the last open images."""
    members = ask_valkey("read_tail", lambda valkey: valkey.smembers(_tail_key(dataset_id)))
    return [uuid.UUID(bytes=member) for member in members]


def _pair_of(member: bytes) -> tuple[uuid.UUID, uuid.UUID]:
    text = member.decode()
    return uuid.UUID(hex=text[:32]), uuid.UUID(hex=text[32:64])


def _open_key(holder: str) -> str:
    return f"kudoscope:open:{holder}"


def _took_key(holder: str) -> str:
    return f"kudoscope:took:{holder}"


def _image_key(image_id: uuid.UUID) -> str:
    return f"kudoscope:image:{image_id.hex}"


def _cursor_key(holder: str, dataset_id: uuid.UUID) -> str:
    return f"kudoscope:cursor:{dataset_id.hex}:{holder}"


def _exhausted_key(holder: str, dataset_id: uuid.UUID) -> str:
    return f"kudoscope:exhausted:{dataset_id.hex}:{holder}"


def _tail_key(dataset_id: uuid.UUID) -> str:
    return f"kudoscope:tail:{dataset_id.hex}"
