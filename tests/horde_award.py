"""A fake AI Horde that awards kudos: a real HTTP server in a thread, with its own books and every way to misbehave.

Its books are the truth that tests compare ours with: ``received`` is what each user was really awarded, whatever was
answered about it.
"""

import json
import re
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "a-key-that-may-award!!"

# What is answered, and whether the kudos were really awarded by then: (HTTP status, body, awarded).
ANSWERS = {
    "refuses": (200, [0, "Target user is rejected."], False),
    "refuses_marshalled": (200, [{"awarded": None}, {"awarded": None}], False),
    "knows_nobody": (400, {"message": "Invalid target username.", "rc": "InvalidTargetUsername"}, False),
    "refuses_anonymous": (400, {"message": "Cannot award anon. No go."}, False),
    "refuses_key": (401, {"message": "No user matching sent API Key."}, False),
    "refuses_account": (403, {"message": "Only special people can award kudos."}, False),
    "is_busy": (429, {"message": "10 per 1 minute"}, False),
    "fails_before": (500, {"message": "Internal Server Error"}, False),
    "fails_after": (502, b"<html>Bad gateway</html>", True),
    "says_nonsense": (200, b"\x00\xff<html>", True),
    "says_nothing": (200, b"", True),
    "says_null": (200, {"awarded": None}, False),
    "says_another_amount": (200, {"awarded": 1}, True),
    "says_true": (200, {"awarded": True}, True),
    "says_a_list": (200, [1, 2, 3], True),
    "says_too_much": (200, b'{"awarded": ' + b" " * 100_000 + b"1}", True),
    "refuses_in_html": (404, b"<html>Not found</html>", False),
    "redirects": (302, b"", False),
}


@dataclass
class FakeAward:
    """``manner`` is how awards are answered: "awards", a key of ANSWERS, "drops", "drops_unread" or "is_slow".

    ``manners`` says so for single user names; ``is_away`` lets the user pages fail as well. An award takes ``delay``
    seconds, or until ``wait_for`` is set.
    """

    manner: str = "awards"
    manners: dict = field(default_factory=dict)
    is_away: bool = False
    delay: float = 0.0
    wait_for: threading.Event | None = None
    received: Counter = field(default_factory=Counter)
    asked: list = field(default_factory=list)
    standings: dict = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                fake.show_user(self)

            def do_POST(self):
                fake.award(self)

            def log_message(self, *arguments):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def show_user(self, handler):
        number = re.fullmatch(r"/api/v2/users/(\d+)", handler.path)
        if self.is_away:
            reply(handler, 503, b"<html>down</html>")
        elif number is None or number[1] not in self.standings:
            reply(handler, 404, {"message": "User with that id not found.", "rc": "UserNotFound"})
        else:
            reply(handler, 200, {"id": int(number[1]), "kudos": self.standings[number[1]]})

    def award(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self.lock:
            self.asked.append(body | {"apikey": handler.headers["apikey"], "path": handler.path})
        manner = self.manners.get(body["username"], self.manner)
        if manner == "awards" and handler.headers["apikey"] != KEY:
            manner = "refuses_key"
        if self.delay or manner == "is_slow":
            threading.Event().wait(self.delay or 1.0)
        if self.wait_for:
            self.wait_for.wait(20)
        if manner in {"drops", "is_slow", "awards"}:
            self.book(body)
        if manner in {"drops", "drops_unread"}:
            drop(handler)
        elif manner in ANSWERS:
            status, answer, is_awarded = ANSWERS[manner]
            if is_awarded:
                self.book(body)
            reply(handler, status, answer)
        else:
            reply(handler, 200, {"awarded": float(body["amount"])})

    def book(self, body):
        with self.lock:
            self.received[body["username"]] += body["amount"]
            number = body["username"].rpartition("#")[2]
            before = self.standings.get(number, 0.0)
            if isinstance(before, int | float):
                self.standings[number] = before + body["amount"]


def reply(handler, status, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    if status == 302:
        handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
    try:
        handler.end_headers()
        handler.wfile.write(content)
    except OSError:
        """The client had enough."""


def drop(handler):
    """Close the connection without a word, as a proxy that is restarted does."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def free_address():
    """Return an address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
