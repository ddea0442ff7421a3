"""Limits: one or all, how long to wait, and what happens when many ask at once or Valkey does not answer."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier

import pytest
from prometheus_client import REGISTRY

from accounts import valkey
from accounts.limits import Demand, RateLimited, check_limits, take_from_limits
from accounts.valkey import get_client
from config.embedded import CHECKOUT
from config.settings.limits import LIMITS, Limit
from tests.exports.child import child_environment
from tests.outages import NO_VALKEY, frozen, own_valkey

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
BURST = LIMITS["rating"].burst
PACE = timedelta(seconds=LIMITS["rating"].seconds / (LIMITS["rating"].most - BURST))
_names = count()


@pytest.fixture(autouse=True)
def _closed_breaker():
    valkey._breaker.__init__()
    yield
    valkey._breaker.__init__()


@pytest.fixture
def me():
    """Somebody whom no other test has asked for."""
    return f"user:{next(_names)}-{id(object())}-{datetime.now(UTC).timestamp()}"


def take(subject, *, limit="rating", after=timedelta(0), also=()):
    demands = [Demand(limit, subject), *also]
    return take_from_limits(demands=demands, now=START + after)


def use_up(subject, *, limit="rating", after=timedelta(0)):
    for _ in range(LIMITS[limit].burst):
        take(subject, limit=limit, after=after)


def refusal(subject, **options):
    with pytest.raises(RateLimited) as caught:
        take(subject, **options)
    return caught.value


def test_it_works(me):
    use_up(me)
    error = refusal(me)
    assert str(error) == "Too many requests. Wait 1 second, then try again."
    assert error.retry_after == 1
    assert take(me, after=PACE)


def test_it_says_what_is_left(me):
    first = take(me)
    assert (first.burst, first.remaining, first.reset, first.window) == (BURST, BURST - 1, 1, 12)
    assert take(me).remaining == BURST - 2
    assert take(me, after=timedelta(seconds=60)).remaining == BURST - 1


def test_the_header_fields_are_those_that_clients_read_and_those_of_the_draft(me):
    assert take(me).as_headers() == {
        "RateLimit-Limit": "40",
        "RateLimit-Remaining": "39",
        "RateLimit-Reset": "1",
        "RateLimit-Policy": '"rating";q=40;w=12',
        "RateLimit": '"rating";r=39;t=1',
    }
    use_up(me, after=timedelta(minutes=5))
    assert refusal(me, after=timedelta(minutes=5)).as_headers() == {
        "Retry-After": "1",
        "RateLimit-Limit": "40",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "1",
        "RateLimit-Policy": '"rating";q=40;w=12',
        "RateLimit": '"rating";r=0;t=1',
    }


def test_who_waits_as_told_is_let_pass_and_no_refusal_costs_anything(me):
    use_up(me, limit="bad_key")
    for _ in range(50):
        wait = refusal(me, limit="bad_key").retry_after
    assert wait == 6
    refusal(me, limit="bad_key", after=timedelta(seconds=wait - 1))
    assert take(me, limit="bad_key", after=timedelta(seconds=wait)).remaining == 0


def test_everybody_has_their_own(me):
    use_up(me)
    assert take(f"{me}-another").remaining == BURST - 1
    assert take(me, limit="read").remaining == LIMITS["read"].burst - 1


def test_of_several_limits_each_gives_one_or_none_does(me):
    crowd = Demand("rating_crowd", f"{me}-crowd")
    use_up(me)
    for _ in range(10):
        assert refusal(me, also=[crowd]).allowance.limit == "rating"
    assert take_from_limits(demands=[crowd], now=START).remaining == LIMITS["rating_crowd"].burst - 1


def test_of_several_limits_the_nearest_is_told_and_the_longest_wait(me):
    near, far = Demand("bad_key", me), Demand("read", me)
    assert take_from_limits(demands=[far, near], now=START).limit == "bad_key"
    for _ in range(LIMITS["read"].burst - 1):
        take(me, limit="read")
    assert refusal(me, limit="read", also=[near]).retry_after == 1
    for _ in range(LIMITS["bad_key"].burst - 1):
        take(me, limit="bad_key")
    assert refusal(me, limit="read", also=[near]).retry_after == 6


def test_to_look_costs_nothing_and_refuses_as_well(me):
    demands = [Demand("bad_key", me)]
    for _ in range(30):
        assert check_limits(demands=demands, now=START).remaining == LIMITS["bad_key"].burst
    use_up(me, limit="bad_key")
    with pytest.raises(RateLimited):
        check_limits(demands=demands, now=START)


def test_a_clock_that_goes_back_opens_nothing(me):
    use_up(me, after=timedelta(seconds=30))
    assert refusal(me, after=timedelta(seconds=0)).retry_after == 31
    assert refusal(me, after=timedelta(seconds=-3600))


def test_nothing_stays_behind_for_long(me):
    use_up(me)
    [name] = get_client().keys(f"*{me}")
    assert 0 < get_client().pttl(name) <= (LIMITS["rating"].seconds + 12) * 1000


def test_a_refusal_is_counted_by_the_name_of_its_limit(me):
    def counted():
        return REGISTRY.get_sample_value("kudoscope_limited_total", {"limit": "rating"}) or 0

    before = counted()
    use_up(me)
    assert counted() == before
    refusal(me)
    assert counted() == before + 1


def test_the_table_of_the_settings_is_what_holds(me, settings):
    settings.LIMITS = LIMITS | {"rating": Limit(3, 10, 1)}
    assert take(me).remaining == 0
    assert refusal(me).retry_after == 5


def test_they_can_be_switched_off(me, settings):
    settings.LIMITS_ENABLED = False
    assert [take(me) for _ in range(BURST + 5)] == [None] * (BURST + 5)


def test_a_script_that_valkey_has_forgotten_is_sent_again(me):
    take(me)
    get_client().script_flush()
    assert take(me).remaining == BURST - 2


class TestValkeyDown:
    """Everybody is let pass, it is counted, and nobody waits."""

    def failures(self):
        return REGISTRY.get_sample_value("kudoscope_valkey_failures_total", {"operation": "limits"}) or 0

    def test_out_of_reach(self, me, settings):
        settings.REDIS_URL = NO_VALKEY
        before = self.failures()
        assert [take(me) for _ in range(BURST + 5)] == [None] * (BURST + 5)
        assert self.failures() == before + BURST + 5

    @pytest.mark.slow
    def test_silent(self, me, settings):
        settings.VALKEY_TIMEOUT_SECONDS = 0.1
        with own_valkey(settings):
            assert take(me).remaining == BURST - 1
            process_id = get_client().info("server")["process_id"]
            with frozen(process_id):
                begun = datetime.now(UTC)
                assert [take(me) for _ in range(20)] == [None] * 20
                assert datetime.now(UTC) - begun < timedelta(seconds=5)


def passed(subject):
    try:
        take(subject)
    except RateLimited:
        return False
    return True


@pytest.mark.slow
def test_threads_at_once_get_no_more_than_one_after_the_other(me):
    threads, each = 8, 20
    barrier = Barrier(threads)

    def hammer(_):
        barrier.wait()
        return sum(passed(me) for _ in range(each))

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(hammer, range(threads))) == BURST


HAMMER = """
import django, sys
django.setup()
from datetime import datetime
from accounts.limits import Demand, RateLimited, take_from_limits
now, subject, count = datetime.fromisoformat(sys.argv[1]), sys.argv[2], 0
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    try:
        take_from_limits(demands=[Demand("rating", subject), Demand("rating_crowd", subject)], now=now)
        count += 1
    except RateLimited:
        pass
print(count, flush=True)
"""


@pytest.mark.slow
@pytest.mark.django_db
def test_two_processes_at_once_share_a_limit(me):
    command = [sys.executable, "-c", HAMMER, START.isoformat(), me]
    environment = child_environment()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    children = [subprocess.Popen(command, cwd=CHECKOUT, env=environment, text=True, **pipes) for _ in range(2)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 2
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    counts = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(counts) == BURST
    assert take_from_limits(demands=[Demand("rating_crowd", me)], now=START).remaining == (
        LIMITS["rating_crowd"].burst - BURST - 1
    )
