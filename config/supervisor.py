"""`make run`: starts all that Kudoscope needs, says when it is ready, keeps it running, and stops it in order.

    PostgreSQL, Valkey -> prepare (migrate, static files, demo, first superuser) -> web -> beat, worker

`python -m config.supervisor prepare` is the second step alone, in a process of its own.
"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from config.embedded import CHECKOUT, EmbeddedError, Services, services
from config.embedded.plan import make_shared_folders
from config.embedded.process import Deaths, die_with_parent, locked, open_log, read_tail

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 8000, 8020
VAR = CHECKOUT / "var"
READY_SECONDS = 120.0
TICK_SECONDS = 0.1
# The exit status of the process that prepares, when it could not even read the settings.
WRONG_SETTING = 78
# What of the children's logs also belongs on the terminal.
ALARM = re.compile(r"\b(error|critical|fatal|traceback)\b", re.IGNORECASE)


class StopRequested(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM or SIGHUP."""


class GaveUp(Exception):
    """A sentence for the person at the terminal: why Kudoscope cannot run."""


def say(text: str) -> None:
    # A terminal that was closed must not keep us from stopping what we started.
    with contextlib.suppress(OSError):
        print(text, flush=True)


@dataclass
class Child:
    """A process that is started again when it ends by itself, and whose log is watched for alarms."""

    name: str
    command: list[str]
    environment: dict[str, str]
    patience: float
    orphan_signal: signal.Signals = signal.SIGTERM
    deaths: Deaths = field(default_factory=Deaths)
    process: subprocess.Popen[bytes] | None = None
    _due: float = 0.0
    _read: int = 0
    _is_in_traceback: bool = False

    @property
    def log(self) -> Path:
        return VAR / "log" / f"{self.name}.log"

    def start(self) -> None:
        with open_log(self.log) as log:
            self._read = log.tell()
            self.process = spawn(self.command, self.environment, self.orphan_signal, log.fileno())

    def tend(self, now: float) -> None:
        """Start it again when it has ended, later each time; give up when it ends again and again."""
        if self.process is None:
            if now >= self._due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self._kill_group()
        delay = self.deaths.record(now)
        if delay is None:
            tail = "\n".join(read_tail(self.log, 20))
            raise GaveUp(f"{self.name} ended {Deaths.LIMIT} times within a minute. The end of {self.log}:\n{tail}")
        say(f"{self.name} ended (exit code {code}); starting it again in {delay:.0f} s. Its log: {self.log}")
        self.process, self._due = None, now + delay

    def echo_alarms(self) -> None:
        """Show on the terminal what of the log looks like an error, tracebacks to their last line."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        complete = new[: new.rfind(b"\n") + 1]
        self._read += len(complete)
        for line in complete.decode(errors="replace").splitlines():
            if self._is_in_traceback or ALARM.search(line):
                say(f"{self.name} | {line}")
            if line.startswith("Traceback"):
                self._is_in_traceback = True
            elif not line.startswith((" ", "\t")):
                self._is_in_traceback = False

    def stop(self, is_hurried: Callable[[], bool]) -> None:
        """Ask it to finish; kill what is left of its group when its time is over or the person has lost patience."""
        if self.process is None:
            return
        self.process.terminate()
        deadline = time.monotonic() + self.patience
        while self.process.poll() is None and time.monotonic() < deadline and not is_hurried():
            time.sleep(TICK_SECONDS / 5)
        self._kill_group()
        self.process.wait()
        self.process = None

    def _kill_group(self) -> None:
        # Granian's and Celery's own children; usually none is left.
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def spawn(
    command: list[str], environment: dict[str, str], orphan_signal: signal.Signals, output: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that Ctrl-C reaches it through us, once and in our order.

    Should we be killed, the kernel sends it the orphan signal.
    """
    return subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        process_group=0,
        preexec_fn=die_with_parent(orphan_signal),  # noqa: PLW1509 - the supervisor has one thread
    )


