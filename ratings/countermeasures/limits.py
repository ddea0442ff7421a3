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


# What may be rated without an account before some work has to be proven: by one browser, and by all at an address.
WITHOUT_PROOF, CROWD_WITHOUT_PROOF = "without_proof", "without_proof_crowd"
# And by whoever is watched, with an account or without.
WATCHED_WITHOUT_PROOF = "without_proof_watched"


def demands_without_proof(*, caller: Caller, action: Action, is_watched: bool = False) -> list[Demand]:
    """Return the limits that a proof of work lifts: of who has no account, by browser or anonymous key, or is watched.

    People behind the anonymous key are told apart by address, so what is an evening's worth for a browser is not
    asked of them, and what all at one address may do together is.
    """
    if action != Action.RATE:
        return []
    watched = [Demand(WATCHED_WITHOUT_PROOF, caller.holder)] if is_watched else []
    if not (caller.crowd or caller.is_shared):
        return watched
    together = Demand(CROWD_WITHOUT_PROOF, f"address:{caller.address_hash}")
    return [together] if caller.is_shared else [Demand(WITHOUT_PROOF, caller.holder), together, *watched]


def demands_of(*, caller: Caller, action: Action) -> list[Demand]:
    """Return the limits in question.

    Each identity has its own; people behind the shared key are one for each address, as with leases. Accounts
    and AI Horde's users are not counted by address, because bots speak for many of them from one.
    """
    demands = [Demand(action.value, caller.holder)]
    if caller.crowd and action in CROWD_LIMITS:
        demands.append(Demand(CROWD_LIMITS[action], f"address:{caller.crowd}"))
    return demands
