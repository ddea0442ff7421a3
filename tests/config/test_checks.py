"""The system checks refuse what must not run anywhere but on one's own machine."""

import pytest
from django.core.management import CommandError, call_command

from config.checks import check_profile_is_safe


@pytest.fixture
def safe(settings):
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["ratings.example.org"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    return settings


def ids():
    return [error.id for error in check_profile_is_safe(None)]


def test_it_works(safe):
    assert ids() == []


def test_it_refuses_debug(safe):
    safe.DEBUG = True
    assert ids() == ["kudoscope.E001"]


@pytest.mark.parametrize("hosts", [[], ["*"], ["ratings.example.org", "*"]], ids=str)
def test_it_refuses_to_answer_to_any_name(safe, hosts):
    safe.ALLOWED_HOSTS = hosts
    assert ids() == ["kudoscope.E002"]


@pytest.mark.parametrize("cookie", ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
@pytest.mark.parametrize(
    "host",
    ["ratings.example.org", "0.0.0.0", "192.168.1.7", "[::]", "[2001:db8::1]", ".localhost", "localhost.example.org"],
)
def test_it_refuses_plain_cookies_on_a_host_that_others_reach(safe, cookie, host):
    setattr(safe, cookie, False)
    safe.ALLOWED_HOSTS = ["localhost", host]
    assert ids() == ["kudoscope.E003"]
    setattr(safe, cookie, True)
    assert ids() == []


def test_it_allows_plain_cookies_on_loopback(safe):
    safe.SESSION_COOKIE_SECURE = safe.CSRF_COOKIE_SECURE = False
    safe.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "127.8.9.10", "[::1]"]
    assert ids() == []


def test_every_command_runs_them(safe):
    call_command("check")
    safe.DEBUG = True
    with pytest.raises(CommandError, match="DEBUG must be off"):
        call_command("check")