class Supervisor:
    """Runs the steps between the servers' start and their stop."""

    def __init__(self, servers: Services, port: int, door: socket.socket) -> None:
        self.servers = servers
        self.port = port
        self.door = door
        self.environment = os.environ | child_environment(port)
        self.running: list[Child] = []
        self.stopping_since: float | None = None
        self.is_hurried = False
        on_stop_signals(self._note_signal)

    def _note_signal(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if self.stopping_since is None:
            self.stopping_since = now
        elif now - self.stopping_since > 1:
            # Earlier it is the same wish once more: make and a terminal or a time limit both pass a signal on.
            self.is_hurried = True

    def run(self) -> None:
        """Return never; raises StopRequested or GaveUp when everything but the servers has been stopped."""
        try:
            self._prepare()
            # Until here the port was ours, so that nobody else took it.
            self.door.close()
            web, *workers = make_children(self.port, self.environment)
            self._start(web)
            # One after the other, because on a small machine they would all be slow together.
            self._await_ready()
            for child in workers:
                self._start(child)
            announce(self.port)
            while True:
                self._tick()
        finally:
            if self.stopping_since is not None:
                say("\nStopping. Ctrl-C again hurries.")
            for child in self.running:
                child.stop(lambda: self.is_hurried)

    def _start(self, child: Child) -> None:
        self.running.append(child)
        child.start()

    def _tick(self) -> None:
        self._check()
        for child in self.running:
            child.tend(time.monotonic())
            child.echo_alarms()
        time.sleep(TICK_SECONDS)

    def _check(self) -> None:
        if self.stopping_since is not None:
            raise StopRequested
        if reason := self.servers.find_lost():
            raise GaveUp(reason)

    def _prepare(self) -> None:
        """Let a process of its own bring database, files and demo up to date; it talks to the terminal itself."""
        process = spawn([sys.executable, "-m", "config.supervisor", "prepare"], self.environment, signal.SIGTERM)
        try:
            while process.poll() is None:
                self._check()
                time.sleep(TICK_SECONDS / 5)
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode == WRONG_SETTING:
            raise GaveUp("Nothing was started. Correct that setting first.")
        if process.returncode != 0:
            raise GaveUp("The database could not be prepared; the reason is above.")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while (answer := ask_health(self.port)) != "200":
            if time.monotonic() > deadline:
                tail = "\n".join(read_tail(VAR / "log" / "web.log", 20))
                raise GaveUp(f"/healthz did not answer 200 within {READY_SECONDS:.0f} s but: {answer}.\n{tail}")
            self._tick()


def on_stop_signals(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Handle what ends a program; what `nohup` or a background shell made us ignore stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def child_environment(port: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "PROMETHEUS_MULTIPROC_DIR": str(VAR / "metrics"),
        "KUDOSCOPE_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }


def make_children(port: int, environment: dict[str, str]) -> list[Child]:
    """Return the web server and then the workers: nobody may queue work that is no longer done, so it stops first."""
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    work = ["worker", "--concurrency", "2", "-l", "warning", "--without-gossip", "--without-mingle"]
    beat = ["beat", "-l", "warning", "--schedule", str(VAR / "run" / "celerybeat-schedule")]
    # Each of granian's blocking threads may hold a database connection.
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"]
    serve = ["--host", HOST, "--port", str(port), "--no-access-log", "config.wsgi:application"]
    return [
        Child("web", [*granian, *serve], environment, patience=10),
        Child("beat", [*celery, *beat], environment, patience=5),
        # To Celery SIGTERM means to finish its tasks first, which without a broker can last for ever.
        Child("worker", [*celery, *work], environment, patience=15, orphan_signal=signal.SIGQUIT),
    ]


def ask_health(port: int) -> str:
    """Return the status that /healthz answers, or why there is none."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def announce(port: int) -> None:
    address = f"http://{HOST}:{port}/"
    (VAR / "run" / "address").write_text(address)
    say(f"\nKudoscope is ready: {address}")
    for label, path in (("rate images", "rate/"), ("the API", "api/"), ("administration", "admin/")):
        say(f"  {label:<16}{address}{path}")
    say(f"  {'stop':<16}Ctrl-C\n  {'logs':<16}{VAR / 'log'}")


def open_door(named: str | None) -> socket.socket:
    """Take the port to serve on and hold it: the one the person named, else the first free one from 8000."""
    if named:
        if not named.isdecimal() or not 0 < int(named) < 2**16:
            raise GaveUp(f"PORT is {named!r}: it must be a number from 1 to 65535.")
        door = take_port(int(named))
        if door is None:
            raise GaveUp(
                f"Port {named} is in use: stop what listens there, or choose another, as in `PORT=9000 make run`."
            )
        return door
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if door := take_port(port):
            if port != FIRST_PORT:
                say(f"Port {FIRST_PORT} is in use; taking {port}.")
            return door
    raise GaveUp(f"The ports {FIRST_PORT} to {LAST_PORT} are in use: choose another, as in `PORT=9000 make run`.")


def take_port(port: int) -> socket.socket | None:
    """Listen on the port, or return None when somebody else does."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        # On macOS we could bind beside whoever listens on all addresses, and would never be reached.
        return None
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
        door.listen()
    except PermissionError as error:
        door.close()
        raise GaveUp(f"Port {port} may not be used by this user: choose one above 1023.") from error
    except OSError:
        door.close()
        return None
    return door


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Refuse to run twice from one folder."""
    try:
        make_shared_folders(CHECKOUT)
    except OSError as error:
        raise GaveUp(f"Kudoscope keeps its data in `var` of its own folder and cannot make it: {error}.") from error
    address = VAR / "run" / "address"
    with locked(VAR / "run" / "supervisor.lock", seconds=0) as is_alone:
        if not is_alone:
            where = address.read_text() if address.exists() else "it is still starting"
            raise GaveUp(f"Kudoscope already runs from this folder ({where}): stop that one with Ctrl-C first.")
        address.unlink(missing_ok=True)
        try:
            yield
        finally:
            address.unlink(missing_ok=True)


def prepare() -> None:
    """Bring database, static files, demo and first superuser up to date."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command

    try:
        django.setup()
    except ImproperlyConfigured as error:
        say(str(error))
        sys.exit(WRONG_SETTING)
    call_command("migrate", interactive=False, verbosity=0)
    collect_static_files()
    call_command("load_demo")
    call_command("draw_practice")
    call_command("ensure_moderators", verbosity=0)
    call_command("ensure_superuser")


def collect_static_files() -> None:
    """Collect only when a source has changed: hashing and compressing them takes longer than all the rest."""
    from django.conf import settings
    from django.contrib.staticfiles import finders
    from django.core.management import call_command

    sources = [storage.path(path) for finder in finders.get_finders() for path, storage in finder.list([])]
    current = "\n".join(f"{path} {Path(path).stat().st_mtime_ns}" for path in sorted(sources))
    stamp = VAR / "run" / "static-files"
    if not (stamp.exists() and stamp.read_text() == current and Path(settings.STATIC_ROOT).is_dir()):
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(current)


def main() -> None:
    # Until the supervisor has its own handler, each of them ends the start as Ctrl-C does.
    on_stop_signals(signal.default_int_handler)
    try:
        with only_one(), open_door(os.environ.get("PORT")) as door:
            shutil.rmtree(VAR / "metrics", ignore_errors=True)
            (VAR / "metrics").mkdir()
            say("Starting PostgreSQL and Valkey.")
            with services() as servers:
                for folder in {hold.data.parent for hold in servers.holds} - {VAR}:
                    say(f"The servers' account cannot enter this folder, so their data is in {folder}.")
                Supervisor(servers, door.getsockname()[1], door).run()
    except (GaveUp, EmbeddedError) as error:
        sys.exit(str(error))
    except (StopRequested, KeyboardInterrupt):
        say("Stopped.")


if __name__ == "__main__":
    prepare() if sys.argv[1:] == ["prepare"] else main()
