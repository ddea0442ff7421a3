"""Our own keys: remembered in Valkey for a minute, else looked up in the database."""

import hashlib
from collections.abc import Callable
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
    """The provider of the keys that people make on their profile.

    ``before_asking`` is called before the database is asked for a key that is not remembered, and may raise.
    """

    def __init__(self, *, before_asking: Callable[[], object] = lambda: None) -> None:
        self.before_asking = before_asking

    def find_owner(self, secret: str, *, now: datetime) -> KeyOwner | None:
        if len(secret) != KEY_LENGTH or not secret.isascii():
            return None
        holder = self._look_up_key(secret, now=now)
        if holder is None:
            return None
        return KeyOwner(IdentityKind.ACCOUNT, str(holder.user_id), holder.identity_id, holder.user_id, holder.scopes)

    def _look_up_key(self, secret: str, *, now: datetime) -> KeyHolder | None:
        digest = digest_of(secret)
        try:
            remembered: Any = ask_valkey("read_key", lambda valkey: valkey.get(cache_name(digest)))
        except ValkeyUnavailable:
            return _find_in_database(secret, digest)
        if remembered == REVOKED:
            raise KeyRefused("Invalid API key.")
        if remembered:
            return _holder_from_json(remembered)
        self.before_asking()
        holder = _find_in_database(secret, digest)
        if holder is not None:
            remember_key(digest, holder, now=now)
        return holder


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
