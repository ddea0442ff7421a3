"""The one connection to the Redis protocol: short time-outs, a circuit breaker, and failures that are counted.

No request may hang because Valkey does. Callers catch ValkeyUnavailable and go on in the way that
docs/architecture.md states for them.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import redis
import structlog
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.breaker import Breaker
from accounts.metrics import VALKEY_FAILURES

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

FAILURES_BEFORE_OPENING = 3
OPEN_SECONDS = 2.0
# Not there, too slow, full, or a replica by now. Every other answer is a mistake of ours and raised as it is.
OUTAGES = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.exceptions.ClusterDownError,  # MASTERDOWN too
)
# The same said in words for which the library has no class: the disk is full, too few replicas, a script runs on.
OUTAGE_CODES = {"MISCONF", "NOREPLICAS", "BUSY", "CLUSTERDOWN", "MASTERDOWN"}


class ValkeyUnavailable(Exception):
    """Valkey did not answer in time, or was not asked because it did not answer a moment ago."""


_breaker = Breaker(failures=FAILURES_BEFORE_OPENING, seconds=OPEN_SECONDS)
_clients: dict[str, redis.Redis] = {}


def get_client() -> redis.Redis:
    """Return this process's client; its connections are made on first use and kept."""
    url = settings.REDIS_URL
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(
            url,
            socket_timeout=settings.VALKEY_TIMEOUT_SECONDS,
            socket_connect_timeout=settings.VALKEY_TIMEOUT_SECONDS,
            # A connection that idled through a restart of the server is replaced once; a slow one is not repeated.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
    return _clients[url]


def ask_valkey(operation: str, function: Callable[[redis.Redis], Result]) -> Result:
    """Return what ``function`` gets from Valkey.

    Raises ValkeyUnavailable when it cannot be reached or takes nothing; that is logged and counted under ``operation``.
    """
    if _breaker.is_open():
        VALKEY_FAILURES.labels(operation).inc()
        raise ValkeyUnavailable(operation)
    try:
        result = function(get_client())
    except redis.RedisError as error:
        if not _is_outage(error):
            raise
        _breaker.record_failure()
        VALKEY_FAILURES.labels(operation).inc()
        log.warning("valkey_unavailable", operation=operation, error=str(error))
        raise ValkeyUnavailable(operation) from error
    _breaker.record_success()
    return result


def recall(names: Sequence[str]) -> list[bytes | None]:
    """Return what is kept under each name, in one round trip; None for nothing, and for an empty name.

    Raises ValkeyUnavailable.
    """
    wanted = [name for name in names if name]
    if not wanted:
        return [None] * len(names)
    found: Any = ask_valkey("recall", lambda valkey: valkey.mget(wanted))
    kept = dict(zip(wanted, found, strict=True))
    return [kept.get(name) for name in names]


class Script:
    """A script that is kept beside the code which runs it, and asked for by its hash, which is made once."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text()
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, operation: str, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        """Return what the script says. Raises ValkeyUnavailable, as `ask_valkey` does."""
        return ask_valkey(operation, lambda valkey: self._run_in(valkey, keys, args))

    def _run_in(self, valkey: redis.Redis, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        try:
            return valkey.evalsha(self.digest, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            # A Valkey that does not know it yet is sent it in full.
            return valkey.eval(self.text, len(keys), *keys, *args)


def _is_outage(error: redis.RedisError) -> bool:
    """Return whether Valkey cannot do it just now, whoever asks. In a pipeline, words come before the code."""
    if isinstance(error, OUTAGES):
        return True
    code = str(error).rpartition(" of pipeline caused error: ")[2].partition(" ")[0]
    return isinstance(error, redis.ResponseError) and code in OUTAGE_CODES


class ForgetfulCache(RedisCache):
    """Django's cache, which counts attempts to sign in: without Valkey it remembers nothing, and nobody is kept out."""

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        return self._ask(lambda: super(ForgetfulCache, self).add(key, value, *args, **kwargs), otherwise=True)

    def get(self, key: str, default: Any = None, *args: Any, **kwargs: Any) -> Any:
        return self._ask(lambda: super(ForgetfulCache, self).get(key, default, *args, **kwargs), otherwise=default)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        return self._ask(lambda: super(ForgetfulCache, self).set(key, value, *args, **kwargs), otherwise=None)

    def delete(self, key: str, *args: Any, **kwargs: Any) -> bool:
        return self._ask(lambda: super(ForgetfulCache, self).delete(key, *args, **kwargs), otherwise=False)

    @staticmethod
    def _ask(function: Callable[[], Result], *, otherwise: Result) -> Result:
        try:
            return ask_valkey("cache", lambda _: function())
        except ValkeyUnavailable:
            return otherwise
