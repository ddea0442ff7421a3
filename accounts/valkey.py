"""The one connection to the Redis protocol: short time-outs, a circuit breaker, and failures that are counted.

No request may hang because Valkey does. Callers catch ValkeyUnavailable and go on in the way that
docs/architecture.md states for them.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
import structlog
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.metrics import VALKEY_FAILURES

Result = TypeVar("Result")
log = structlog.get_logger(__name__)

FAILURES_BEFORE_OPENING = 3
OPEN_SECONDS = 2.0
# Not there, too slow, full, or a replica by now. Every other answer is a mistake of ours and raised as it is.
OUTAGES = (redis.ConnectionError, redis.TimeoutError, redis.OutOfMemoryError, redis.ReadOnlyError)


class ValkeyUnavailable(Exception):
    """Valkey did not answer in time, or was not asked because it did not answer a moment ago."""


class Breaker:
    """After three failures in a row, do not ask for two seconds; then let one call try for all."""

    def __init__(self) -> None:
        self.failure_count = 0
        self.open_until = 0.0

    def is_open(self) -> bool:
        now = time.monotonic()
        if now < self.open_until:
            return True
        if self.failure_count >= FAILURES_BEFORE_OPENING:
            # This call is the one that tries; the others learn from it.
            self.open_until = now + OPEN_SECONDS
        return False

    def record_success(self) -> None:
        self.failure_count = 0
        self.open_until = 0.0

    def record_failure(self) -> None:
        self.failure_count += 1
        if self.failure_count >= FAILURES_BEFORE_OPENING:
            self.open_until = time.monotonic() + OPEN_SECONDS


_breaker = Breaker()
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
    except OUTAGES as error:
        _breaker.record_failure()
        VALKEY_FAILURES.labels(operation).inc()
        log.warning("valkey_unavailable", operation=operation, error=str(error))
        raise ValkeyUnavailable(operation) from error
    _breaker.record_success()
    return result


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
