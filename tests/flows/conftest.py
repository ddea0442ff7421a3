"""A whole service on the test's own database: a granian, a Celery worker, and a browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from config.settings.secrets import NAMES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def service(transactional_db, tmp_path):
    """Start web and worker as their own processes; yield the address. Nothing in them is mocked."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    port = free_port()
    web = ["granian", "--interface", "wsgi", "config.wsgi:application", "--port", str(port), "--no-access-log"]
    worker = ["celery", "-A", "config", "worker", "--concurrency", "1", "-l", "warning", "--without-gossip"]
    with ExitStack() as stack:
        for name, command in {"web": web, "worker": worker}.items():
            stack.enter_context(running(command, tmp_path / f"{name}.log"))
        base = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{base}/healthz"), what="the web server answers")
        yield base


@pytest.fixture
def page(chromium):
    """A page in a browser of its own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@contextmanager
def running(command, log, **environment):
    """Run a module of Python on what the test uses; ``environment`` wins over that."""
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=child_environment() | environment, stdout=file, stderr=file
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def child_environment():
    """Return an environment in which a child uses the database, Valkey, folders and secrets of this test."""
    parts = connection.get_connection_params()
    database = {key: parts[key] for key in ("host", "port", "user", "password", "dbname") if parts.get(key)}
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.testing",
        "DATABASE_URL": make_conninfo(**database),
        "REDIS_URL": settings.REDIS_URL,
        "KUDOSCOPE_TEST_CHILD": "1",
        "VAR_DIR": str(settings.VAR_DIR),
        **{name: getattr(settings, name) for name in NAMES},
    }


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


def wait_until(condition, *, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain until {what}")
