"""Requests to other services: where they may go, and what is known when they fail. Real sockets throughout."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from accounts import outgoing
from accounts.outgoing import Limits, NoAnswer, NotSent, Reply, is_public, send_request
from tests.horde_award import free_address

LIMITS = Limits(seconds=0.5, size=1000)


def ask(url, *, allow_private=True, limits=LIMITS, **options):
    return send_request(method="GET", url=url, headers={}, limits=limits, allow_private=allow_private, **options)


@contextmanager
def speaking(*lines, pause=0.0, family=socket.AF_INET, host="127.0.0.1"):
    """Answer connections with these bytes, one after the other; yield (address, what was asked)."""
    asked = []

    def answer(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                try:
                    for line in lines:
                        connection.sendall(line)
                        time.sleep(pause)
                except OSError:
                    """The client had enough."""

    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        yield f"http://localhost:{listener.getsockname()[1]}", asked


def test_it_works():
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (url, asked):
        assert ask(f"{url}/a?b=c") == Reply(200, b"hi")
    head = asked[0].decode()
    assert head.startswith("GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: {url.removeprefix('http://')}" in head


def test_a_redirect_is_an_answer_and_not_followed():
    with speaking(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        assert ask(url).status == 302
    assert len(asked) == 1


def test_an_address_where_nobody_listens_was_not_sent_to():
    with pytest.raises(NotSent):
        ask(free_address())


@pytest.mark.parametrize("url", ["ftp://localhost/", "", "http://", "no address", "http://[::1", "https://x.invalid/"])
def test_what_cannot_be_connected_to_was_not_sent(url):
    with pytest.raises(NotSent):
        ask(url)


@pytest.mark.parametrize(
    ("lines", "pause"),
    [
        ([], 0.0),
        ([b"HTTP/1.1 200 OK\r\n"], 1.0),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"], 0.0),
        ([b"nonsense\r\n\r\n"], 0.0),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000], 0.0),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 20], 0.1),
    ],
    ids=["closed", "silent", "cut short", "nonsense", "too large", "drop by drop"],
)
def test_what_was_sent_may_have_arrived(lines, pause):
    start = time.monotonic()
    with speaking(*lines, pause=pause) as (url, asked), pytest.raises(NoAnswer):
        ask(url)
    assert len(asked) == 1
    assert time.monotonic() - start < 2


def test_a_compressed_answer_is_not_unpacked():
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    with speaking(packed) as (url, asked):
        assert ask(url).body == b"\x1f\x8b\x08\x00"
    assert b"Accept-Encoding: identity" in asked[0]


def test_a_private_network_is_not_called():
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        with pytest.raises(NotSent, match="private network"):
            ask(url, allow_private=False)
        assert ask(url).status == 200
    assert len(asked) == 1


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch):
    """A name that answers differently a moment later leads nowhere else: it is asked once."""
    resolve, looked_up = socket.getaddrinfo, []

    def answer(host, port, *arguments, **options):
        if host != "horde.example":
            return resolve(host, port, *arguments, **options)
        looked_up.append(host)
        return resolve("127.0.0.1" if len(looked_up) == 1 else "192.0.2.1", port, *arguments, **options)

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", answer)
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        port = int(url.rpartition(":")[2])
        assert ask(f"http://horde.example:{port}/").status == 200
    assert f"Host: horde.example:{port}".encode() in asked[0]
    assert looked_up == ["horde.example"]


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::1"),
    ],
)
def test_addresses_of_private_networks(address):
    assert not is_public(address)
