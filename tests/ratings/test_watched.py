"""Who is watched proves some work now and then, by page and API; in quarantine nothing changes for their client."""

import pytest

from config.settings.limits import LIMITS, Limit
from ratings.countermeasures import proof_of_work, watched
from ratings.models import Rater, RaterScore, RaterSignal, Rating
from ratings.services.quarantine import quarantine_rater
from ratings.services.watching import publish_watched
from ratings.tasks import update_scores_task
from tests.outages import NO_VALKEY
from tests.people import make_person, now
from tests.ratings.services.scoring_crowd import POLICY
from tests.ratings.test_proof_of_work import solve

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_for_free(dataset, settings, monkeypatch):
    monkeypatch.setattr(proof_of_work, "MOST_TRIES", 100)
    monkeypatch.setattr(watched, "KEPT_SECONDS", 0.0)
    settings.LIMITS = LIMITS | {"without_proof_watched": Limit(3, 36000, 2)}


@pytest.fixture
def suspect():
    person = make_person("suspect")
    Rater.objects.filter(identity_id=person.identity_id).update(state="watched")
    update_scores_task()
    return person


def rater_of(person):
    return Rater.objects.get(identity_id=person.identity_id)


def rate(person, **more):
    image = person.api().get("/api/v1/rating/new").json()
    body = {"rating": 7, "lease": image["lease"]} | more
    return person.api().post(f"/api/v1/rating/{image['id']}", body, content_type="application/json")


def rate_on_page(person, **more):
    client, wanted = person.web(), {"accept": "application/json"}
    image = client.get("/rate/", headers=wanted).json()["images"][0]
    answer = {"action": "submit", "image_id": image["image_id"], "lease": image["lease"], "aesthetic": "3"}
    answer |= {"artifacts": "0", "idempotency_key": image["lease"][:40]} | more
    return client.post("/rate/", answer, headers=wanted)


def until_asked(person, send=rate):
    for _ in range(2):
        assert send(person).status_code in {200, 201}
    return send(person)


def test_by_the_api(suspect):
    """Old clients, which cannot prove anything, go on to the next image after 403, and slowly."""
    refused = until_asked(suspect)
    assert (refused.status_code, refused.json()["rc"]) == (403, "ProofOfWorkNeeded")
    assert rate(suspect, altcha=solve(refused.json()["challenge"])).status_code == 201
    assert Rating.objects.count() == 3


def test_by_the_page(suspect):
    refused = until_asked(suspect, rate_on_page)
    assert (refused.status_code, refused.json()["code"]) == (428, "proof_of_work")
    assert rate_on_page(suspect, altcha=solve(refused.json()["challenge"])).status_code == 200


def test_nobody_else_is_asked(suspect):
    other = make_person()
    for _ in range(4):
        assert rate(other).status_code == 201


def test_more_work_the_more_speaks_against_them(suspect, dataset):
    rater = rater_of(suspect)
    assert until_asked(suspect).json()["challenge"]["maxnumber"] == 200
    row = RaterScore.objects.create(rater=rater, dataset=dataset, task="aesthetic", ban_log_e=7.0)
    publish_watched(policy=POLICY)
    assert rate(suspect).json()["challenge"]["maxnumber"] == 400
    about = {"dataset": dataset, "value": 1, "answer_count": 9, "measured_at": now(), "struck_at": now()}
    RaterSignal.objects.create(rater=rater, kind="pace", is_striking=True, **about)
    publish_watched(policy=POLICY)
    hard = rate(suspect).json()["challenge"]
    assert hard["maxnumber"] == 800
    RaterScore.objects.filter(pk=row.pk).update(ban_log_e=600.0)
    publish_watched(policy=POLICY)
    assert rate(suspect).json()["challenge"]["maxnumber"] == 1600
    assert rate(suspect, altcha=solve(hard)).status_code == 201


def test_who_is_let_go_is_asked_no_more(suspect):
    until_asked(suspect)
    Rater.objects.filter(pk=rater_of(suspect).pk).update(state="calibrated")
    publish_watched(policy=POLICY)
    assert rate(suspect).status_code == 201


def test_in_quarantine_nothing_changes(suspect):
    before = until_asked(suspect)
    quarantine_rater(rater_id=rater_of(suspect).pk, by=make_person().user, reason="a script", now=now())
    publish_watched(policy=POLICY)
    after = rate(suspect)
    assert (after.status_code, after.json()["message"]) == (before.status_code, before.json()["message"])
    assert after.json()["challenge"]["maxnumber"] == before.json()["challenge"]["maxnumber"]
    # Nor is somebody asked all of a sudden who was not before.
    other = make_person()
    quarantine_rater(rater_id=rater_of(other).pk, by=make_person().user, reason="a script", now=now())
    publish_watched(policy=POLICY)
    for _ in range(4):
        assert rate(other).status_code == 201


def test_with_valkey_out_of_reach_nobody_is_asked(suspect, settings):
    settings.REDIS_URL = NO_VALKEY
    assert watched.hardness_of(suspect.caller.holder) == 0
