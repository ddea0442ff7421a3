"""Limits as clients meet them: over HTTP, by the API and by the page, by script and by hand."""

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.conf import settings as current
from django.db import connection
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.access import browser_caller, shared_caller
from accounts.limits import RateLimited
from accounts.models import Scope
from accounts.services import create_api_key
from accounts.valkey import get_client
from config.settings.limits import LIMITS, Limit
from config.settings.networks import read_networks
from ratings.api.base import ApiView
from ratings.api.limits import CallerLimits, action_of
from ratings.countermeasures import admit_caller, proof_of_work
from ratings.countermeasures.limits import Action
from ratings.countermeasures.proof_of_work import ProofOfWorkNeeded
from ratings.models import Rating
from tests.factories import make_images
from tests.house.test_exceptions import api_views
from tests.outages import NO_VALKEY
from tests.people import make_person
from tests.ratings.test_proof_of_work import solve

pytestmark = pytest.mark.django_db
NEW = "/api/v1/rating/new"
RATE = "/rate/"
JSON = {"accept": "application/json"}
# Of today: Valkey has a clock of its own, by which leases end.
START = datetime.now(UTC)
FIELDS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy", "RateLimit")


@pytest.fixture
def small(settings):
    """Limits that a test meets soon: two at once, then one in ten seconds."""
    settings.LIMITS = dict.fromkeys(LIMITS, Limit(8, 60, 2))


def post(client, image_id, **headers):
    body = json.dumps({"rating": 7})
    return client.post(f"/api/v1/rating/{image_id}", body, content_type="application/json", headers=headers)


def statuses(ask, times=10):
    return [ask().status_code for _ in range(times)]


def assert_refused(response, *, seconds=10, status=429):
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response["Retry-After"] == response["RateLimit-Reset"] == str(seconds)
    assert response["RateLimit-Remaining"] == "0"
    body = response.json()
    assert body["message"] == f"Too many requests. Wait {seconds} seconds, then try again."
    return body


