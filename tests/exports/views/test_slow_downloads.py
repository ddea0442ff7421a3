"""Downloads that are read slowly, or not to their end, from a real server with four threads."""

import os
import socket
import time
import urllib.request
from contextlib import contextmanager

import pytest
from django.utils import timezone

from exports.models import Release, ReleaseState
from exports.writers.folders import release_folder
from tests.flows.conftest import answers, free_port, running, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BYTES = 64 * 1024 * 1024
ADDRESS = "/files/harbours/2000-01-01/data/ratings/part-00000.parquet"


@pytest.fixture
def huge(harbours):
    """A published release with one file that no buffer on the way can hold."""
    release = Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0")
    for path, size in {"data/ratings/part-00000.parquet": BYTES, "README.md": 10}.items():
        release.files.create(path=path, media_type="text/plain", byte_count=size, sha256=f"{size:064x}")
        file = release_folder("harbours", release.version) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.truncate(file, size)
    release.snapshot_at = release.published_at = timezone.now()
    release.state = ReleaseState.PUBLISHED
    release.save()
    return release


@pytest.fixture
def server(huge, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    port = free_port()
    web = ["granian", "--interface", "wsgi", "config.wsgi:application", "--port", str(port), "--blocking-threads", "4"]
    with running(web, tmp_path / "web.log"):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), what="the web server answers")
        yield port


@contextmanager
def begun(port, path=ADDRESS, **headers):
    """Ask for a file over a small window and read no further than the head of the answer."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1024)
        yield client, int(head.split()[1]), head


def status_of(port, **headers):
    with begun(port, **headers) as (_, status, _):
        return status


def api_answers_soon(port):
    """Whether the API answers, which takes a query: there is no dataset of that name."""
    started = time.monotonic()
    status = status_of(port, path="/api/v1/rating/new?dataset_id=none", apikey="0000000000")
    return status < 500 and time.monotonic() - started < 2


def test_slow_downloads_leave_threads_to_the_api(server):
    with begun(server) as (one, first, _), begun(server) as (two, second, _):
        assert (first, second) == (200, 200)
        for _ in range(5):
            assert one.recv(1000)
            assert two.recv(1000)
            assert api_answers_soon(server)
        with begun(server) as (_, status, head):
            assert status == 503
            assert b"retry-after: 5\r\n" in head.lower()
        assert status_of(server, path="/files/harbours/2000-01-01/README.md") == 200
        assert status_of(server, Range="bytes=0-9") == 206


def test_a_client_that_goes_away_frees_its_place(server):
    with begun(server):
        with begun(server):
            assert status_of(server) == 503
        wait_until(lambda: status_of(server) == 200, what="the place of the second is free", seconds=10)


def test_places_do_not_wear_out(server):
    for _ in range(20):
        wait_until(lambda: status_of(server) == 200, what="a place is free", seconds=10)
    with urllib.request.urlopen(f"http://127.0.0.1:{server}{ADDRESS}", timeout=30) as answer:
        assert len(answer.read()) == BYTES
    wait_until(lambda: status_of(server) == 200, what="a place is free", seconds=10)
