"""Nobody can tell a control from an image as any other: over the API, on the page, and in all that is public."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client

from ratings.models import ControlAnswer, GoldImage, Image, Rater, Rating
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.controlled import NO_GOLD, count_rows, kind_of, make_gold

pytestmark = pytest.mark.django_db
POLICIES = {
    "rating": NO_GOLD,
    "gold": {"first_ratings": 0, "gold_share": 1, "repeat_share": 0},
    "repeat": NO_GOLD | {"repeat_share": 1},
}
# What differs between any two answers: when, which image, whose lease, which number, and whose page it is.
VARIES = re.compile(
    rb'[0-9a-f-]{36}|"(lease|identity|csrf_token)": ?"[^"]+"|\d{4}-\d\d-\d\dT[0-9:.+Z]+|csrf\w+" value="[^"]+"'
    rb'|"rating_id": ?\d+|<code>[^<]+<|(revise=|rating-|before=|/keys/)\d+|person\d+|data-identity="[^"]+"|nonce="[^"]+"'
    rb'|"[\w-]{20,}"|name="(image_id|lease|rating_id|idempotency_key)"\s+value="[^"]*"'
)
LIMITS = ("RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")
JSON = {"accept": "application/json"}


@pytest.fixture
def dataset():
    dataset = DatasetFactory(slug="demo", target_rating_count=1000)
    make_images(dataset, 200)
    make_gold(dataset)
    return dataset


def with_a_past(dataset):
    """Return somebody who rated 130 images two days ago."""
    person = make_person()
    rater = Rater.objects.get(identity_id=person.identity_id)
    images = Image.objects.filter(dataset=dataset, gold=None).order_by("sampling_key")[:130]
    Rating.objects.bulk_create(
        Rating(
            dataset=dataset,
            image=image,
            rater=rater,
            aesthetic=5,
            reward=5,
            client_agent="t",
            proof="lease",
            scale_version=1,
            created_at=now() - timedelta(days=2),
        )
        for image in images
    )
    count_rows()
    return person


def told(response):
    """Return all that a client is told, but for what differs in any case."""
    headers = {name: VARIES.sub(b"...", value.encode()) for name, value in response.headers.items()}
    for name in ("X-Request-ID", "Content-Length", "Content-Security-Policy", "ETag", "Expires", *LIMITS):
        headers.pop(name, None)
    return response.status_code, headers, VARIES.sub(b"...", response.content)


def check_kind(person, kind, image_id, lease):
    assert kind_of(person.caller, SimpleNamespace(image_id=image_id, lease=lease)) == kind


def talk_to_api(person, kind):
    """Rate, ask again, revise, look up, skip and report over the API; return every answer."""
    api = person.api()
    said = [api.get("/api/v1/rating/new")]
    image = said[0].json()
    check_kind(person, kind, image["id"], image["lease"])
    path = f"/api/v1/rating/{image['id']}"

    def post(body, where=path, **headers):
        said.append(api.post(where, json.dumps(body), content_type="application/json", headers=headers))

    def patch(body, **headers):
        said.append(api.patch(path, json.dumps(body), content_type="application/json", headers=headers))

    post({"rating": 7, "artifacts": 1, "lease": image["lease"], "sha256": "0" * 8})
    post({"rating": 11, "lease": image["lease"]})
    post({"rating": 7, "lease": image["lease"]}, **{"Idempotency-Key": "k"})
    post({"rating": 7, "lease": image["lease"]}, **{"Idempotency-Key": "k"})
    post({"rating": 7, "lease": image["lease"]})
    patch({"rating": 3}, **{"Idempotency-Key": "r"})
    patch({"rating": 3}, **{"Idempotency-Key": "r"})
    patch({"rating": 4, "artifacts": 2})
    post({"lease": image["lease"]}, f"{path}/skip")
    post({"lease": image["lease"], "reason": "gore"}, f"{path}/report")
    held = api.get("/api/v1/rating/new")
    said.append(held)
    other = held.json()
    said.append(api.post(f"/api/v1/rating/{other['id']}", json.dumps({"rating": 2}), content_type="application/json"))
    said.append(api.post(f"/api/v1/rating/{other['id']}", json.dumps({"rating": 2}), content_type="application/json"))
    return said


def talk_to_page(person, kind):
    """Rate, revise, undo, skip, look, report and return on the page; return every answer."""
    web = person.web()
    said = [web.get("/rate/", headers=JSON)]
    image = said[0].json()["images"][0]
    check_kind(person, kind, image["image_id"], image["lease"])
    shown = {"image_id": image["image_id"], "lease": image["lease"]}

    def post(action, **fields):
        said.append(web.post("/rate/", {"action": action} | fields, headers=JSON))
        return said[-1]

    given = post(
        "submit", **shown, aesthetic="6", artifacts="unsure", idempotency_key="k", answer_ms="900", position="1"
    )
    post("submit", **shown, aesthetic="6", artifacts="unsure", idempotency_key="k")
    number = given.json()["rating_id"]
    post("revise", rating_id=number, aesthetic="2", artifacts="0", idempotency_key="r")
    post("look", rating_id=number)
    said.append(web.get(f"/rate/?revise={number}"))
    post("skip", **shown, idempotency_key="s")
    post("skip", **shown, reason="other", idempotency_key="s2")
    post("unskip", **shown)
    post("report", **shown, reason="gore", note="no")
    following = web.get("/rate/", headers=JSON)
    said.append(following)
    post("return", lease=following.json()["images"][0]["lease"])
    said.append(web.get("/rate/session/"))
    said.append(web.get("/profile/"))
    return said


TALKS = {"api": talk_to_api, "page": talk_to_page}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_every_answer_is_the_same(dataset, settings, talk):
    heard = {}
    for kind, policy in POLICIES.items():
        settings.CONTROL_POLICY = policy
        heard[kind] = [told(response) for response in talk(with_a_past(dataset), kind)]
    assert ControlAnswer.objects.filter(kind="gold").exists()
    assert ControlAnswer.objects.filter(kind="repeat").exists()
    for kind in ("gold", "repeat"):
        for place, (one, other) in enumerate(zip(heard["rating"], heard[kind], strict=True)):
            assert other[:2] == one[:2], (kind, place)
            assert other[2].splitlines() == one[2].splitlines(), (kind, place)


def test_ids_of_leases_look_alike(dataset, settings):
    """The time is at their beginning, and no bit of the rest is always the same but those of version and variant."""
    settings.CONTROL_POLICY = POLICIES["gold"]
    always = {}
    for kind in ("rating", "gold"):
        settings.CONTROL_POLICY = POLICIES[kind]
        all_set, ever_set = 2**128 - 1, 0
        for address in "bcdefghijk":
            for leased in _take(make_stranger(address), dataset):
                number = leased.int
                all_set, ever_set = all_set & number, ever_set | number
        always[kind] = ((all_set | ~ever_set) & (2**80 - 1)).bit_count()
    assert always == {"rating": 6, "gold": 6}


def _take(caller, dataset):
    from ratings.leases.token import verify_lease
    from tests.ratings.controlled import take

    moment = now()
    for leased in take(caller, dataset, count=10, at=moment):
        yield verify_lease(leased.lease, holder=caller.holder, now_ms=int(moment.timestamp() * 1000)).lease_id


PUBLIC = ("/", "/datasets/", "/datasets/demo/", "/rules/", "/api/v1/datasets", "/api/v1/releases", "/downloads/")


def test_what_is_public_does_not_name_gold(dataset):
    """No page and no answer that everybody gets names an image of the nursery or says that there is one."""
    ids = [str(pk) for pk in GoldImage.objects.values_list("pk", flat=True)]
    client = Client()
    for path in PUBLIC:
        cache.clear()
        body = client.get(path, follow=True).content.decode()
        assert not any(pk in body for pk in ids), path
        assert not re.search(r"\bnursery\b|\bdecoy", body), path
    gold, plain = GoldImage.objects.first(), Image.objects.filter(gold=None).first()
    for method, path in (("get", "/images/{}.webp"), ("get", "/api/v1/rating/{}"), ("post", "/api/v1/rating/{}/skip")):
        answers = [told(getattr(client, method)(path.format(pk))) for pk in (gold.pk, plain.pk)]
        assert answers[0] == answers[1], path


@pytest.mark.parametrize("kind", ["rating", "gold", "repeat"])
def test_the_page_of_a_dataset_counts_every_answer(dataset, settings, kind):
    person = with_a_past(dataset)
    settings.CONTROL_POLICY = POLICIES[kind]

    def ratings():
        cache.clear()
        return re.search(r"([\d,]+) ratings", Client().get("/datasets/demo/").content.decode())[1]

    assert ratings() == "130"
    talk_to_api(person, kind)
    assert ratings() == "132"
