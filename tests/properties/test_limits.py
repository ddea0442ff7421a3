"""Limits, whatever the times of arrival: never more than the limit in any window, and never a refusal below the pace."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from accounts.limits import Demand, RateLimited, check_limits, take_from_limits
from config.settings.limits import LIMITS as TABLE
from config.settings.limits import Limit

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
_names = count()
# Small ones, so that they are met often.
LIMITS = st.builds(
    lambda burst, more, seconds: Limit(burst + more, seconds, burst),
    st.integers(min_value=1, max_value=6),
    st.integers(min_value=1, max_value=8),
    st.integers(min_value=1, max_value=20),
)
# Milliseconds until the next request: most often at once or soon.
GAPS = st.lists(st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 30_000)), min_size=1, max_size=40)
with_fixtures = tried(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


@pytest.fixture
def limits(settings):
    """Return a way to set a limit of a name of its own, for somebody new."""

    def make(*some):
        names = [f"limit-{number}" for number, _ in enumerate(some)]
        settings.LIMITS = dict(zip(names, some, strict=True))
        return [Demand(name, f"somebody-{START.timestamp()}-{id(settings)}-{next(_names)}") for name in names]

    return make


def passes(demands, moment):
    try:
        return take_from_limits(demands=demands, now=moment) is not None
    except RateLimited:
        return False


def moments(gaps):
    moment = START
    for gap in gaps:
        moment += timedelta(milliseconds=gap)
        yield moment


def most_in_a_window(times, seconds):
    """Return the largest number of times within any closed stretch of so many seconds."""
    ordered = sorted(times)
    ends = (bisect_right(ordered, start + timedelta(seconds=seconds)) for start in ordered)
    return max((end - index for index, end in enumerate(ends)), default=0)


@given(limit=LIMITS, gaps=GAPS)
@with_fixtures
def test_never_more_than_the_limit_in_any_window(limits, limit, gaps):
    demands = limits(limit)
    admitted = [moment for moment in moments(gaps) if passes(demands, moment)]
    event(f"refused some: {len(admitted) < len(gaps)}")
    assert most_in_a_window(admitted, limit.seconds) <= limit.most
    assert most_in_a_window(admitted, 0) <= limit.burst


@given(limit=LIMITS, gaps=GAPS, order=st.randoms(use_true_random=False))
@with_fixtures
def test_also_when_clocks_differ_and_requests_overtake_one_another(limits, limit, gaps, order):
    demands, times = limits(limit), list(moments(gaps))
    order.shuffle(times)
    admitted = [moment for moment in times if passes(demands, moment)]
    assert most_in_a_window(admitted, limit.seconds) <= limit.most


@given(limit=LIMITS, waits=st.lists(st.integers(0, 5_000), max_size=30), ahead=st.integers(0, 5))
@with_fixtures
def test_who_keeps_below_the_pace_is_never_refused(limits, limit, waits, ahead):
    """A burst, which need not be whole, then one after another at the pace or slower."""
    demands = limits(limit)
    pace = timedelta(seconds=limit.seconds / (limit.most - limit.burst)) + timedelta(microseconds=1)
    assert all(passes(demands, START) for _ in range(min(ahead, limit.burst - 1)))
    moment = START
    for wait in waits:
        moment += pace + timedelta(milliseconds=wait)
        assert passes(demands, moment)


@given(some=st.lists(LIMITS, min_size=2, max_size=4), gaps=GAPS)
@with_fixtures
def test_several_limits_all_hold_and_what_one_refuses_costs_the_others_nothing(limits, some, gaps):
    demands = limits(*some)
    admitted = []
    for moment in moments(gaps):
        before = [left(demand, moment) for demand in demands]
        if passes(demands, moment):
            admitted.append(moment)
            assert all(before)
        else:
            assert [left(demand, moment) for demand in demands] == before
            assert not all(before)
    for limit in some:
        assert most_in_a_window(admitted, limit.seconds) <= limit.most


def left(demand, moment):
    try:
        return check_limits(demands=[demand], now=moment).remaining
    except RateLimited:
        return 0


@given(limit=LIMITS, gaps=GAPS)
@with_fixtures
def test_who_waits_as_told_is_let_pass(limits, limit, gaps):
    demands = limits(limit)
    for moment in moments(gaps):
        if wait := told_to_wait(demands, moment):
            event("refused")
            assert wait == timedelta(seconds=round(wait.total_seconds()))
            assert passes(demands, moment + wait)
            break


def told_to_wait(demands, moment):
    try:
        take_from_limits(demands=demands, now=moment)
    except RateLimited as error:
        return timedelta(seconds=error.retry_after)
    return None


@pytest.mark.parametrize("name", ["rating_new", "rating", "bad_key"])
def test_who_asks_all_the_time_gets_what_the_table_says(limits, name):
    """Four requests for each that may pass, for two windows; where an interval is rounded up it may be one fewer."""
    limit = TABLE[name]
    demands = limits(limit)
    asked = 4 * (limit.most - limit.burst)
    step = timedelta(seconds=limit.seconds) / asked
    times = [START] * limit.burst + [START + step * number for number in range(2 * asked + 1)]
    admitted = [moment for moment in times if passes(demands, moment)]
    assert limit.most - 1 <= most_in_a_window(admitted, limit.seconds) <= limit.most
    assert len(admitted) >= limit.burst + 2 * (limit.most - limit.burst) - 2
