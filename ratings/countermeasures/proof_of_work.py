"""Work instead of a puzzle: who rates much without an account lets their browser count for a moment (ALTCHA v1).

The challenge is a SHA-256 whose end is to be found; the page's script does so by itself. It is signed, names whom it is
for, ends after ten minutes and is taken once. A proof is good for a number of answers, so that a busy visitor works now
and then, and a script that makes itself a new browser each time works for each.
"""

import base64
import binascii
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Literal

from altcha import ChallengeOptionsV1, create_challenge_v1, extract_params_v1, verify_solution_v1
from django.conf import settings
from django.utils.translation import ngettext

from accounts.limits import Allowance, RateLimited
from accounts.valkey import ValkeyUnavailable, ask_valkey
from ratings.countermeasures.watched import HARDEST

ALGORITHM: Literal["SHA-256"] = "SHA-256"
# A phone tries some hundred thousand a second, so this is a fraction of a second.
MOST_TRIES = 100_000
LIFE = timedelta(minutes=10)
ANSWERS_PER_PROOF = 25
CREDIT_SECONDS = 3600
LONGEST_PROOF = 2000
FIELDS = {"algorithm": str, "challenge": str, "number": int, "salt": str, "signature": str}

# In one step: a proof that comes twice at once is taken once.
TAKE = """
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
    redis.call('INCRBY', KEYS[2], ARGV[2])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
    return 1
end
return 0
"""
SPEND = """
local left = tonumber(redis.call('GET', KEYS[1]) or 0)
if left <= 0 then return 0 end
redis.call('DECR', KEYS[1])
return 1
"""


class ProofOfWorkNeeded(RateLimited):
    """The browser has to prove some work first; ``challenge`` says which. Waiting helps as well."""

    def __init__(self, challenge: dict[str, Any], allowance: Allowance | None) -> None:
        wait = allowance.reset if allowance else 60
        super().__init__(
            ngettext(
                "Much was rated here within the hour. The page goes on by itself in a moment, if script is on; "
                "otherwise wait %(seconds)d second, or sign in.",
                "Much was rated here within the hour. The page goes on by itself in a moment, if script is on; "
                "otherwise wait %(seconds)d seconds, or sign in.",
                wait,
            )
            % {"seconds": wait},
            allowance,
        )
        self.challenge = challenge


def require_proof(*, holder: str, proof: str, allowance: Allowance | None, now: datetime, hardness: int = 0) -> None:
    """Let pass who sends a proof, or has not used up their last one. Raises ProofOfWorkNeeded.

    Each step of ``hardness`` asks for twice the work.

    When Valkey is out of reach everybody passes, as with limits: nobody could be told what they have proved before.
    """
    try:
        if not (_take_proof(holder, proof) or _spend(holder)):
            raise ProofOfWorkNeeded(new_challenge(holder=holder, now=now, hardness=hardness), allowance)
    except ValkeyUnavailable:
        return


def new_challenge(*, holder: str, now: datetime, hardness: int = 0) -> dict[str, Any]:
    """Return a challenge for one holder, as ALTCHA's widgets and the page's script read it."""
    options = ChallengeOptionsV1(
        ALGORITHM, MOST_TRIES << hardness, hmac_key=_key(), expires=now + LIFE, params={"for": _mark(holder)}
    )
    made = create_challenge_v1(options).to_dict()
    return {"maxnumber": made.pop("maxNumber"), **made}


def _take_proof(holder: str, proof: str) -> bool:
    """Return whether a proof is good, and remember that it was used and what it is good for."""
    solved = _read(proof)
    if solved is None or solved["algorithm"] != ALGORITHM or not 0 <= solved["number"] <= MOST_TRIES << HARDEST:
        return False
    is_solved, _ = verify_solution_v1(solved, _key())
    stated = extract_params_v1(solved)
    if not is_solved or stated.get("for") != [_mark(holder)] or "expires" not in stated:
        return False
    keys = [f"kudoscope:proof:{solved['signature']}", _credit_key(holder)]
    args: list[str | int] = [int(LIFE.total_seconds()), ANSWERS_PER_PROOF, CREDIT_SECONDS]
    return bool(ask_valkey("take_proof", lambda valkey: valkey.eval(TAKE, 2, *keys, *args))) and _spend(holder)


def _spend(holder: str) -> bool:
    return bool(ask_valkey("spend_proof", lambda valkey: valkey.eval(SPEND, 1, _credit_key(holder))))


def _read(proof: str) -> Any:
    """Return what a proof says if it has the shape of one: base64 of JSON."""
    if not 0 < len(proof) <= LONGEST_PROOF:
        return None
    try:
        solved = json.loads(base64.b64decode(proof, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(solved, dict) or not all(type(solved.get(name)) is kind for name, kind in FIELDS.items()):
        return None
    return {name: solved[name] for name in FIELDS}


def _credit_key(holder: str) -> str:
    return f"kudoscope:proven:{holder}"


def _mark(holder: str) -> str:
    return hashlib.sha256(f"{_key()}:{holder}".encode()).hexdigest()[:16]


def _key() -> str:
    return hashlib.sha256(f"kudoscope proof of work v1:{settings.SECRET_KEY}".encode()).hexdigest()
