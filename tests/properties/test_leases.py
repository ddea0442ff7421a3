"""Lease tokens: what was signed comes back, for its holder and in its time, and nothing else does."""

import base64
import uuid
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ratings.leases.token import (
    ACCEPTED_MS,
    CLOCK_SKEW_MS,
    LIVE_MS,
    TOKEN_BYTES,
    Lease,
    LeaseInvalid,
    new_lease_id,
    sign_lease,
    verify_lease,
)

TIMES = st.integers(min_value=0, max_value=2**48 - 1)
HOLDERS = st.one_of(
    st.integers(min_value=1).map("user:{}".format),
    st.uuids().map(lambda value: f"browser:{value.hex}"),
    st.binary(min_size=16, max_size=16).map(lambda value: f"address:{value.hex()}"),
    st.text(max_size=40),
)


@st.composite
def leases(draw, times=TIMES):
    lease_id = new_lease_id(now_ms=draw(times), dice=Random(draw(st.integers())))
    return Lease(lease_id, draw(st.uuids()), draw(st.integers(min_value=0, max_value=255)))


def is_refused(token, *, holder, now_ms):
    try:
        verify_lease(token, holder=holder, now_ms=now_ms)
    except LeaseInvalid:
        return True
    return False


def raw_of(token):
    return base64.urlsafe_b64decode(token + "==")


def token_of(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(leases(), HOLDERS)
def test_it_works(lease, holder):
    token = sign_lease(lease, holder)
    assert verify_lease(token, holder=holder, now_ms=lease.issued_ms) == lease
    assert len(raw_of(token)) == TOKEN_BYTES
    assert len(token) <= 100
    assert token.isascii()


@given(TIMES, st.integers())
def test_an_id_is_a_uuid7_that_says_when_it_was_issued(now_ms, seed):
    lease_id = new_lease_id(now_ms=now_ms, dice=Random(seed))
    assert (lease_id.version, lease_id.variant) == (7, uuid.RFC_4122)
    assert Lease(lease_id, uuid.UUID(int=0), 1).issued_ms == now_ms


@given(TIMES, TIMES, st.integers())
def test_ids_sort_by_time(one, other, seed):
    assume(one != other)
    dice = Random(seed)
    ids = [new_lease_id(now_ms=moment, dice=dice) for moment in sorted((one, other))]
    assert ids == sorted(ids)


@given(leases(), HOLDERS, st.integers(min_value=0, max_value=TOKEN_BYTES * 8 - 1))
def test_a_flipped_bit_is_refused(lease, holder, bit):
    raw = bytearray(raw_of(sign_lease(lease, holder)))
    raw[bit // 8] ^= 1 << bit % 8
    assert is_refused(token_of(bytes(raw)), holder=holder, now_ms=lease.issued_ms)


@given(leases(), HOLDERS, st.data())
def test_another_letter_anywhere_is_refused_or_means_the_same(lease, holder, data):
    """Base64 leaves bits of the last letter unused; whatever is accepted must be the very same lease."""
    token = sign_lease(lease, holder)
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    spoilt = token[:place] + data.draw(st.characters()) + token[place + 1 :]
    if not is_refused(spoilt, holder=holder, now_ms=lease.issued_ms):
        assert raw_of(spoilt) == raw_of(token)


@given(leases(), HOLDERS, st.data())
def test_a_part_of_a_token_is_refused(lease, holder, data):
    token = sign_lease(lease, holder)
    start = data.draw(st.integers(min_value=0, max_value=len(token)))
    end = data.draw(st.integers(min_value=start, max_value=len(token)))
    assume((start, end) != (0, len(token)))
    assert is_refused(token[start:end], holder=holder, now_ms=lease.issued_ms)


@given(leases(), HOLDERS, st.text(min_size=1, max_size=8))
def test_more_than_a_token_is_refused(lease, holder, more):
    token = sign_lease(lease, holder)
    assume(more.strip("="))
    assert is_refused(token + more, holder=holder, now_ms=lease.issued_ms)
    assert is_refused(more + token, holder=holder, now_ms=lease.issued_ms)


@given(leases(), HOLDERS, HOLDERS)
def test_somebody_elses_is_refused(lease, holder, other):
    assume(holder != other)
    assert is_refused(sign_lease(lease, holder), holder=other, now_ms=lease.issued_ms)


@given(st.text(max_size=200), HOLDERS, TIMES)
def test_nonsense_is_refused(text, holder, now_ms):
    assert is_refused(text, holder=holder, now_ms=now_ms)


@given(st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES), HOLDERS)
def test_a_token_of_the_right_length_is_refused_without_the_key(raw, holder):
    assert is_refused(token_of(raw), holder=holder, now_ms=int.from_bytes(raw[:6], "big"))


@given(leases(), HOLDERS, st.integers(min_value=-(10**12), max_value=10**12))
def test_it_is_accepted_for_a_week_and_a_minute_before_its_time(lease, holder, later):
    token = sign_lease(lease, holder)
    is_in_time = -CLOCK_SKEW_MS <= later <= ACCEPTED_MS
    assert is_refused(token, holder=holder, now_ms=lease.issued_ms + later) is not is_in_time


@pytest.mark.parametrize(
    ("later", "accepted"),
    [(-CLOCK_SKEW_MS - 1, False), (-CLOCK_SKEW_MS, True), (ACCEPTED_MS, True), (ACCEPTED_MS + 1, False)],
)
@given(lease=leases())
@settings(max_examples=10)
def test_the_limits_are_exact(later, accepted, lease):
    token = sign_lease(lease, "user:1")
    assert is_refused(token, holder="user:1", now_ms=lease.issued_ms + later) is not accepted


@given(leases(), st.one_of(st.integers(0, ACCEPTED_MS), st.sampled_from([LIVE_MS, LIVE_MS + 1])))
def test_an_answer_is_late_when_the_live_lease_has_ended(lease, later):
    assert lease.is_late(lease.issued_ms + later) is (later > LIVE_MS)


@given(leases(times=st.integers(min_value=0, max_value=4_000_000_000_000)))
def test_the_time_of_issue_is_exact(lease):
    assert round(lease.issued_at.timestamp() * 1000) == lease.issued_ms


def test_another_key_signs_other_tokens(settings):
    lease = Lease(new_lease_id(now_ms=0, dice=Random(1)), uuid.UUID(int=1), 1)
    token = sign_lease(lease, "user:1")
    assert not is_refused(token, holder="user:1", now_ms=0)
    settings.LEASE_KEY = "another key of fifty characters, more or less, for a test"
    assert is_refused(token, holder="user:1", now_ms=0)
