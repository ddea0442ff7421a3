"""An AI Horde of the tests' own: a real HTTP server on loopback that answers as AI Horde does, or fails to."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIND_USER = "/api/v2/find_user"


class Raw(bytes):
    """An answer that is sent as it is instead of as JSON."""


class FakeHorde:
    """Answers by path: ``routes`` maps a path to a function from the request to (status, body).

    ``users`` maps keys to what find_user answers for them. ``asked`` lists the path of every request. ``delay`` is
    waited before each answer, ``drip`` between its bytes (s); ``headers`` are added to it.
    """

    def __init__(self) -> None:
        self.users: dict[str, dict] = {}
        self.asked: list[str] = []
        self.keys: list[str] = []
        self.delay = 0.0
        self.drip = 0.0
        self.headers: dict[str, str] = {}
        self.instead: tuple[int, object] | None = None
        self.routes: dict[str, Callable] = {FIND_USER: self.find_user}
        self.url = ""
        self._released = threading.Event()

    def add_user(self, key: str, number: int, **fields) -> str:
        """Let ``key`` be that of a user; return the key."""
        self.users[key] = {
            "username": f"user{number}#{number}",
            "id": number,
            "kudos": 1500.0,
            "trusted": False,
            "account_age": 86400 * 100,
            "usage": {"megapixelsteps": 12.5, "requests": 60},
            "records": {"request": {"image": 45, "text": 3, "interrogation": 0}, "fulfillment": {"image": 7}},
            "worker_count": 0,
        } | fields
        return key

    def find_user(self, request: BaseHTTPRequestHandler) -> tuple[int, object]:
        user = self.users.get(request.headers.get("apikey", ""))
        if user is None:
            return 404, {"message": "User with api_key not found.", "rc": "UserNotFound"}
        return 200, user

    def sleep(self, seconds: float) -> None:
        """Take time over an answer, but no longer than the test."""
        self._released.wait(seconds)

    @contextmanager
    def serve(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            self._released.set()
            server.shutdown()
            server.server_close()
            thread.join()


def _handler_for(horde: FakeHorde) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            horde.asked.append(self.path)
            horde.keys.append(self.headers.get("apikey", ""))
            horde.sleep(horde.delay)
            route = horde.routes.get(self.path, lambda _: (404, {"message": "Not found."}))
            status, body = horde.instead or route(self)
            content = body if isinstance(body, Raw) else json.dumps(body).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **horde.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.send_slowly(content)
            except OSError:
                return  # The client has gone.

        def send_slowly(self, content: bytes) -> None:
            if not horde.drip:
                self.wfile.write(content)
                return
            for place in range(len(content)):
                if horde._released.is_set():
                    return
                self.wfile.write(content[place : place + 1])
                horde.sleep(horde.drip)

        do_GET = do_POST = answer  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Nothing is said about requests."""

    return Handler


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)
