"""What an operator may change about the tests of raters.

What each threshold means: ratings/stats/parameters.py; each rate of controls: ratings/stats/controls.py.
"""

import json
from dataclasses import fields
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ratings.stats.controls import ControlPolicy
from ratings.stats.parameters import Policy


def policy_from_json(text: str) -> dict[str, Any]:
    """Return the thresholds that differ from the usual ones, as ``{"quarantined_at": 2000}``; "" changes nothing.

    Raises ImproperlyConfigured for a name that there is not, for what is no number, and for thresholds out of order.
    """
    changes = _changes_from_json("QUALITY_POLICY", text, Policy, '{"quarantined_at": 2000}', above=0)
    policy = Policy(**changes)
    if not policy.gold_at <= policy.watched_at <= policy.quarantined_at or policy.calibrated_at > policy.trusted_at:
        raise ImproperlyConfigured(
            "QUALITY_POLICY: gold_at, watched_at and quarantined_at must rise; so must calibrated_at and trusted_at."
        )
    return changes


def controls_from_json(text: str) -> dict[str, Any]:
    """Return the rates of controls that differ from the usual ones, as ``{"gold_share": 0.1}``; "" changes nothing.

    Raises ImproperlyConfigured for a name that there is not, and for what is no number of 0 or more, or no share.
    """
    changes = _changes_from_json("CONTROL_POLICY", text, ControlPolicy, '{"gold_share": 0.1}', above=-1e-9)
    for name, number in changes.items():
        if name.endswith("_share") and number > 1:
            raise ImproperlyConfigured(f"CONTROL_POLICY: {name} is a share, from 0 to 1.")
    return changes


def _changes_from_json(setting: str, text: str, kind: type, example: str, *, above: float) -> dict[str, Any]:
    known = [field.name for field in fields(kind)]
    try:
        changes = json.loads(text or "{}")
    except ValueError:
        changes = None
    if not isinstance(changes, dict):
        raise ImproperlyConfigured(f"{setting} must be JSON like {example}.")
    for name, number in changes.items():
        if name not in known:
            raise ImproperlyConfigured(f"{setting} names {name!r}, but there are only: {', '.join(known)}.")
        if type(number) not in (int, float) or not above < number < float("inf"):
            raise ImproperlyConfigured(
                f"{setting}: {name} must be a number {'above 0' if above == 0 else 'of 0 or more'}."
            )
    return changes