class TestApi:
    """Operations of the API."""

    def test_it_works(self, rater, dataset):
        image = rater.api().get(NEW)
        assert [image[name] for name in FIELDS] == ["40", "39", "1", '"rating_new";q=40;w=7', '"rating_new";r=39;t=1']
        answer = post(rater.api(), image.json()["id"])
        assert answer.status_code == 201
        assert answer["RateLimit"] == '"rating";r=39;t=1'
        assert not answer.has_header("Retry-After")

    def test_a_script_that_hammers_gets_429_in_json_and_never_403(self, rater, dataset):
        with time_machine.travel(START, tick=False):
            answers = [rater.api().get(NEW) for _ in range(60)]
        assert {answer.status_code for answer in answers[:40]} == {200}
        assert {answer.status_code for answer in answers[40:]} == {429}
        assert answers[-1].json()["rc"] == "RateLimited"
        assert answers[-1]["Retry-After"] == "1"

    def test_who_waits_as_told_goes_on(self, rater, dataset, small):
        with time_machine.travel(START, tick=False) as clock:
            assert statuses(lambda: rater.api().get(NEW), 3) == [200, 200, 429]
            wait = int(assert_refused(rater.api().get(NEW)) and rater.api().get(NEW)["Retry-After"])
            clock.shift(wait)
            assert rater.api().get(NEW).status_code == 200

    def test_taking_and_rating_have_limits_of_their_own(self, rater, dataset, small):
        with time_machine.travel(START, tick=False):
            image = rater.api().get(NEW).json()["id"]
            assert statuses(lambda: rater.api().get(NEW), 2) == [200, 429]
            assert post(rater.api(), image).status_code == 201
            assert post(rater.api(), image).status_code == 403
            assert assert_refused(post(rater.api(), image), status=403)["rc"] == "RateLimited"
        assert Rating.objects.count() == 1

    def test_refused_is_decided_before_anything_is_read_or_stored(self, rater, dataset, small):
        with time_machine.travel(START, tick=False):
            for body in (b"{", b"", b"["):
                answer = rater.api().post("/api/v1/rating/x", body, content_type="application/json")
            assert_refused(answer, status=403)
        assert not Rating.objects.exists()

    def test_everybody_has_their_own(self, rater, outsider, dataset, small):
        with time_machine.travel(START, tick=False):
            assert statuses(lambda: rater.api().get(NEW), 3) == [200, 200, 429]
            assert outsider.api().get(NEW).status_code == 200
            assert Client().get(NEW).status_code == 200

    def test_all_keys_of_a_person_and_their_session_share_one(self, rater, dataset, small):
        _, another = create_api_key(user=rater.user, name="another", now=timezone.now())
        with time_machine.travel(START, tick=False):
            assert rater.api().get(NEW).status_code == 200
            assert Client().get(NEW, headers={"apikey": another}).status_code == 200
            assert rater.web().get(RATE).status_code == 429

    def test_people_behind_the_shared_key_are_told_apart_by_address(self, dataset, small):
        def ask(address):
            return Client(REMOTE_ADDR=address).get(NEW)

        with time_machine.travel(START, tick=False):
            assert statuses(lambda: ask("192.0.2.1"), 3) == [200, 200, 429]
            assert ask("192.0.2.2").status_code == 200
            assert [ask(f"2001:db8:0:1::{n}").status_code for n in (1, 2, 3)] == [200, 200, 429]
            assert ask("2001:db8:0:2::1").status_code == 200

    def test_accounts_at_one_address_do_not_stand_in_each_others_way(self, dataset, small):
        people = [make_person() for _ in range(5)]
        with time_machine.travel(START, tick=False):
            assert [person.api().get(NEW).status_code for person in people] == [200] * 5

    def test_no_address_is_kept(self, dataset):
        Client(REMOTE_ADDR="192.0.2.99").get(NEW)
        Client(REMOTE_ADDR="192.0.2.99").get(NEW, headers={"apikey": "wrong"})
        names = [name.decode() for name in get_client().keys("kudoscope:limit:*")]
        assert len(names) == 2
        assert not any("192.0.2.99" in name for name in names)

    def test_without_valkey_everybody_passes(self, rater, dataset, settings, small):
        settings.REDIS_URL = NO_VALKEY
        answers = [rater.api().get(NEW) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 5
        assert not answers[0].has_header("RateLimit-Limit")

    def test_they_can_be_switched_off(self, rater, dataset, settings, small):
        settings.LIMITS_ENABLED = False
        assert statuses(lambda: rater.api().get(NEW), 5) == [200] * 5

    def test_a_page_elsewhere_may_read_them(self, rater, dataset, small):
        with time_machine.travel(START, tick=False):
            origin = {"Origin": "https://artbot.example"}
            answers = [rater.api().get(NEW, headers=origin) for _ in range(3)]
        for answer in answers:
            exposed = answer["Access-Control-Expose-Headers"].split(", ")
            assert {name.lower() for name in FIELDS} | {"retry-after"} <= set(exposed)
            assert answer["Access-Control-Allow-Origin"] == "*"
        assert answers[-1].status_code == 429

    def test_a_relay_is_limited_by_its_address_and_generously(self, db, settings):
        settings.RELAY_NETWORKS = read_networks("test", ["127.0.0.0/8", "192.0.2.0/24"])

        def send(address="127.0.0.1"):
            client = Client(REMOTE_ADDR=address)
            return client.post("/api/v1/rating/set", b"{}", content_type="application/json")

        assert send()["RateLimit-Limit"] == "600"
        settings.LIMITS = dict.fromkeys(LIMITS, Limit(8, 60, 2))
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=False):
            assert statuses(send, 3) == [400, 400, 429]
            assert_refused(send())
            assert send("192.0.2.1").status_code == 400

    def test_too_many_leases_looks_the_same(self, rater, dataset, monkeypatch):
        monkeypatch.setattr("ratings.leases.book.FREE_LEASES", 0)
        monkeypatch.setattr("ratings.leases.book.LEASES_PER_RATING", 0)
        first = rater.api().get(NEW).json()["id"]
        post(rater.api(), first)
        answer = rater.api().get(NEW)
        assert (answer.status_code, answer["Retry-After"], answer.json()["rc"]) == (429, "60", "TooManyLeases")


