"""What PostgreSQL and Valkey have in common: how to start, when they are ready, how to stop."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from .errors import EmbeddedError
from .plan import Plan
from .process import die_with_parent, open_log, read_tail, stop_process, wait_until

# Long enough for PostgreSQL to replay its log after a crash.
START_SECONDS = 300.0
_BARE_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Server(ABC):
    """One server process, started by its keeper and bound to the keeper's life."""

    label: ClassVar[str]
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]]
    process: subprocess.Popen[bytes] | None = None

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.account = plan.account
        self.log_path = plan.log / f"{plan.kind}.log"

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def tools(self) -> str:
        """A folder of programs worth having on the PATH, or nothing."""
        return ""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder if it is missing, and clear what a killed run left."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    def start(self) -> None:
        """Start and return when the server answers."""
        self.prepare()
        with open_log(self.log_path) as log:
            begin = log.tell()
            self.process = self._spawn(self.command(), log.fileno())
        process = self.process
        answered = wait_until(lambda: process.poll() is not None or self.is_ready(), START_SECONDS)
        if not answered or process.poll() is not None:
            self.stop()
            raise EmbeddedError(f"{self.label} did not start: {self.explain(begin)} (log: {self.log_path}).")

    def stop(self) -> None:
        if self.process is not None:
            stop_process(self.process, self.stop_steps)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def explain(self, since: int) -> str:
        """Return the line of the log that most likely says why."""
        lines = [line.strip() for line in read_tail(self.log_path, 50, since) if line.strip()]
        telling = [line for line in lines if "FATAL" in line or "rror" in line or "ERROR" in line]
        return (telling or lines or ["it said nothing"])[-1].rstrip(".")

    def run(self, command: list[str], *, text: str = "") -> None:
        """Run a program of the server's wheel to its end, as the server's account."""
        with open_log(self.log_path) as log:
            begin = log.tell()
            finished = subprocess.run(
                command,
                input=text.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=self.environment(),
                check=False,
                preexec_fn=die_with_parent(signal.SIGKILL),
                **self.account.credentials(),
            )
        if finished.returncode != 0:
            name = Path(command[0]).name
            raise EmbeddedError(f"{name} of {self.label} failed: {self.explain(begin)} (log: {self.log_path}).")

    def _spawn(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.plan.data,
            env=self.environment(),
            start_new_session=True,
            preexec_fn=die_with_parent(self.stop_steps[0][0]),  # noqa: PLW1509 - the keeper has one thread
            **self.account.credentials(),
        )

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's: PGPORT, PGOPTIONS or a locale this machine lacks would change or stop the server."""
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        return {"PATH": _BARE_PATH, "LC_ALL": "C", **kept}
