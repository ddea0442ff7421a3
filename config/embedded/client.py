"""Gets hold of a server: through the keeper that has it already, or by starting one."""

import contextlib
import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .errors import EmbeddedError
from .plan import Plan, is_private, plan_ephemeral, plan_lasting
from .process import locked, open_log
from .servers import START_SECONDS


class Hold:
    """A connection to a keeper. While it is open the server stays."""

    def __init__(
        self,
        connection: socket.socket,
        label: str,
        greeting: dict[str, str],
        keeper: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._connection = connection
        self._label = label
        self._keeper = keeper
        self.url = greeting["url"]
        self.tools = greeting["tools"]
        self.data = Path(greeting["data"])

    def find_lost(self) -> str | None:
        """Return why the keeper has let go, or None: it does so only when the server cannot be kept running."""
        if not select.select([self._connection], [], [], 0)[0]:
            return None
        message: dict[str, str] | None = None
        with contextlib.suppress(ConnectionError):
            message = _read_line(self._connection)
        return (message or {}).get("error", f"{self._label} was stopped from outside.")

    def release(self) -> None:
        """Hang up; return when the keeper has, which for the last holder is when the server has stopped."""
        answer: dict[str, str] | None = None
        # The keeper may have been killed, which ends the hold as well.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            answer = _read_line(self._connection)
        self._connection.close()
        if self._keeper is not None and (answer is None or "stays" not in answer):
            self._keeper.wait()


@contextlib.contextmanager
def hold_server(kind: str, checkout: Path, *, ephemeral: bool) -> Iterator[Hold]:
    """Have the server up for the duration of the block."""
    try:
        hold = _start(plan_ephemeral(kind, checkout)) if ephemeral else _attach_or_start(kind, checkout)
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"The embedded servers cannot be started: {error}.") from error
    try:
        yield hold
    finally:
        hold.release()


def _attach_or_start(kind: str, checkout: Path) -> Hold:
    """Look first, start otherwise; whoever comes at the same moment waits here and then finds the server."""
    plan = plan_lasting(kind, checkout)
    with locked(plan.run / f"{kind}.start.lock", seconds=START_SECONDS) as is_alone:
        if not is_alone:
            raise EmbeddedError(f"Another process has been starting {plan.wheel.label} for minutes: end it, try again.")
        return _attach(plan) or _start(plan)


def _attach(plan: Plan) -> Hold | None:
    """Connect to the keeper of this checkout, if there is one."""
    try:
        control = Path(json.loads(plan.state.read_text())["control"])
        if not is_private(control.parent, plan.uid):
            return None
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(control))
        greeting = _read_line(connection)
    except (FileNotFoundError, ConnectionError):
        # No keeper, one that was killed, or one that is just going: a new one waits until it is gone.
        return None
    # A checkout that was copied with its `var/` still names the keeper of the original.
    if greeting is None or greeting.get("checkout") != str(plan.checkout):
        connection.close()
        return None
    return Hold(connection, plan.wheel.label, greeting)


def _start(plan: Plan) -> Hold:
    """Start a keeper and wait for its server."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "config.embedded.keeper", plan.to_json(), str(theirs.fileno())]
    with theirs, open_log(plan.log / f"{plan.kind}.log") as log:
        # A session of its own: Ctrl-C and the end of the terminal are not the keeper's business.
        keeper = subprocess.Popen(
            command,
            cwd=plan.checkout,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    greeting = _read_line(ours)
    if greeting is None or "error" in greeting:
        ours.close()
        keeper.wait()
        reason = (greeting or {}).get("error", f"The keeper of {plan.wheel.label} ended (log: {plan.log}).")
        raise EmbeddedError(reason)
    return Hold(ours, plan.wheel.label, greeting, keeper)


def _read_line(connection: socket.socket) -> dict[str, str] | None:
    """Read one message of the keeper; None when it has hung up."""
    received = b""
    while not received.endswith(b"\n"):
        chunk = connection.recv(4096)
        if not chunk:
            return None
        received += chunk
    message: dict[str, str] = json.loads(received)
    return message
