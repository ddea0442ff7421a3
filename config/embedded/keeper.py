"""The process that a server belongs to: it lives as long as somebody holds a connection to it.

Started by `client.py` as `python -m config.embedded.keeper PLAN DESCRIPTOR`. The descriptor is the connection of
whoever needed the server first. The protocol: the keeper writes one line of JSON, the address or an error. When a
holder hangs up the keeper writes that it stays and hangs up too; for the last holder it says nothing and ends.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from .account import inherit_owner
from .errors import EmbeddedError
from .plan import Plan
from .postgres import Postgres
from .process import Deaths, locked
from .servers import START_SECONDS, Server
from .valkey import Valkey

SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "valkey": Valkey}
_POLL_SECONDS = 0.2


class Keeper:
    """Serves the connections of those who hold the server, and revives it when it dies under them."""

    def __init__(self, plan: Plan, first: socket.socket) -> None:
        self.plan = plan
        self.server = SERVERS[plan.kind](plan)
        self.holders = {first}
        self.deaths = Deaths()
        self.is_told_to_stop = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._remember_to_stop)

    def _remember_to_stop(self, _number: int, _frame: object) -> None:
        self.is_told_to_stop = True

    def run(self) -> None:
        """Start the server, keep it for its holders, stop it."""
        try:
            self._keep_alone()
        except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
            self._tell_failure(str(error))
        finally:
            if self.plan.is_ephemeral:
                shutil.rmtree(self.plan.sockets, ignore_errors=True)

    def _keep_alone(self) -> None:
        # An earlier keeper of the same data may still be stopping its server.
        with locked(self.plan.run / f"{self.plan.kind}.keeper.lock", seconds=START_SECONDS) as is_alone:
            if not is_alone:
                raise EmbeddedError(f"Another {self.server.label} of this checkout does not stop: end it, try again.")
            with listening(self.plan) as listener:
                self._keep(listener)

    def _keep(self, listener: socket.socket) -> None:
        try:
            self.server.start()
            for holder in self.holders:
                self._greet(holder)
            self._serve(listener)
        finally:
            # First nobody can come any more, then the server goes.
            listener.close()
            self.server.stop()

    def _serve(self, listener: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            for connection in (listener, *self.holders):
                selector.register(connection, selectors.EVENT_READ)
            while not self.is_told_to_stop:
                for key, _ in selector.select(_POLL_SECONDS):
                    if key.fileobj is listener:
                        selector.register(self._welcome(listener), selectors.EVENT_READ)
                        continue
                    selector.unregister(key.fileobj)
                    if len(self.holders) == 1:
                        return
                    self._dismiss(key.fileobj)
                if not self.server.is_alive():
                    self._revive()

    def _welcome(self, listener: socket.socket) -> socket.socket:
        holder, _ = listener.accept()
        self.holders.add(holder)
        self._greet(holder)
        return holder

    def _dismiss(self, holder: object) -> None:
        self.holders = {other for other in self.holders if other is not holder}
        if isinstance(holder, socket.socket):
            # It may have been killed rather than hung up.
            with contextlib.suppress(OSError):
                holder.sendall(b'{"stays": "for others"}\n')
            holder.close()

    def _greet(self, holder: socket.socket) -> None:
        greeting = {
            "checkout": str(self.plan.checkout),
            "data": str(self.plan.data),
            "url": self.server.url,
            "tools": self.server.tools,
        }
        # A holder that is gone already is found by the selector.
        with contextlib.suppress(OSError):
            holder.sendall(json.dumps(greeting).encode() + b"\n")

    def _tell_failure(self, sentence: str) -> None:
        for holder in self.holders:
            with contextlib.suppress(OSError):
                holder.sendall(json.dumps({"error": sentence}).encode() + b"\n")

    def _revive(self) -> None:
        delay = self.deaths.record(time.monotonic())
        if delay is None:
            raise EmbeddedError(f"{self.server.label} stopped again and again: see {self.server.log_path}.")
        time.sleep(delay)
        # A failure to start counts as one more death; what survived the crashed server may need a moment to end.
        with contextlib.suppress(EmbeddedError):
            self.server.start()


@contextlib.contextmanager
def listening(plan: Plan) -> Iterator[socket.socket]:
    """Listen on the control socket and say in `var/run` where it is. Needs the keeper's lock."""
    plan.control.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(plan.control))
        plan.account.give(plan.control)
        listener.listen()
        aside = plan.state.with_suffix(".new")
        aside.write_text(json.dumps({"control": str(plan.control)}))
        inherit_owner(aside)
        aside.replace(plan.state)
        try:
            yield listener
        finally:
            plan.control.unlink(missing_ok=True)
            plan.state.unlink(missing_ok=True)


def main() -> None:
    plan, descriptor = Plan.from_json(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    Keeper(plan, socket.socket(fileno=descriptor)).run()


if __name__ == "__main__":
    main()
