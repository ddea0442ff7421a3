"""Our own keys: remembered in Valkey for a minute, else looked up in the database."""

import hashlib
from datetime import datetime
from typing import Any

import orjson

from accounts.models import IdentityKind
from accounts.providers.base import KeyOwner, KeyRefused
from accounts.queries import PREFIX_LENGTH, KeyHolder, find_key_holder, is_key_known
from accounts.valkey import ValkeyUnavailable, ask_valkey

KEY_LENGTH = 22
KEY_CACHE_SECONDS = 60
KEY_USAGE = "kudoscope:key-usage"
REVOKED = b"revoked"


class OwnKeys:
    """The provider of the keys that people make on their profile."""

    def memory_name(self, secret: str) -> str:
        """Return the name under which whose key it is is kept in Valkey, or "" for what is no key of ours."""
        return cache_name(digest_of(secret)) if _is_key(secret) else ""

    def owner_from(self, remembered: bytes) -> KeyOwner:
        """Return whose key it is by what Valkey has kept. Raises KeyRefused."""
        if remembered == REVOKED:
            raise KeyRefused("Invalid API key.")
        return _owner_of(_holder_from_json(remembered))

    def find_owner(self, secret: str, *, now: datetime) -> KeyOwner | None:
        """Return whose key it is by the database, and remember it."""
        if not _is_key(secret):
            return None
        digest = digest_of(secret)
        holder = _find_in_database(secret, digest)
        if holder is None:
            return None
        remember_key(digest, holder, now=now)
        return _owner_of(holder)


def _is_key(secret: str) -> bool:
    """Return whether a key could be one of ours, which are letters and digits."""
    return len(secret) == KEY_LENGTH and secret.isascii() and secret.isalnum()


def _owner_of(holder: KeyHolder) -> KeyOwner:
    return KeyOwner(IdentityKind.ACCOUNT, str(holder.user_id), holder.identity_id, holder.user_id, holder.scopes)


def digest_of(secret: str) -> str:
    """Return the hash under which a key is kept. A key is 130 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def cache_name(digest: str) -> str:
    """Return the name under which whom a key speaks for is remembered in Valkey."""
    return f"kudoscope:key:{digest}"


def _find_in_database(secret: str, digest: str) -> KeyHolder | None:
    """Return the holder. A key of ours that is not good any more is refused here, and shown to no other service."""
    prefix = secret[:PREFIX_LENGTH]
    holder = find_key_holder(prefix=prefix, digest=digest)
    if holder is None and is_key_known(prefix=prefix, digest=digest):
        raise KeyRefused("Invalid API key.")
    return holder


def remember_key(digest: str, holder: KeyHolder, *, now: datetime) -> None:
    """Keep the answer for a minute, and note the use: once a minute and key is as fine as anybody reads it."""

    def write(valkey: Any) -> None:
        pipe = valkey.pipeline(transaction=False)
        # A first rating makes the identity; until then the answer is not worth keeping long.
        seconds = KEY_CACHE_SECONDS if holder.identity_id else 1
        pipe.set(cache_name(digest), orjson.dumps(holder), ex=seconds, nx=True)
        pipe.hset(KEY_USAGE, str(holder.key_id), str(now.timestamp()))
        pipe.execute()

    try:
        ask_valkey("remember_key", write)
    except ValkeyUnavailable:
        return  # Counted; the next request asks the database again.


def _holder_from_json(data: bytes) -> KeyHolder:
    fields = orjson.loads(data)
    return KeyHolder(fields["key_id"], fields["user_id"], fields["identity_id"], tuple(fields["scopes"]))
