"""What an operator may change about the tests of raters. What each threshold means: ratings/stats/parameters.py."""

import json
from dataclasses import fields
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ratings.stats.parameters import Policy

KNOWN = {field.name: field.default for field in fields(Policy)}


def policy_from_json(text: str) -> dict[str, Any]:
    """Return the thresholds that differ from the usual ones, as ``{"quarantined_at": 2000}``; "" changes nothing.

    Raises ImproperlyConfigured for a name that there is not, for what is no number, and for thresholds out of order.
    """
    try:
        changes = json.loads(text or "{}")
    except ValueError:
        changes = None
    if not isinstance(changes, dict):
        raise ImproperlyConfigured('QUALITY_POLICY must be JSON like {"quarantined_at": 2000}.')
    for name, number in changes.items():
        if name not in KNOWN:
            raise ImproperlyConfigured(f"QUALITY_POLICY names {name!r}, but there are only: {', '.join(KNOWN)}.")
        if type(number) not in (int, float) or not 0 < number < float("inf"):
            raise ImproperlyConfigured(f"QUALITY_POLICY: {name} must be a number above 0.")
    policy = Policy(**changes)
    if not policy.gold_at <= policy.watched_at <= policy.quarantined_at or policy.calibrated_at > policy.trusted_at:
        raise ImproperlyConfigured(
            "QUALITY_POLICY: gold_at, watched_at and quarantined_at must rise; so must calibrated_at and trusted_at."
        )
    return changes
