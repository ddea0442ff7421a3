"""The probes, with each dependency really there and really gone."""

import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as current
from django.db import close_old_connections, connection
from django.test import Client

from accounts.valkey import get_client
from config.celery import worker_heartbeat_task
from config.health import HEARTBEAT, HEARTBEAT_SECONDS
from tests.outages import NO_VALKEY, frozen, open_folder, own_valkey, without_privileges

TOKEN = "a token that only the collector has"


@pytest.fixture
def all_up(db, settings, tmp_path):
    """A worker that was just seen, and folders of this test."""
    settings.MEDIA_ROOT, settings.RELEASES_ROOT = tmp_path / "media", tmp_path / "releases"
    worker_heartbeat_task()


def ask(path="/readyz", **headers):
    return Client().get(path, headers=headers)


def assert_only(name, words):
    """Assert that one thing is said to be missing, and nothing else."""
    answer = ask()
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "not ready"
    assert {check: result for check, result in body["checks"].items() if result != "ok"} == {name: words}


@contextmanager
def no_database():
    """Send the next connection where no server is."""
    good = connection.settings_dict
    connection.close()
    connection.close_pool()
    options = good["OPTIONS"] | {"pool": good["OPTIONS"]["pool"] | {"timeout": 0.2}}
    connection.settings_dict = good | {"HOST": "/nonexistent", "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()
        connection.settings_dict = good


def test_it_works(all_up):
    answer = ask()
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "valkey": "ok", "worker": "ok", "storage": "ok"},
    }
    assert "no-store" in answer["Cache-Control"]


def test_being_alive_needs_nothing_and_asks_nobody(settings, django_assert_num_queries):
    settings.REDIS_URL = NO_VALKEY
    answer = ask("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_without_valkey_it_is_not_ready(all_up, settings):
    settings.REDIS_URL = NO_VALKEY
    answer = ask()
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert checks.pop("valkey") == "Valkey does not answer"
    assert checks.pop("worker") == "unknown, because Valkey does not answer"
    assert set(checks.values()) == {"ok"}


def test_with_a_valkey_that_hangs_it_answers_soon(all_up, settings):
    settings.VALKEY_TIMEOUT_SECONDS = 0.05
    with own_valkey(settings):
        process_id = get_client().info("server")["process_id"]
        with frozen(process_id):
            started = time.monotonic()
            assert ask().json()["checks"]["valkey"] == "Valkey does not answer"
            assert time.monotonic() - started < 2
        assert ask().json()["checks"]["valkey"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_is_alive_and_not_ready(all_up):
    with no_database():
        assert_only("database", "the database does not answer")
        assert ask("/healthz").status_code == 200
    assert ask().status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_replaced_by_the_next_request(all_up):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [process_id] = cursor.fetchone()
    with psycopg.connect(current.DATABASE_URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process_id])
    assert_only("database", "the database does not answer")
    close_old_connections()
    assert ask().status_code == 200


def test_without_a_worker_it_is_not_ready(all_up):
    get_client().delete(HEARTBEAT)
    assert_only("worker", "no worker has been seen")
    worker_heartbeat_task()
    assert ask().status_code == 200


def test_a_worker_that_was_seen_long_ago_is_not_there(all_up):
    get_client().set(HEARTBEAT, time.time() - HEARTBEAT_SECONDS + 5)
    assert ask().status_code == 200
    get_client().set(HEARTBEAT, time.time() - HEARTBEAT_SECONDS - 5)
    assert "no worker has been seen for 6" in ask().json()["checks"]["worker"]
    assert ask().status_code == 503


@pytest.fixture
def folder():
    with open_folder() as made:
        yield made


@pytest.mark.parametrize("name", ["MEDIA_ROOT", "RELEASES_ROOT"])
@pytest.mark.parametrize("path", ["closed", "closed/to/come", "to/come"])
def test_without_storage_it_is_not_ready(all_up, settings, folder, name, path):
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    (folder / "closed").mkdir()
    settings.MEDIA_ROOT = settings.RELEASES_ROOT = folder / "open"
    with without_privileges():
        assert ask().status_code == 200
        setattr(settings, name, folder / path)
        assert_only("storage", "the storage cannot be written to")


def test_storage_that_is_not_made_yet_is_fine(all_up, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "not" / "yet"
    assert ask().status_code == 200
    assert not (tmp_path / "not").exists()


def test_it_gives_nothing_away(all_up, settings):
    settings.REDIS_URL = NO_VALKEY
    body = ask().content.decode()
    assert "sock" not in body
    assert str(Path(settings.MEDIA_ROOT)) not in body


def test_metrics_are_for_who_has_the_token(settings):
    settings.METRICS_TOKEN = TOKEN
    answer = ask("/metrics", authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert b"kudoscope_valkey_failures_total" in answer.content
    for wrong in ("", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"):
        assert ask("/metrics", authorization=wrong).status_code == 404
    assert ask("/metrics").status_code == 404


@pytest.mark.parametrize(
    "header", [{}, {"authorization": ""}, {"authorization": "Bearer "}, {"authorization": "Bearer x"}]
)
def test_without_a_token_of_ones_own_metrics_are_for_nobody(settings, header):
    settings.METRICS_TOKEN = ""
    assert ask("/metrics", **header).status_code == 404


def test_metrics_are_those_of_all_workers(settings, monkeypatch, tmp_path):
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert ask("/metrics", authorization=f"Bearer {TOKEN}").status_code == 200
