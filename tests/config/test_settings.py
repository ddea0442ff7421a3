"""What each profile starts with, and what it refuses to start with: each environment in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from config.embedded import CHECKOUT
from config.settings.secrets import NAMES
from tests.outages import NO_DATABASE, NO_VALKEY

GOOD = {
    "DATABASE_URL": NO_DATABASE,
    "REDIS_URL": NO_VALKEY,
    "ALLOWED_HOSTS": "ratings.example.org",
    "PUBLIC_URL": "https://ratings.example.org",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
} | {name: f"{number} of our throw-away secrets, which nobody ever had to guard" for number, name in enumerate(NAMES)}

# Reads an environment a line and answers with the settings, or with why there are none. What takes time to import and
# depends on no environment is imported once; each environment gets a fork.
PROBE = """
import importlib, json, os, sys
import celery.schedules, csp.constants, environ, psycopg.conninfo, structlog

for line in sys.stdin:
    profile, environment = json.loads(line)
    if os.fork():
        os.wait()
        continue
    os.environ.clear()
    os.environ.update(environment)
    try:
        module = importlib.import_module(f"config.settings.{profile}")
        answer = {name: repr(value) for name, value in vars(module).items() if name.isupper()}
    except Exception as error:
        answer = {"refusal": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def probe():
    command = [sys.executable, "-c", PROBE]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(profile, environment):
            process.stdin.write(json.dumps([profile, environment]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.fixture
def production(probe):
    """Return the settings of production with these changes to a good environment; None takes a variable out."""

    def load(**changes):
        return probe("production", {name: value for name, value in (GOOD | changes).items() if value is not None})

    return load


@pytest.fixture
def local(probe, tmp_path):
    def load(**changes):
        servers = {name: GOOD[name] for name in ("DATABASE_URL", "REDIS_URL")}
        return probe("local", servers | {"VAR_DIR": str(tmp_path)} | changes)

    return load


def run(*arguments, **changes):
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.production"} | GOOD | changes
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_works(production):
    settings = production()
    assert settings["ALLOWED_HOSTS"] == "['ratings.example.org']"
    assert settings["PUBLIC_URL"] == "'https://ratings.example.org'"
    assert settings["EMAIL_HOST"] == "'mail.example.org'"
    for name in NAMES:
        assert settings[name] == repr(GOOD[name])
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_HTTPONLY"):
        assert settings[name] == "True"
    assert settings["DEBUG"] == "False"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_it_refuses_to_start_without(production, name):
    assert name in production(**{name: None})["refusal"]
    assert production(**{name: ""}).keys() == {"refusal"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALLOWED_HOSTS", "*", "must name the hosts"),
        ("ALLOWED_HOSTS", "ratings.example.org,*", "must name the hosts"),
        ("ALLOWED_HOSTS", " * ", "must name the hosts"),
        ("ALLOWED_HOSTS", "*.example.org", "must name the hosts"),
        ("PUBLIC_URL", "http://ratings.example.org", "https://"),
        ("PUBLIC_URL", "ratings.example.org", "https://"),
        ("SECRET_KEY", "short", "SECRET_KEY must be set"),
        ("SECRET_KEY", GOOD["LEASE_KEY"], "must all differ"),
        ("PSEUDONYM_KEY", "django-insecure-" + "x" * 50, "PSEUDONYM_KEY must be set"),
        ("TRUSTED_PROXY_COUNT", "-1", "TRUSTED_PROXY_COUNT must be"),
        ("TRUSTED_PROXY_COUNT", "many", "many"),
        ("TRUSTED_PROXY_HEADER", "X-Real-IP", "TRUSTED_PROXY_HEADER must be"),
        ("TRUSTED_PROXY_HEADER", "forwarded", "TRUSTED_PROXY_HEADER must be"),
        ("DATABASE_URL", "postgresql://localhost", "DATABASE_URL must be"),
        ("DATABASE_URL", "nonsense", "nonsense"),
        ("EMAIL_URL", "nonsense", "EMAIL_URL must be"),
        ("HORDE_AWARD_KEY", "a key without an AI Horde", "HORDE_URL must name"),
        ("HORDE_URL", "http://aihorde.net", "keys travel there"),
        ("HORDE_URL", "http://192.168.0.7:7001", "set HORDE_ALLOW_PRIVATE=1"),
        ("HORDE_URL", "https://192.168.0.7", "unless HORDE_ALLOW_PRIVATE=1 is set"),
        ("PAYOUT_MINIMUM", "0", "PAYOUT_MINIMUM must be"),
        ("PAYOUT_MINIMUM", "all", "PAYOUT_MINIMUM is 'all'; it must be a whole number."),
        ("RELAY_NETWORKS", "relay.example.org", "RELAY_NETWORKS must be"),
        ("RELAY_NETWORKS", "192.0.2.0/24,nonsense", "nonsense"),
        (
            "RELAY_NETWORKS",
            "192.0.2.7/24",
            "Write 192.0.2.0/24 for all of the network, or 192.0.2.7/32 for that address",
        ),
        ("RELAY_NETWORKS", "192.0.2.0/24,0.0.0.0/0", "whole internet"),
        ("RELAY_NETWORKS", "::/0", "whole internet"),
        ("RELAY_SET_LIMIT", "0", "RELAY_SET_LIMIT must be"),
        ("RELAY_SET_LIMIT", "1001", "RELAY_SET_LIMIT must be"),
        ("LIMITS", "nonsense", "LIMITS must be JSON"),
        ("LIMITS", "[1, 2]", "LIMITS must be JSON"),
        ("LIMITS", '{"nothing": [3, 2, 1]}', "there are only: rating_new"),
        ("LIMITS", '{"rating": 7}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, 2]}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, 2, 0]}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, -2, 1]}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, 2.5, 1]}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, true, 1]}', "three whole numbers"),
        ("LIMITS", '{"rating": [9999999999, 60, 1]}', "three whole numbers"),
        ("LIMITS", '{"rating": [3, 60, 3]}', "must be fewer"),
    ],
)
def test_it_refuses_to_start_with(production, name, value, words):
    assert words in production(**{name: value})["refusal"]


@pytest.mark.parametrize("name", ["DEBUG", "DJANGO_DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
def test_no_variable_turns_what_is_safe_off(production, name):
    for value in ("0", "1", "true", "false"):
        assert production(**{name: value}) == production()


def test_no_network_is_a_relays_unless_it_is_named(production):
    assert production()["RELAY_NETWORKS"] == production(RELAY_NETWORKS="")["RELAY_NETWORKS"] == "[]"
    named = production(RELAY_NETWORKS="192.0.2.7, 2001:db8::/32,")["RELAY_NETWORKS"]
    assert named == "[IPv4Network('192.0.2.7/32'), IPv6Network('2001:db8::/32')]"


def test_an_address_that_a_client_may_choose_is_no_key_of_a_relay(production):
    behind = {"RELAY_NETWORKS": "192.0.2.7", "TRUSTED_PROXY_COUNT": "1"}
    for header in ({}, {"TRUSTED_PROXY_HEADER": "X-Forwarded-For"}):
        assert "RELAY_NETWORKS behind a proxy" in production(**behind, **header)["refusal"]
    assert "refusal" not in production(**behind, TRUSTED_PROXY_HEADER="Forwarded")
    assert "refusal" not in production(RELAY_NETWORKS="192.0.2.7")


def test_hosts_may_be_written_with_spaces_and_domains_with_a_dot(production):
    settings = production(ALLOWED_HOSTS="ratings.example.org, .example.net")
    assert settings["ALLOWED_HOSTS"] == "['ratings.example.org', '.example.net']"
    assert settings["CSRF_TRUSTED_ORIGINS"] == "['https://ratings.example.org', 'https://*.example.net']"


def test_an_address_may_end_with_a_slash(production):
    assert production(PUBLIC_URL="https://ratings.example.org/")["PUBLIC_URL"] == "'https://ratings.example.org'"


def test_a_client_is_believed_to_speak_https_only_where_a_proxy_says_so(production):
    assert production()["SECURE_PROXY_SSL_HEADER"] == "None"
    assert production(TRUSTED_PROXY_COUNT="1")["SECURE_PROXY_SSL_HEADER"] == "('HTTP_X_FORWARDED_PROTO', 'https')"


def test_limits_are_those_of_the_table_but_for_what_an_operator_changes(production):
    before = production()["LIMITS"]
    assert "'rating': Limit(most=240, seconds=60, burst=40)" in before
    after = production(LIMITS='{"rating": [30, 10, 5]}')["LIMITS"]
    assert after == before.replace("most=240, seconds=60, burst=40", "most=30, seconds=10, burst=5")


def test_the_address_of_a_database_may_be_a_socket(production):
    settings = production(DATABASE_URL="postgresql:///ratings?host=/run/postgresql&port=5433")
    assert "'NAME': 'ratings'" in settings["DATABASES"]
    assert "'HOST': '/run/postgresql'" in settings["DATABASES"]
    assert "'PORT': '5433'" in settings["DATABASES"]


def test_the_local_profile_answers_loopback_only_whatever_it_is_told(local):
    settings = local(ALLOWED_HOSTS="*", DEBUG="1")
    assert settings["ALLOWED_HOSTS"] == "['127.0.0.1', 'localhost', '[::1]']"
    assert settings["DEBUG"] == "False"


def test_the_local_profile_makes_its_secrets_and_keeps_them(local):
    first, second = local(), local()
    assert [first[name] for name in NAMES] == [second[name] for name in NAMES]
    assert len({first[name] for name in NAMES}) == len(NAMES)


def test_without_addresses_of_servers_it_says_how_to_get_some(probe):
    assert "python manage.py" in probe("local", {})["refusal"]


@pytest.mark.slow
def test_a_good_environment_passes_the_checks_of_a_deployment():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues" in done.stdout


@pytest.mark.slow
def test_the_web_server_refuses_what_the_checks_refuse():
    """A web server runs no system checks; it imports this."""
    assert run("-c", "import config.wsgi").returncode == 0
    refused = run("-c", "import config.wsgi", ALLOWED_HOSTS="*")
    assert refused.returncode == 1
    assert "ALLOWED_HOSTS must name the hosts" in refused.stderr


def test_a_horde_of_ones_own_network_is_called_where_that_is_allowed(production):
    for url in ("http://192.168.0.7:7001/", "https://192.168.0.7"):
        assert production(HORDE_URL=url, HORDE_ALLOW_PRIVATE="1")["HORDE_URL"] == repr(url.rstrip("/"))


def test_a_command_with_a_wrong_setting_says_one_sentence():
    environment = os.environ | GOOD | {"DJANGO_SETTINGS_MODULE": "config.settings.production", "PAYOUT_MINIMUM": "all"}
    for command in (["manage.py", "check"], ["-m", "config.supervisor", "prepare"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert (done.stdout + done.stderr).strip() == "PAYOUT_MINIMUM is 'all'; it must be a whole number."
