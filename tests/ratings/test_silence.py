"""A rater in quarantine cannot tell, until they are told."""

import json
import re
from datetime import timedelta

import pytest

from ratings.models import Rater, Rating
from ratings.queries.raters import my_ratings, my_standing
from ratings.services.quarantine import quarantine_rater
from ratings.views.profile import start_of_today
from tests.people import make_person, now

pytestmark = pytest.mark.django_db
# What differs between any two answers: when, which image, whose lease.
VARIES = re.compile(rb'[0-9a-f-]{36}|"lease": ?"[^"]+"|\d{4}-\d\d-\d\dT[0-9:.+Z]+|csrf\w+" value="[^"]+"')
HEADERS = ("Content-Type", "Cache-Control", "Vary", "Allow")


@pytest.fixture
def pair(dataset):
    """Two people who have done the same; the second is in quarantine."""
    people = make_person("honest"), make_person("script")
    for person in people:
        rate_by_api(person)
    by = make_person("moderator").user
    second = Rater.objects.get(identity_id=people[1].identity_id)
    quarantine_rater(rater_id=second.pk, by=by, reason="does not look", now=now())
    return people


def rate_by_api(person):
    image = person.api().get("/api/v1/rating/new")
    body = {"rating": 7, "artifacts": 1, "lease": image.json()["lease"]}
    given = person.api().post(f"/api/v1/rating/{image.json()['id']}", json.dumps(body), content_type="application/json")
    return image, given


def look(response):
    body = VARIES.sub(b"...", response.content)
    return response.status_code, {name: response.headers.get(name) for name in HEADERS}, body


def test_every_answer_of_the_api_is_the_same(pair):
    honest, script = (rate_by_api(person) for person in pair)
    assert [look(response) for response in honest] == [look(response) for response in script]
    assert Rating.objects.filter(state="quarantined").count() == 2


def test_the_page_says_the_same(pair):
    pages = []
    for person in pair:
        client = person.web()
        images = client.get("/rate/", headers={"accept": "application/json"})
        pages.append(look(images)[:2])
        image = images.json()["images"][0]
        answer = {"image_id": image["image_id"], "lease": image["lease"], "aesthetic": "3", "artifacts": "0"}
        answer |= {"action": "submit", "idempotency_key": "k"}
        given = client.post("/rate/", answer, headers={"accept": "application/json"})
        said = given.json()
        pages.append((given.status_code, said["message"], said["reward"]))
    assert pages[:2] == pages[2:]
    assert Rating.objects.filter(state="quarantined").count() == 2


def test_the_profile_says_the_same_until_the_silence_is_over(pair):
    def seen(person, day):
        standing = my_standing(identity_id=person.identity_id, today=day)
        rows = my_ratings(identity_id=person.identity_id, today=day)
        return standing, [(row.aesthetic, row.state_text, row.reward, row.is_settled) for row in rows]

    today = start_of_today()
    honest, script = pair
    assert seen(honest, today) == seen(script, today)
    assert b"do not count at the moment" not in script.web().get("/profile/").content
    later = today + timedelta(days=9)
    standing, rows = seen(script, later)
    assert standing.notice is not None
    assert standing.pending_kudos == 0
    assert [row[1] for row in rows] == ["quarantined with its rater"]
    assert seen(honest, later)[0].notice is None


def test_then_there_is_a_notice(pair, settings):
    settings.QUARANTINE_SILENCE_SECONDS = -2 * 24 * 3600
    _honest, script = pair
    page = script.web().get("/profile/").content.decode()
    assert "do not count at the moment" in page
    assert 'href="/rules/"' in page


def test_the_rules_are_public(client):
    assert b"How ratings are checked" in client.get("/rules/").content
