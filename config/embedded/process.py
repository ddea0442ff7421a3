"""Processes that end with whoever started them, logs that do not grow without end, locks that a crash releases."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from .account import inherit_owner
from .errors import EmbeddedError

_LOG_LIMIT = 10 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a step to run between fork and exec: on Linux the kernel sends the signal when the parent is gone.

    It must run after a change of user, which clears the setting; subprocess does it in that order.
    """
    parent = os.getpid()

    def ask_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return ask_kernel


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; what was there moves to `.1` when it has grown past 10 MB."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    log = path.open("ab")
    inherit_owner(path)
    return log


def read_tail(path: Path, lines: int, since: int = 0) -> list[str]:
    """Return the last lines of a log, not looking before byte `since`."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(max(since, path.stat().st_size - 64 * 1024))
        return log.read().decode(errors="replace").splitlines()[-lines:]


def stop_process(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal and give it its seconds, until the process has ended."""
    for number, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def stop_left_over(pid_file: Path, folder: Path, mark: str, first: signal.Signals, label: str) -> None:
    """Stop the server that an earlier, killed run left on this data, and remove its pid file.

    Called by the one keeper of the data, so whoever serves it now is nobody's. A pid that meanwhile belongs to some
    other program is left alone: it is ours only if it works in the data folder.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except FileNotFoundError:
        return
    except (ValueError, IndexError):
        pid = 0
    if pid > 1 and pid != os.getpid() and _works_in(pid, folder, mark):
        for number, seconds in ((first, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if wait_until(lambda: not _works_in(pid, folder, mark), seconds):
                break
        else:
            raise EmbeddedError(f"A {label} of an earlier run (process {pid}) does not stop: end it and start again.")
    pid_file.unlink(missing_ok=True)


def _works_in(pid: int, folder: Path, mark: str) -> bool:
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(folder)
        except OSError:
            return False
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return mark in shown.stdout


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Ask until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextlib.contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[bool]:
    """Hold an exclusive lock on the file, which the kernel releases however we end; yields whether it was got."""
    # Opened for reading only: a file that root made can still be locked by the owner of the checkout.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)) as handle:
        yield wait_until(lambda: _try_lock(handle.fileno()), seconds)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Deaths:
    """Counts how often a process ended by itself, and says how long to wait before the next start."""

    LIMIT, WINDOW = 5, 60.0

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=self.LIMIT)

    def record(self, now: float) -> float | None:
        """Return the seconds to wait, or None when it died too often within a minute to go on."""
        self._times.append(now)
        recent = sum(1 for moment in self._times if now - moment < self.WINDOW)
        return None if recent >= self.LIMIT else float(2 ** (recent - 1))
