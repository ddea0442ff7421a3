"""The one connection to Valkey: what it waits for, when it stops asking, and what is counted."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings as current
from prometheus_client import REGISTRY

from accounts import valkey
from accounts.valkey import FAILURES_BEFORE_OPENING, ValkeyUnavailable, ask_valkey, get_client
from tests.outages import NO_VALKEY, frozen, own_valkey


@pytest.fixture(autouse=True)
def _closed_breaker():
    valkey._breaker.__init__()
    yield
    valkey._breaker.__init__()


@pytest.fixture
def up(settings):
    return settings.REDIS_URL


@pytest.fixture
def down(settings):
    settings.REDIS_URL = NO_VALKEY


@pytest.fixture
def own(settings):
    with own_valkey(settings):
        yield get_client()


class Question:
    """Something to ask that takes a while; counts how often it was really asked."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.asked = 0
        self.lock = threading.Lock()

    def __call__(self, client):
        with self.lock:
            self.asked += 1
        time.sleep(self.seconds)
        return client.ping()


def fail(question, times=1):
    for _ in range(times):
        with pytest.raises(ValkeyUnavailable):
            ask_valkey("test", question)


def failures_counted():
    return REGISTRY.get_sample_value("kudoscope_valkey_failures_total", {"operation": "test"}) or 0


def test_it_works(up):
    assert ask_valkey("test", lambda client: client.echo("hello")) == b"hello"


def test_what_cannot_be_reached_is_said_and_counted(down):
    before = failures_counted()
    fail(Question(), 2)
    assert failures_counted() == before + 2


def test_the_breaker_opens_after_three_failures_in_a_row(down):
    question = Question()
    before = failures_counted()
    fail(question, FAILURES_BEFORE_OPENING + 5)
    assert question.asked == FAILURES_BEFORE_OPENING
    assert failures_counted() == before + FAILURES_BEFORE_OPENING + 5


def test_failures_that_are_not_in_a_row_do_not_open_it(settings, up):
    question = Question()
    for _ in range(4):
        settings.REDIS_URL = NO_VALKEY
        fail(question, FAILURES_BEFORE_OPENING - 1)
        settings.REDIS_URL = up
        assert ask_valkey("test", question)
    assert question.asked == 4 * FAILURES_BEFORE_OPENING


def test_an_open_breaker_does_not_ask_even_when_valkey_is_back(settings, up, down):
    question = Question()
    fail(question, FAILURES_BEFORE_OPENING)
    settings.REDIS_URL = up
    fail(question)
    assert question.asked == FAILURES_BEFORE_OPENING


def test_the_breaker_closes_after_a_while(settings, up, down, monkeypatch):
    monkeypatch.setattr(valkey._breaker, "open_seconds", 0.02)
    question = Question()
    fail(question, FAILURES_BEFORE_OPENING)
    settings.REDIS_URL = up
    time.sleep(0.03)
    assert all(ask_valkey("test", question) for _ in range(3))
    settings.REDIS_URL = NO_VALKEY
    fail(question, FAILURES_BEFORE_OPENING)
    assert question.asked == 3 * FAILURES_BEFORE_OPENING


def test_after_a_while_one_call_tries_for_all(down, monkeypatch):
    """A hundred waiting requests must not all wait once more for what one of them can find out."""
    monkeypatch.setattr(valkey._breaker, "open_seconds", 0.02)
    question = Question(seconds=0.05)
    fail(question, FAILURES_BEFORE_OPENING)
    monkeypatch.setattr(valkey._breaker, "open_seconds", 60)
    time.sleep(0.03)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fail(question), range(8)))
    assert question.asked == FAILURES_BEFORE_OPENING + 1


def test_a_mistake_of_ours_is_not_taken_for_an_outage(up):
    before = failures_counted()
    for _ in range(FAILURES_BEFORE_OPENING + 1):
        with pytest.raises(redis.ResponseError):
            ask_valkey("test", lambda client: client.execute_command("NO-SUCH-COMMAND"))
    assert failures_counted() == before
    assert ask_valkey("test", lambda client: client.ping())


def test_a_connection_that_was_cut_meanwhile_is_replaced_without_a_word(own):
    before = failures_counted()
    own_id = ask_valkey("test", lambda client: client.client_id())
    with redis.Redis.from_url(current.REDIS_URL) as other:
        other.client_kill_filter(_id=own_id)
    assert ask_valkey("test", lambda client: client.ping())
    assert failures_counted() == before


def test_a_server_that_hangs_is_waited_for_once_and_briefly(own, settings):
    settings.VALKEY_TIMEOUT_SECONDS = 0.05
    valkey._clients.clear()
    process_id = get_client().info("server")["process_id"]
    question = Question()
    with frozen(process_id):
        started = time.monotonic()
        fail(question, FAILURES_BEFORE_OPENING)
        assert time.monotonic() - started < 1
    assert question.asked == FAILURES_BEFORE_OPENING
    valkey._breaker.__init__()
    assert ask_valkey("test", question)


def test_a_server_that_is_full_is_as_good_as_down(own):
    ask_valkey("test", lambda client: client.set("a", 1))
    own.config_set("maxmemory", 1)
    fail(lambda client: client.set("a", 2))
    fail(lambda client: client.eval("return redis.call('SET', KEYS[1], 2)", 1, "a"))


def test_a_server_that_became_a_replica_is_as_good_as_down(own):
    ask_valkey("test", lambda client: client.set("a", 1))
    own.replicaof("127.0.0.1", 1)
    fail(lambda client: client.set("a", 2))


def test_a_server_that_takes_no_writes_is_as_good_as_down(own):
    """As NOREPLICAS here, so MISCONF when its disk is full: errors for which the library has no class."""
    before = failures_counted()
    own.config_set("min-replicas-to-write", 1)
    fail(lambda client: client.set("a", 1))
    fail(lambda client: client.eval("return redis.call('SET', KEYS[1], 2)", 1, "a"))
    valkey._breaker.__init__()
    fail(lambda client: client.pipeline(transaction=False).set("a", 3).execute())
    assert failures_counted() == before + 3


@pytest.mark.parametrize("words", ["MISCONF Errors", "BUSY a script", "CLUSTERDOWN Hash slot", "MASTERDOWN Link with"])
def test_whatever_it_cannot_do_just_now_is_an_outage(up, words):
    def ask(_):
        raise redis.connection.DefaultParser.parse_error(words)

    fail(ask)


@pytest.mark.parametrize("words", ["BUSYGROUP exists", "WRONGTYPE MISCONF", "ERR BUSY"])
def test_what_only_sounds_like_it_is_none(up, words):
    def ask(_):
        raise redis.ResponseError(words)

    with pytest.raises(redis.ResponseError):
        ask_valkey("test", ask)