@pytest.mark.parametrize("path", ["/api/", "/api/openapi.json", "/healthz", "/robots.txt", "/downloads/", "/"])
def test_what_costs_little_is_not_limited(dataset, small, path):
    answers = [Client().get(path) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not answers[0].has_header("RateLimit-Limit")


class TestBadKeys:
    """A key that is none, many times from one address."""

    @pytest.fixture
    def burst(self):
        return LIMITS["bad_key"].burst

    @pytest.mark.parametrize("key", ["x", "A" * 22, "0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15"])
    def test_it_works(self, dataset, burst, key):
        with time_machine.travel(START, tick=False):
            answers = [Client().get(NEW, headers={"apikey": key}) for _ in range(burst + 5)]
        assert [answer.status_code for answer in answers] == [401] * burst + [429] * 5
        assert_refused(answers[-1], seconds=6)

    def test_guessing_different_ones_is_slow_too_and_asks_the_database_nothing(
        self, dataset, burst, django_assert_num_queries
    ):
        def guess():
            return Client().get(NEW, headers={"apikey": uuid.uuid4().hex[:22]})

        with time_machine.travel(START, tick=False) as clock:
            assert statuses(guess, burst) == [401] * burst
            with django_assert_num_queries(0):
                assert statuses(guess, 5) == [429] * 5
            clock.shift(6)
            assert statuses(guess, 2) == [401, 429]

    def test_others_at_the_address_go_on_with_keys_that_are_known(self, rater, dataset, burst):
        with time_machine.travel(START, tick=False) as clock:
            rater.api().get(NEW)
            assert statuses(lambda: Client().get(NEW, headers={"apikey": "x"}), burst + 1)[-1] == 429
            assert rater.api().get(NEW).status_code == 200
            assert Client().get(NEW).status_code == 200
            # A right key that nobody has used lately has to wait with them.
            other = make_person()
            assert other.api().get(NEW).status_code == 429
            clock.shift(6)
            assert other.api().get(NEW).status_code == 200

    def test_other_addresses_are_not_meant(self, dataset, burst):
        with time_machine.travel(START, tick=False):
            statuses(lambda: Client().get(NEW, headers={"apikey": "x"}), burst + 1)
            assert Client(REMOTE_ADDR="192.0.2.7").get(NEW, headers={"apikey": "x"}).status_code == 401

    def test_a_key_without_the_scope_ends_the_same_way(self, rater, dataset, burst):
        _, key = create_api_key(user=rater.user, name="r", scopes=[Scope.READ], now=timezone.now())
        with time_machine.travel(START, tick=False):
            got = statuses(lambda: Client().get(NEW, headers={"apikey": key}), burst + 2)
        assert got == [401] * burst + [429] * 2

    def test_without_valkey_they_are_401_as_ever(self, dataset, settings, burst):
        settings.REDIS_URL = NO_VALKEY
        assert set(statuses(lambda: Client().get(NEW, headers={"apikey": "A" * 22}), burst + 5)) == {401}


class TestRefused:
    """Who may not do it anyway: they are counted as everybody is."""

    def test_sets_without_a_key(self, db, small):
        def send():
            return Client().post("/api/v1/rating/set", b"{}", content_type="application/json")

        with time_machine.travel(START, tick=False):
            assert statuses(send, 4) == [401, 401, 429, 429]

    def test_a_key_that_does_not_moderate_costs_no_user_and_then_nothing(self, rater, small, django_assert_num_queries):
        client = rater.api()
        with time_machine.travel(START, tick=False):
            assert client.get("/api/v1/user/check/5").status_code == 403
            with django_assert_num_queries(0):
                assert statuses(lambda: client.get("/api/v1/user/check/5"), 3) == [403, 429, 429]

    def test_no_key_where_moderators_ask(self, db, small):
        with time_machine.travel(START, tick=False):
            assert statuses(lambda: Client().post("/api/v1/user/flag/5"), 3) == [401, 401, 429]

    def test_a_key_that_may_not_rate(self, rater, dataset, small):
        _, key = create_api_key(user=rater.user, name="r", scopes=[Scope.READ], now=timezone.now())
        client = Client(headers={"apikey": key})
        with time_machine.travel(START, tick=False):
            answers = [post(client, uuid.uuid4()) for _ in range(3)]
        assert answers[0].json()["rc"] == "permission_denied"
        assert answers[2].json()["rc"] == "RateLimited"

    def test_who_is_let_in_is_counted_once(self, rater, dataset, small):
        with time_machine.travel(START, tick=False):
            assert rater.api().get(NEW)["RateLimit-Remaining"] == "1"


def read_form(response):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', response.content.decode()))


class TestPage:
    """The rating page, as a form and as its script speaks to it."""

    @pytest.fixture
    def browser(self, dataset):
        browser = Client()
        browser.get(RATE)
        get_client().flushdb()
        return browser

    def test_hammering_gets_a_page_in_words(self, browser, small):
        with time_machine.travel(START, tick=False):
            assert statuses(lambda: browser.get(RATE), 2) == [200, 200]
            answer = browser.get(RATE)
        text = answer.content.decode()
        assert (answer.status_code, answer["Content-Type"]) == (429, "text/html; charset=utf-8")
        assert (answer["Retry-After"], answer["RateLimit-Remaining"]) == ("10", "0")
        assert "<h1>Too many requests</h1>" in text
        assert "Wait 10 seconds, then try again." in text
        assert "no-store" in answer["Cache-Control"]

    def test_the_script_gets_json(self, browser, small):
        with time_machine.travel(START, tick=False):
            assert statuses(lambda: browser.get(RATE, headers=JSON), 2) == [200, 200]
            assert_refused(browser.get(RATE, headers=JSON))

    def test_an_answer_without_script_is_shown_again_as_it_was(self, browser, small):
        with time_machine.travel(START, tick=False) as clock:
            form = read_form(browser.get(RATE)) | {"action": "submit", "aesthetic": 7, "artifacts": 2}
            wrong = form | {"lease": "x"}
            assert statuses(lambda: browser.post(RATE, wrong), 2) == [303, 303]
            answer = browser.post(RATE, form)
            text = answer.content.decode()
            assert (answer.status_code, answer["Retry-After"]) == (429, "10")
            assert "Wait 10 seconds, then try again." in text
            assert re.search(r'name="aesthetic"\s+value="7"[^>]* checked', text)
            assert re.search(r'name="artifacts"\s+value="2"[^>]* checked', text)
            clock.shift(10)
            assert browser.post(RATE, read_form(answer) | form).status_code == 303
        assert Rating.objects.get().aesthetic == 7

    def test_an_answer_of_the_script_is_refused_in_json_and_not_stored(self, browser, small):
        with time_machine.travel(START, tick=False):
            form = read_form(browser.get(RATE)) | {"action": "submit", "aesthetic": 7}
            statuses(lambda: browser.post(RATE, form | {"lease": "x"}, headers=JSON), 2)
            assert_refused(browser.post(RATE, form, headers=JSON))
            assert_refused(browser.post(RATE, form | {"action": "skip"}, headers=JSON))
        assert not Rating.objects.exists()

    def test_browsers_without_cookies_at_one_address_share_a_limit(self, dataset, settings):
        settings.LIMITS = LIMITS | {"rating_new_crowd": Limit(8, 60, 3)}
        with time_machine.travel(START, tick=False):
            assert [Client().get(RATE).status_code for _ in range(4)] == [200, 200, 200, 429]
            assert Client(REMOTE_ADDR="192.0.2.7").get(RATE).status_code == 200
            assert make_person().web().get(RATE).status_code == 200

    def test_a_head_request_costs_nothing(self, browser, small):
        assert statuses(lambda: browser.head(RATE), 5) == [200] * 5

    def test_signing_in_too_often_is_the_same_page(self, db):
        for _ in range(25):
            answer = Client().post("/accounts/signup/", {})
        assert (answer.status_code, answer["Retry-After"]) == (429, "60")
        assert "<h1>Too many requests</h1>" in answer.content.decode()


def rate_as_the_page_does(caller, moment):
    """Answer, and when work is asked for, do it at once: nobody who works is made to wait."""
    try:
        admit_caller(caller=caller, action=Action.RATE, now=moment)
    except ProofOfWorkNeeded as needed:
        admit_caller(caller=caller, action=Action.RATE, now=moment, proof=solve(needed.challenge))


class TestFastHuman:
    """One rating every 0.7 seconds, for minutes, and four images fetched ahead: never refused."""

    MINUTES = 5

    @pytest.fixture(autouse=True)
    def _little_work(self, monkeypatch):
        monkeypatch.setattr(proof_of_work, "MOST_TRIES", 300)

    def callers(self):
        return [make_person().caller, browser_caller("b" * 32, "a" * 32), shared_caller("c" * 32)]

    def test_whoever_it_is(self, db):
        for caller in self.callers():
            moment = START
            for _ in range(4):
                admit_caller(caller=caller, action=Action.TAKE_IMAGE, now=moment)
            while moment < START + timedelta(minutes=self.MINUTES):
                moment += timedelta(seconds=0.7)
                rate_as_the_page_does(caller, moment)
                for _ in range(4):
                    admit_caller(caller=caller, action=Action.TAKE_IMAGE, now=moment)

    def test_ten_of_them_behind_one_address_without_accounts(self, db):
        people = [browser_caller(f"{number:032}", "a" * 32) for number in range(10)]
        for step in range(400):
            for caller in people:
                moment = START + timedelta(seconds=step * 1.1)
                rate_as_the_page_does(caller, moment)
                admit_caller(caller=caller, action=Action.TAKE_IMAGE, now=moment)

    def test_three_times_as_fast_is_a_script(self, db):
        caller = make_person().caller

        def rate(step):
            admit_caller(caller=caller, action=Action.RATE, now=START + timedelta(seconds=step * 0.23))

        for step in range(40):
            rate(step)
        with pytest.raises(RateLimited):
            list(map(rate, range(40, 2000)))

    @pytest.mark.slow
    def test_over_http(self, rater, dataset):
        """As rate.js does it, for a minute: an image and the next ahead, then an answer brings one more."""
        make_images(dataset, 100)
        web = rater.web()
        with time_machine.travel(START, tick=False) as clock:
            ahead = web.get(f"{RATE}?count=4", headers=JSON).json()["images"]
            for _ in range(85):
                clock.shift(0.7)
                image = ahead.pop(0)
                form = {"image_id": image["image_id"], "lease": image["lease"], "action": "submit", "aesthetic": 7}
                answer = web.post(RATE, form | {"idempotency_key": str(uuid.uuid4())}, headers=JSON)
                assert answer.status_code == 200
                ahead += web.get(f"{RATE}?count=1", headers=JSON).json()["images"]
        assert Rating.objects.count() == 85


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_at_once_always_pass(rater, dataset):
    """As stable-ui begins: two GETs in parallel."""
    barrier = Barrier(2)

    def ask(_):
        barrier.wait()
        try:
            return rater.api().get(NEW)
        finally:
            connection.close()

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(ask, range(2))
        assert (one.status_code, other.status_code) == (200, 200)
        assert one.json()["id"] != other.json()["id"]


def test_every_action_has_a_limit():
    assert {action.value for action in Action} <= current.LIMITS.keys()


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("rating/new", Action.TAKE_IMAGE),
        ("rating/new/demo/stable_diffusion%202.1", Action.TAKE_IMAGE),
        ("rating/0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15", Action.RATE),
        ("rating/newer", Action.RATE),
        ("rating/set", Action.RELAY),
        ("rating/set/", Action.RELAY),
        ("datasets", Action.READ),
        ("user/ratings/", Action.READ),
        ("image/ratings/x", Action.READ),
        ("", Action.READ),
    ],
)
def test_what_a_path_asks_for(path, action):
    assert action_of(f"/api/v1/{path}") == action


def test_every_operation_of_the_document_says_so():
    document = SchemaGenerator().get_schema(request=None, public=True)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) >= 2
    for operation in operations:
        limited = "403" if operation["operationId"] == "postRate" else "429"
        assert {*FIELDS, "Retry-After"} == operation["responses"][limited]["headers"].keys()
        assert ("429" in operation["responses"]) == (limited == "429")
        for status in operation["responses"]:
            if status.startswith("2"):
                assert set(FIELDS) <= operation["responses"][status]["headers"].keys()


@pytest.mark.parametrize("view", list(api_views().values()), ids=lambda kind: kind.__name__)
def test_no_operation_does_without(view):
    assert CallerLimits in view.throttle_classes
    assert issubclass(view, ApiView)
