"""Work to be proven by clients of the API that have no key: told apart from others by address, solved once, in time."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.valkey import get_client
from config.settings.limits import LIMITS, Limit
from ratings.countermeasures import proof_of_work
from ratings.models import Rating, Report, Skip
from tests.ratings.test_proof_of_work import solve

pytestmark = pytest.mark.django_db
NEW = "/api/v1/rating/new"


@pytest.fixture(autouse=True)
def _two_for_free(dataset, settings, monkeypatch):
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", 300)
    settings.LIMITS = LIMITS | {"without_proof_crowd": Limit(3, 36000, 2)}


@pytest.fixture
def api():
    """A client without a key that has rated twice."""
    return busy()


def busy(address="198.51.100.1"):
    client = Client(REMOTE_ADDR=address)
    for _ in range(2):
        assert rate(client).status_code == 201
    return client


def rate(client, **more):
    image = client.get(NEW).json()
    return send(client, image["id"], {"rating": 7, "lease": image["lease"]} | more)


def send(client, path, body):
    return client.post(f"/api/v1/rating/{path}", body, content_type="application/json")


def challenge_of(client):
    return rate(client).json()["challenge"]


def said(response):
    return response.status_code, response.json().get("rc")


def test_it_works(api):
    """Asked, solved, and good for some more. 403, because clients of 2023 go on after nothing else."""
    refused = rate(api)
    assert said(refused) == (403, "ProofOfWorkNeeded")
    assert int(refused["Retry-After"]) > 0
    assert "`altcha`" in refused.json()["message"]
    assert Rating.objects.count() == 2

    assert rate(api, altcha=solve(refused.json()["challenge"])).status_code == 201

    assert rate(api).status_code == 201
    assert Rating.objects.count() == 4


@pytest.mark.parametrize("proof", ["", "wrong", "A" * 50_000, 5, None, ["x"], {"number": 1}])
def test_what_is_no_proof_is_asked_for_again(api, proof):
    refused = rate(api, altcha=proof)
    assert said(refused) == (403, "ProofOfWorkNeeded")
    assert refused.json()["challenge"]["challenge"]


def test_a_wrong_number(api):
    challenge = challenge_of(api)
    right = solve(challenge)
    assert said(rate(api, altcha=solve(challenge, number=-1))) == (403, "ProofOfWorkNeeded")
    assert rate(api, altcha=right).status_code == 201


def test_one_that_is_too_late(api):
    proof = solve(challenge_of(api))
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=True):
        assert said(rate(api, altcha=proof)) == (403, "ProofOfWorkNeeded")


def test_one_that_was_used(api):
    proof = solve(challenge_of(api))
    assert rate(api, altcha=proof).status_code == 201
    for key in get_client().scan_iter("kudoscope:proven:*"):
        get_client().delete(key)
    assert said(rate(api, altcha=proof)) == (403, "ProofOfWorkNeeded")


def test_somebody_elses(api):
    other = busy("203.0.113.9")
    proof = solve(challenge_of(api))
    assert said(rate(other, altcha=proof)) == (403, "ProofOfWorkNeeded")
    assert rate(api, altcha=proof).status_code == 201


def test_who_has_a_key_is_never_asked(rater):
    assert {rate(rater.api()).status_code for _ in range(4)} == {201}
    assert rate(rater.api(), altcha="what it may be").status_code == 201


@pytest.mark.parametrize(("what", "body", "kept"), [("skip", {}, Skip), ("report", {"reason": "gore"}, Report)])
def test_skips_and_reports_too(api, what, body, kept):
    image = api.get(NEW).json()
    body |= {"lease": image["lease"]}
    refused = send(api, f"{image['id']}/{what}", body)
    assert said(refused) == (428, "ProofOfWorkNeeded")
    assert not kept.objects.exists()

    assert send(api, f"{image['id']}/{what}", body | {"altcha": solve(refused.json()["challenge"])}).status_code < 300

    assert kept.objects.count() == 1
