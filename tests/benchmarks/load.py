"""Load for a live server: eight kept connections in one process, requests made beforehand."""

import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

CONNECTIONS = 8


@dataclass
class Outcome:
    """What came of a run: answers with the expected status, seconds, and the time of each request (s)."""

    count: int = 0
    failures: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


@dataclass
class _Connection:
    sock: socket.socket
    requests: Iterator[bytes]
    sent_at: float = 0.0
    received: bytes = b""


def drive(port: int, requests: Sequence[bytes], *, expect: bytes, seconds: float) -> Outcome:
    """Send the requests over eight connections until they or the seconds run out."""
    outcome = Outcome()
    selector = selectors.DefaultSelector()
    share = iter(requests)
    for _ in range(CONNECTIONS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, _Connection(sock, share))
    start = time.perf_counter()
    for key in list(selector.get_map().values()):
        _send_next(key.data, selector)
    while selector.get_map():
        if time.perf_counter() - start > seconds:
            break
        for key, _ in selector.select(timeout=1):
            _receive(key.data, outcome, expect, selector)
    outcome.seconds = time.perf_counter() - start
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    selector.close()
    return outcome


def _send_next(connection: _Connection, selector: selectors.BaseSelector) -> None:
    request = next(connection.requests, None)
    if request is None:
        selector.unregister(connection.sock)
        connection.sock.close()
        return
    connection.received = b""
    connection.sent_at = time.perf_counter()
    connection.sock.sendall(request)


def _receive(connection: _Connection, outcome: Outcome, expect: bytes, selector: selectors.BaseSelector) -> None:
    connection.received += connection.sock.recv(65536)
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    if not separator or len(body) < _content_length(head):
        return
    if head.split(b" ", 2)[1] == expect:
        outcome.count += 1
        outcome.times.append(time.perf_counter() - connection.sent_at)
    else:
        outcome.failures.append(connection.received)
    _send_next(connection, selector)


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


def percentile(times: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the times lie."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def time_calls(call: Callable[[int], object], count: int) -> list[float]:
    """Return the seconds that each of ``count`` calls took."""
    times = []
    for number in range(count):
        start = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - start)
    return times
