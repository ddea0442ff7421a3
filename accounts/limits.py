"""Limits: who asks too often is told so, and when to come back.

Several limits are asked in one round trip and one atomic step (limits.lua, the generic cell rate algorithm):
either each of them gives one, or none loses any. What the limits are stands in config/settings/limits.py.
When Valkey is out of reach everybody passes; that is logged and counted as every failure of Valkey is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from math import ceil
from pathlib import Path

from django.conf import settings
from django.utils.translation import ngettext

from accounts.metrics import REQUESTS_LIMITED
from accounts.valkey import Script, ValkeyUnavailable

SCRIPT = Script(Path(__file__).with_suffix(".lua"))
SECOND = 1_000_000  # microseconds, which the script counts in: whole numbers, so that no rounding adds up
BAD_KEY = "bad_key"


@dataclass(frozen=True, slots=True)
class Demand:
    """A limit by name that a request has to keep, and whose it is."""

    limit: str
    subject: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still ask for, by the limit that is nearest to its end.

    ``remaining`` of ``burst`` requests would pass at once. After ``reset`` seconds all of them would; for one who
    was refused, the next one. ``window`` is how many seconds a whole burst takes to come back.
    """

    limit: str
    burst: int
    remaining: int
    reset: int
    window: int

    def as_headers(self) -> dict[str, str]:
        """Return the header fields that tell a client.

        The first three are what clients read today (the IETF's draft up to revision 6), the others those of its
        revision 11. All speak of the bucket, so that a client need not know how we count.
        """
        return {
            "RateLimit-Limit": str(self.burst),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f'"{self.limit}";q={self.burst};w={self.window}',
            "RateLimit": f'"{self.limit}";r={self.remaining};t={self.reset}',
        }


class RateLimited(Exception):
    """Too many requests; ``retry_after`` is in how many seconds to come back, a minute where nothing says better."""

    def __init__(self, message: str, allowance: Allowance | None = None) -> None:
        super().__init__(message)
        self.allowance = allowance
        self.retry_after = allowance.reset if allowance else 60

    def as_headers(self) -> dict[str, str]:
        """Return the header fields of the answer 429."""
        return {"Retry-After": str(self.retry_after)} | (self.allowance.as_headers() if self.allowance else {})


def take_from_limits(*, demands: Sequence[Demand], now: datetime) -> Allowance | None:
    """Count one request against each of the limits, or, when one of them refuses, against none.

    Returns None when limits are switched off or Valkey is out of reach. Raises RateLimited; a refused request
    costs nothing, so that who waits as told is let pass.
    """
    return _ask_limits(demands, now, take=True)


def check_limits(*, demands: Sequence[Demand], now: datetime) -> Allowance | None:
    """As take_from_limits, without counting anything. Raises RateLimited."""
    return _ask_limits(demands, now, take=False)


def _ask_limits(demands: Sequence[Demand], now: datetime, *, take: bool) -> Allowance | None:
    if not settings.LIMITS_ENABLED:
        return None
    buckets = [_bucket_of(*settings.LIMITS[demand.limit]) for demand in demands]
    keys = [f"kudoscope:limit:{demand.limit}:{demand.subject}" for demand in demands]
    args = [int(now.timestamp() * SECOND), int(take)]
    for bucket in buckets:
        args += [bucket.interval, bucket.burst, bucket.life_ms]
    try:
        passes, *filled = SCRIPT.run("limits", keys, args)
    except ValkeyUnavailable:
        return None
    held = list(zip(demands, buckets, filled, strict=True))
    if not passes:
        longest = _refused(*max(held, key=lambda one: one[1].wait_of(one[2])))
        REQUESTS_LIMITED.labels(longest.limit).inc()
        message = ngettext(
            "Too many requests. Wait %(seconds)d second, then try again.",
            "Too many requests. Wait %(seconds)d seconds, then try again.",
            longest.reset,
        )
        raise RateLimited(message % {"seconds": longest.reset}, longest)
    return min((_allowance(*one) for one in held), key=lambda allowance: allowance.remaining)


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What holds a limit: each request adds an ``interval`` (microseconds), which runs out with time."""

    interval: int
    burst: int
    life_ms: int

    def wait_of(self, filled: int) -> int:
        """Return the microseconds until one more fits in; not above 0 when it does now."""
        return filled + self.interval - self.burst * self.interval


@lru_cache(maxsize=64)
def _bucket_of(most: int, seconds: int, burst: int) -> _Bucket:
    """Return the bucket for a limit.

    With a burst of b and an interval of T never more than b + W / T requests come in a window of W. T makes that
    ``most``, and is rounded up. A key outlives its bucket by a window, because clocks differ.
    """
    interval = ceil(seconds * SECOND / (most - burst))
    return _Bucket(interval, burst, life_ms=burst * interval // 1000 + seconds * 1000)


def _allowance(demand: Demand, bucket: _Bucket, filled: int) -> Allowance:
    return Allowance(
        limit=demand.limit,
        burst=bucket.burst,
        remaining=max(bucket.burst - ceil(filled / bucket.interval), 0),
        reset=ceil(filled / SECOND),
        window=ceil(bucket.burst * bucket.interval / SECOND),
    )


def _refused(demand: Demand, bucket: _Bucket, filled: int) -> Allowance:
    seconds = max(ceil(bucket.wait_of(filled) / SECOND), 1)
    return replace(_allowance(demand, bucket, filled), remaining=0, reset=seconds)
