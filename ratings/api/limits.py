"""Limits of the API, for every operation without its doing: the default of the framework, before permissions."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.access import Caller, shared_caller
from accounts.addresses import hash_address, read_client_address
from accounts.limits import Allowance
from ratings.api.bodies import read_proof
from ratings.countermeasures import admit_caller
from ratings.countermeasures.limits import Action
from ratings.countermeasures.proof_of_work import ProofOfWorkNeeded

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which asks for this module while it is imported

# By the first two parts of a path below /api/v1/, or the first alone. All others only read, or are rare.
ACTIONS = {
    ("rating", "new"): Action.TAKE_IMAGE,
    ("rating", "set"): Action.RELAY,
    ("rating",): Action.RATE,
    ("comparison", "new"): Action.TAKE_IMAGE,
    ("comparison",): Action.RATE,
}
PREFIX = "/api/v1/"


class CallerLimits(BaseThrottle):
    """Raise RateLimited, which is a 429, for a caller who asks too often.

    An operation that does not ask who is calling, as that of relays, is limited by address.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        del view
        if request.path.startswith(PREFIX):
            plain = request._request  # noqa: SLF001 - DRF's name; Django's own, where the middleware looks
            now = timezone.now()
            caller = request.auth
            if not isinstance(caller, Caller):
                caller = shared_caller(hash_address(read_client_address(plain), now=now))
            plain.allowance = _admit(plain, caller, now)  # type: ignore[attr-defined]
        return True


def _admit(request: HttpRequest, caller: Caller, now: datetime) -> Allowance | None:
    """Count the request. A proof of work is in the body, which is read here only if one is asked for."""
    admit = partial(admit_caller, caller=caller, action=action_of(request.path), now=now)
    try:
        return admit()
    except ProofOfWorkNeeded:
        proof = read_proof(request.body)
        if not proof:
            raise
    return admit(proof=proof)


def action_of(path: str) -> Action:
    """Return what a path asks for."""
    parts = tuple(path.removeprefix(PREFIX).split("/"))
    return ACTIONS.get(parts[:2]) or ACTIONS.get(parts[:1], Action.READ)
