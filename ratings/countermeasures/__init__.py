"""The gate before what costs something: views and operations of the API pass it once, before any transaction."""

from datetime import datetime

from accounts.access import Caller
from accounts.limits import Allowance, take_from_limits
from ratings.countermeasures.limits import Action, demands_of


def admit_caller(*, caller: Caller, action: Action, now: datetime) -> Allowance | None:
    """Count this request against the caller's limits; return what is left, or None when nobody counts just now.

    Raises RateLimited.
    """
    return take_from_limits(demands=demands_of(caller=caller, action=action), now=now)
