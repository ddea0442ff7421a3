"""Every limit of the service in one table, and how an operator changes it.

A limit is a number of requests in any stretch of so many seconds, of which some may come at once. Two more
kinds of bound are elsewhere, because they count something else: how many images one may hold and take
without rating them (ratings/leases/book.py), and attempts to sign in (django-allauth's own).
"""

import json
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

LARGEST = 1_000_000


class Limit(NamedTuple):
    """``most`` requests in any ``seconds``, of which ``burst`` may come at once.

    So the pace that is never refused is one request every ``seconds / (most - burst)`` seconds.
    """

    most: int
    seconds: int
    burst: int


LIMITS: dict[str, Limit] = {
    # Taking an image, for each identity, or each address behind the shared key. A fast human rates every 0.7
    # seconds; a client that fetches four images ahead each time asks 5.7 times a second. Six pass.
    "rating_new": Limit(400, 60, 40),
    # Rating or skipping one, likewise: three a second, and forty at once for who comes back online.
    "rating": Limit(240, 60, 40),
    # All browsers without an account at one address together: they could pass for a new one each time, and
    # a school class sits behind one address too.
    "rating_new_crowd": Limit(1200, 60, 120),
    "rating_crowd": Limit(720, 60, 120),
    # What a browser without an account may rate or skip before it has to prove some work (a fraction of a second for
    # 25 answers): an evening's worth, and for all at one address several. An account has no such limit.
    "without_proof": Limit(300, 3600, 200),
    "without_proof_crowd": Limit(1500, 3600, 1000),
    # The same for who is watched, whoever they are. Clients that cannot prove anything go on at this pace.
    "without_proof_watched": Limit(60, 3600, 25),
    # Everything else that the API is asked: lists, checks of moderators. Machines do that, and one at a time.
    "read": Limit(300, 60, 60),
    # Whole sets from AI Horde, which speaks for all its users from one address. A bound on a runaway, no more.
    "relay": Limit(12_000, 60, 600),
    # Keys that are no keys, for each address. Ten for the mistyped; then one in six seconds, so that a loop
    # ends and guessing is slow.
    "bad_key": Limit(20, 60, 10),
}


def limits_from_json(text: str) -> dict[str, Limit]:
    """Return the table with an operator's changes: ``{"name": [most, seconds, burst]}``; "" changes nothing.

    Raises ImproperlyConfigured for a limit that does not exist and for numbers that make none.
    """
    try:
        changes = json.loads(text or "{}")
    except ValueError:
        changes = None
    if not isinstance(changes, dict):
        raise ImproperlyConfigured('LIMITS must be JSON like {"rating": [240, 60, 40]}.')
    return LIMITS | {name: _limit_from_json(name, numbers) for name, numbers in changes.items()}


def _limit_from_json(name: str, numbers: Any) -> Limit:
    if name not in LIMITS:
        raise ImproperlyConfigured(f"LIMITS names {name!r}, but there are only: {', '.join(LIMITS)}.")
    is_three = isinstance(numbers, list) and len(numbers) == len(Limit._fields)
    if not is_three or not all(type(number) is int and 0 < number <= LARGEST for number in numbers):
        raise ImproperlyConfigured(f"LIMITS: {name} is [most, seconds, burst], three whole numbers up to {LARGEST}.")
    limit = Limit(*numbers)
    if limit.burst >= limit.most:
        raise ImproperlyConfigured(f"LIMITS: {name} lets {limit.burst} of {limit.most} come at once; it must be fewer.")
    return limit
