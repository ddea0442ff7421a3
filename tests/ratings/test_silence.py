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
    people = make_person("zz-honest"), make_person("zz-script")
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


JSON = {"accept": "application/json"}
NUMBERS = re.compile(
    rb'("(?:id|rating_id|comparison_id|identity)": ?)"?[\w-]+"?|value="\d+"|revise=\d+|data-identity="[^"]+"'
    rb'|"csrf_token": "\w+"'
)
TAGS = re.compile(rb"<[^>]*>")
# Times of day, as pages say them.
CLOCK = re.compile(rb"\d\d:\d\d|\d+ (?:seconds?|minutes?) ago")


def seen(response, person):
    """Return an answer without what differs between any two people and moments; of a page what can be read on it."""
    status, headers, body = look(response)
    if "text/html" in (headers["Content-Type"] or ""):
        body = b" ".join(TAGS.sub(b" ", body).split())
    body = (
        NUMBERS.sub(b"...", CLOCK.sub(b"...", body))
        .replace(person.user.username.encode(), b"NAME")
        .replace(person.key[:8].encode(), b"KEY")
    )
    return status, headers, body


def say_through_the_api(person):
    """Yield the answers to everything that a client does with images and sets."""
    api = person.api()

    def send(method, path, **body):
        return getattr(api, method)(f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    def new(path="rating/new"):
        answer = api.get(f"/api/v1/{path}")
        return answer, answer.json()

    answer, image = new()
    yield "new", answer
    yield "rate", send("post", f"rating/{image['id']}", rating=7, lease=image["lease"])
    yield "rate twice", send("post", f"rating/{image['id']}", rating=8, lease=image["lease"])
    yield "revise", send("patch", f"rating/{image['id']}", rating=5)
    yield "not leased", send("post", f"rating/{'0' * 8}-0000-4000-8000-{'0' * 12}", rating=5)
    yield "wrong", send("post", f"rating/{image['id']}", rating=77)
    image = new()[1]
    yield "skip", send("post", f"rating/{image['id']}/skip", lease=image["lease"])
    image = new()[1]
    yield "report", send("post", f"rating/{image['id']}/report", lease=image["lease"], reason="broken")
    yield "give back", send("delete", "rating/lease", leases=[new()[1]["lease"]])
    answer, shown = new("comparison/new?size=2")
    yield "set", answer
    best = shown["images"][0]["id"]
    yield "compare", send("post", f"comparison/{shown['id']}", best=best, lease=shown["lease"])
    shown = new("comparison/new?size=2")[1]
    yield "skip a set", send("post", f"comparison/{shown['id']}/skip", lease=shown["lease"])
    yield "datasets", api.get("/api/v1/datasets")


def say_on_the_page(person):
    """Yield the answers to everything that the page's script does."""
    web = person.web()
    [image] = web.get("/rate/", headers=JSON).json()["images"]
    about = {"image_id": image["image_id"], "lease": image["lease"]}
    answers = {"aesthetic": "3", "artifacts": "0", "idempotency_key": "page"}
    given = web.post("/rate/", about | answers | {"action": "submit"}, headers=JSON)
    yield "submit", given
    rated = given.json()["rating_id"]
    change = {"action": "revise", "rating_id": rated, "aesthetic": "4", "artifacts": "unsure", "idempotency_key": "r"}
    yield "revise", web.post("/rate/", change, headers=JSON)
    yield "look", web.post("/rate/", {"action": "look", "rating_id": rated}, headers=JSON)
    yield "revise without script", web.get(f"/rate/?revise={rated}")
    for action in ("skip", "unskip", "report", "return"):
        [image] = web.get("/rate/", headers=JSON).json()["images"]
        about = {"image_id": image["image_id"], "lease": image["lease"]}
        more = {"idempotency_key": action, "reason": "broken"} if action in {"skip", "report"} else {}
        yield action, web.post("/rate/", about | more | {"action": action}, headers=JSON)
    [shown] = web.get("/compare/?count=1", headers=JSON).json()["sets"]
    choice = {"set_id": shown["set_id"], "lease": shown["lease"], "choice": shown["images"][0]["image_id"]}
    yield "compare", web.post("/compare/", choice | {"action": "submit", "idempotency_key": "c"}, headers=JSON)


PAGES = ("/", "/rate/session/", "/rate/settings/", "/profile/", "/kudos/", "/datasets/", "/datasets/demo/", "/rules/")


def test_no_route_of_a_client_tells(pair):
    """Whatever is done by both in one order; where answers differ, a script would learn what gave it away."""
    honest, script = pair
    for say in (say_through_the_api, say_on_the_page):
        for (name, one), (_, other) in zip(say(honest), say(script), strict=True):
            assert seen(one, honest) == seen(other, script), name
    for path in PAGES:
        for headers in ({}, JSON):
            one, other = (seen(person.web().get(path, headers=headers), person) for person in pair)
            assert one == other, path
    assert Rating.objects.filter(state="quarantined").exclude(rater__state="quarantined").count() == 0
    assert Rating.objects.filter(rater__identity_id=script.identity_id).exclude(state="quarantined").count() == 0


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
