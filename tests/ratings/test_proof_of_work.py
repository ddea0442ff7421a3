"""Busy visitors prove some work now and then: signed, for one holder, once, and never a puzzle."""

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from altcha import solve_challenge_v1
from django.utils import timezone

from accounts.access import browser_caller
from accounts.limits import RateLimited
from accounts.valkey import get_client
from config.settings.limits import LIMITS, Limit
from ratings.countermeasures import admit_caller, proof_of_work
from ratings.countermeasures.limits import Action
from ratings.countermeasures.proof_of_work import ANSWERS_PER_PROOF, ProofOfWorkNeeded, new_challenge
from tests.outages import NO_VALKEY
from tests.people import make_stranger, now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_for_free(settings, monkeypatch):
    """Little to do, and after three answers: what is asked of people is in the table of limits."""
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", 300)
    settings.LIMITS = LIMITS | {"without_proof": Limit(4, 3600, 3), "without_proof_crowd": Limit(6, 3600, 5)}


@pytest.fixture
def visitor(db):
    return browser_caller("a" * 32, "d" * 32)


def solve(challenge, **changes):
    """Return the proof that the page's script would send."""
    found = solve_challenge_v1(
        challenge["challenge"], challenge["salt"], challenge["algorithm"], challenge["maxnumber"]
    )
    solved = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return encode(solved | {"number": found.number, "took": 3} | changes)


def encode(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def rate(caller, proof="", action=Action.RATE):
    return admit_caller(caller=caller, action=action, now=now(), proof=proof)


def asked(caller, proof=""):
    """Return the challenge that a caller is asked to solve."""
    with pytest.raises(ProofOfWorkNeeded) as refused:
        rate(caller, proof)
    return refused.value.challenge


def use_up(caller, times=3):
    for _ in range(times):
        rate(caller)


def test_it_works(visitor):
    """Three for nothing, then a proof for so many, then another."""
    use_up(visitor)
    challenge = asked(visitor)
    assert set(challenge) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    rate(visitor, solve(challenge))
    for _ in range(ANSWERS_PER_PROOF - 1):
        rate(visitor)
    again = asked(visitor)
    assert again != challenge
    rate(visitor, solve(again))


def test_a_proof_is_taken_once(visitor):
    use_up(visitor)
    proof = solve(asked(visitor))
    rate(visitor, proof)
    get_client().delete(f"kudoscope:proven:{visitor.holder}")
    assert asked(visitor, proof)["challenge"]


def test_a_proof_is_for_whom_it_was_asked_of(visitor):
    other = browser_caller("b" * 32, "e" * 32)
    use_up(visitor)
    use_up(other)
    proof = solve(asked(visitor))
    asked(other, proof)
    rate(visitor, proof)


def test_a_proof_ends_after_a_while(visitor):
    use_up(visitor)
    proof = solve(asked(visitor))
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        use_up(browser_caller("c" * 32, "d" * 32), 1)
        asked(visitor, proof)


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: "",
        lambda _: "not base64!",
        lambda _: "A" * 100_000,
        lambda _: encode("words"),
        lambda _: encode([1, 2]),
        lambda _: encode({"algorithm": "SHA-256"}),
        lambda challenge: encode(challenge | {"number": "7"}),
        lambda challenge: encode(challenge | {"number": True}),
        lambda challenge: encode(challenge | {"number": 10**9}),
        lambda challenge: encode(challenge | {"number": -1}),
        lambda challenge: encode(challenge | {"number": 1, "salt": ["x"]}),
        lambda challenge: solve(challenge, algorithm="SHA-1"),
        lambda challenge: solve(challenge, signature="0" * 64),
        lambda challenge: solve(challenge, salt=challenge["salt"].replace("expires=1", "expires=9")),
        lambda _: base64.b64encode(b"[" * 1400).decode(),
    ],
)
def test_what_is_no_proof_changes_nothing(visitor, forge):
    use_up(visitor)
    challenge = asked(visitor)
    asked(visitor, forge(challenge))
    rate(visitor, solve(challenge))


def test_a_challenge_that_we_did_not_sign_is_worth_nothing(visitor, settings):
    use_up(visitor)
    ours = settings.SECRET_KEY
    settings.SECRET_KEY = "another installation's"
    foreign = solve(new_challenge(holder=visitor.holder, now=now()))
    settings.SECRET_KEY = ours
    asked(visitor, foreign)


def test_a_busy_crowd_works_though_each_is_new(visitor):
    """Who makes themselves a new browser each time shares the limit of the address."""
    for number in range(5):
        rate(browser_caller(f"{number:032}", "d" * 32))
    stranger = browser_caller("f" * 32, "d" * 32)
    rate(stranger, solve(asked(stranger)))
    rate(browser_caller("f" * 32, "e" * 32))


@pytest.mark.parametrize("action", [Action.TAKE_IMAGE, Action.READ])
def test_only_answers_are_counted(visitor, action):
    for _ in range(8):
        rate(visitor, action=action)


def test_accounts_are_never_asked(rater):
    use_up(rater.caller, 8)


def test_an_address_behind_the_shared_key_is_a_crowd(visitor):
    """It counts together with the browsers there, and its proof is not one for them."""
    stranger = make_stranger("d")
    use_up(visitor, 2)
    use_up(stranger, 3)
    proof = solve(asked(stranger))
    asked(visitor, proof)
    rate(stranger, proof)
    use_up(make_stranger("e"))


def test_a_proof_does_not_lift_other_limits(visitor, settings):
    settings.LIMITS = settings.LIMITS | {"rating": Limit(5, 3600, 4)}
    use_up(visitor)
    rate(visitor, solve(asked(visitor)))
    with pytest.raises(RateLimited) as refused:
        rate(visitor)
    assert not isinstance(refused.value, ProofOfWorkNeeded)


def test_without_valkey_nobody_is_asked(visitor, settings):
    settings.REDIS_URL = NO_VALKEY
    use_up(visitor, 8)
