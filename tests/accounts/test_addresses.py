"""Where a client's address is read from, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from django.test import RequestFactory

from accounts.addresses import KEY_PERIOD_DAYS, hash_address, is_address_in, read_client_address

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PERIOD = timedelta(days=KEY_PERIOD_DAYS)


def read(remote="10.0.0.1", forwarded=None):
    request = RequestFactory().get("/", REMOTE_ADDR=remote)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    return read_client_address(request)


def same(one, other, *, then=NOW):
    return hash_address(one, now=NOW) == hash_address(other, now=then)


def test_it_works(settings):
    settings.TRUSTED_PROXY_COUNT = 1
    assert read(forwarded="192.0.2.7") == "192.0.2.7"
    digest = hash_address("192.0.2.7", now=NOW)
    assert len(digest) == 32
    assert int(digest, 16)
    assert same("192.0.2.7", "192.0.2.7")
    assert not same("192.0.2.7", "192.0.2.8")


@pytest.mark.parametrize(
    ("count", "forwarded", "address"),
    [
        (0, None, "10.0.0.1"),
        (0, "192.0.2.7", "10.0.0.1"),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "spoofed, 198.51.100.9, 192.0.2.7", "192.0.2.7"),
        (1, " 192.0.2.7 ", "192.0.2.7"),
        (2, "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (2, "198.51.100.9,192.0.2.7,10.0.0.2", "192.0.2.7"),
        (1, "2001:db8::7", "2001:db8::7"),
    ],
)
def test_only_what_trusted_proxies_appended_is_believed(settings, count, forwarded, address):
    settings.TRUSTED_PROXY_COUNT = count
    assert read(forwarded=forwarded) == address


@pytest.mark.parametrize(("count", "forwarded"), [(1, None), (1, ""), (2, "192.0.2.7"), (3, "a, b")])
def test_a_request_that_came_past_a_proxy_has_no_address(settings, count, forwarded):
    """Its own address would be that of whoever stands between, so everybody there would share it."""
    settings.TRUSTED_PROXY_COUNT = count
    assert read(forwarded=forwarded) == ""


@pytest.fixture
def forwarded(settings):
    """Read the address that so many trusted proxies have written into Forwarded."""
    settings.TRUSTED_PROXY_HEADER = "Forwarded"

    def read_it(value, count=1, **meta):
        settings.TRUSTED_PROXY_COUNT = count
        extra = {} if value is None else {"HTTP_FORWARDED": value}
        return read_client_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **extra, **meta))

    return read_it


@pytest.mark.parametrize(
    ("count", "value", "address"),
    [
        (0, "for=192.0.2.7", "10.0.0.1"),
        (1, "for=192.0.2.7", "192.0.2.7"),
        (1, 'for="192.0.2.7:4711"', "192.0.2.7"),
        (1, 'For="[2001:db8::7]:4711"', "2001:db8::7"),
        (1, 'for="[2001:db8::7]"', "2001:db8::7"),
        (1, 'for="2001:db8::7"', "2001:db8::7"),
        (1, "by=10.0.0.9; FOR=192.0.2.7 ;proto=https;host=x", "192.0.2.7"),
        (1, "for=spoofed, for=192.0.2.7", "192.0.2.7"),
        (1, 'for="a quote that does not end, for=192.0.2.7', "192.0.2.7"),
        (2, "for=spoofed,for=192.0.2.7,for=10.0.0.2", "192.0.2.7"),
        (2, "for=192.0.2.7", ""),
        (1, None, ""),
        (1, "", ""),
        (1, "proto=https", ""),
        (1, "for", ""),
        (1, "for=", ""),
        (1, "for=unknown", "unknown"),
    ],
)
def test_forwarded_is_read_from_the_right_too(forwarded, count, value, address):
    assert forwarded(value, count) == address


@pytest.mark.parametrize("name", ["HTTP_X_FORWARDED_FOR", "HTTP_CLIENT_IP", "HTTP_X_REAL_IP"])
def test_no_other_header_is_believed(forwarded, name):
    assert forwarded("for=192.0.2.7", **{name: "198.51.100.9"}) == "192.0.2.7"
    assert forwarded(None, **{name: "198.51.100.9"}) == ""


def test_a_network_of_ipv6_is_one_client():
    assert same("2001:db8:1:2::7", "2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert not same("2001:db8:1:2::7", "2001:db8:1:3::7")


@pytest.mark.parametrize("written", ["::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:192.0.2.7"])
def test_ipv4_inside_ipv6_is_ipv4(written):
    assert same(written, "192.0.2.7")
    assert not same(written, "::ffff:192.0.2.8")


@pytest.mark.parametrize(
    "garbage", ["", "unknown", "192.0.2", "192.0.2.7:80", "192.0.2.999", "_hidden", "1" * 5000, "\x00", "é", "[::1"]
)
def test_whoever_hides_their_address_is_limited_with_all_who_do(garbage):
    assert same(garbage, "unknown")
    assert not same(garbage, "192.0.2.7")


def test_a_hash_cannot_be_joined_with_those_of_another_period():
    start = datetime.fromtimestamp(NOW.timestamp() // PERIOD.total_seconds() * PERIOD.total_seconds(), UTC)
    first, last = start, start + PERIOD - timedelta(seconds=1)
    assert hash_address("192.0.2.7", now=first) == hash_address("192.0.2.7", now=last)
    assert hash_address("192.0.2.7", now=last) != hash_address("192.0.2.7", now=last + timedelta(seconds=1))
    assert same("192.0.2.7", "192.0.2.7", then=NOW + PERIOD) is False


def test_nobody_without_the_key_can_try_all_addresses(settings):
    from accounts import addresses

    before = hash_address("192.0.2.7", now=NOW)
    settings.ADDRESS_KEY = "another" * 10
    addresses._key_of_period.cache_clear()
    try:
        assert hash_address("192.0.2.7", now=NOW) != before
    finally:
        addresses._key_of_period.cache_clear()


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("::ffff:192.0.2.7", True),
        ("::ffff:192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("192.0.2.7:80", False),
        ("192.0.2.7, 10.0.0.1", False),
        ("localhost", False),
        ("192.0.2", False),
        ("\x00", False),
        ("1" * 5000, False),
    ],
)
def test_an_address_is_in_a_network_or_it_is_not(address, is_in):
    networks = [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")]
    assert is_address_in(address, networks) is is_in
    assert not is_address_in(address, [])
