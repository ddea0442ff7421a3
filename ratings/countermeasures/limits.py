"""Which limits a request has to keep, by what is asked for and by whom."""

from enum import StrEnum

from accounts.access import Caller
from accounts.limits import Demand


class Action(StrEnum):
    """What is asked for. Each is the name of a limit in config/settings/limits.py."""

    TAKE_IMAGE = "rating_new"
    RATE = "rating"
    READ = "read"
    RELAY = "relay"


# The limit that all browsers without an account share at one address: a new cookie is a new browser.
CROWD_LIMITS = {Action.TAKE_IMAGE: "rating_new_crowd", Action.RATE: "rating_crowd"}


# What a browser without an account may rate before it has to prove some work, by itself and with all at its address.
WITHOUT_PROOF, CROWD_WITHOUT_PROOF = "without_proof", "without_proof_crowd"


def demands_without_proof(*, caller: Caller, action: Action) -> list[Demand]:
    """Return the limits that a proof of work lifts."""
    if not caller.crowd or action != Action.RATE:
        return []
    return [Demand(WITHOUT_PROOF, caller.holder), Demand(CROWD_WITHOUT_PROOF, f"address:{caller.crowd}")]


def demands_of(*, caller: Caller, action: Action) -> list[Demand]:
    """Return the limits in question.

    Each identity has its own; people behind the shared key are one for each address, as with leases. Accounts
    and AI Horde's users are not counted by address, because bots speak for many of them from one.
    """
    demands = [Demand(action.value, caller.holder)]
    if caller.crowd and action in CROWD_LIMITS:
        demands.append(Demand(CROWD_LIMITS[action], f"address:{caller.crowd}"))
    return demands
