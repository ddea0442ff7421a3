"""The gate before what costs something: views and operations of the API pass it once, before any transaction."""

from datetime import datetime

from accounts.access import Caller
from accounts.limits import Allowance, RateLimited, take_from_limits
from ratings.countermeasures.limits import Action, demands_of, demands_without_proof
from ratings.countermeasures.proof_of_work import require_proof
from ratings.countermeasures.watched import hardness_of


def admit_caller(*, caller: Caller, action: Action, now: datetime, proof: str = "") -> Allowance | None:
    """Count this request against the caller's limits; return what is left, or None when nobody counts just now.

    Who rates much without an account, in a busy crowd, or while something speaks against what they rate, has to send a
    proof of work now and then. Raises RateLimited, of which ProofOfWorkNeeded is one.
    """
    hardness = hardness_of(caller.holder) if action == Action.RATE else 0
    demands = demands_of(caller=caller, action=action)
    free = demands_without_proof(caller=caller, action=action, is_watched=hardness > 0)
    try:
        return take_from_limits(demands=demands + free, now=now)
    except RateLimited as limited:
        if limited.allowance is None or limited.allowance.limit not in {demand.limit for demand in free}:
            raise
        require_proof(holder=caller.holder, proof=proof, allowance=limited.allowance, now=now, hardness=hardness)
    return take_from_limits(demands=demands, now=now)
