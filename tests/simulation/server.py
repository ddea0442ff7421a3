"""The processes of the service, as `make run` has them: web server, worker, schedule."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded import CHECKOUT
from config.embedded.process import die_with_parent

READY_SECONDS = 60
CELERY = ("celery", "-A", "config")


@contextmanager
def serving(folder: Path):
    """Run the service in the environment of this process; yield its address. Logs are in the folder."""
    port = _free_port()
    web = ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--port", str(port)]
    commands = {
        "web": [*web, "--no-access-log", "--log-level", "warning", "config.wsgi:application"],
        "worker": [*CELERY, "worker", "--concurrency", "2", "-l", "warning", "--without-gossip", "--without-mingle"],
        "beat": [*CELERY, "beat", "-l", "warning", "--schedule", str(folder / "celerybeat-schedule")],
    }
    with ExitStack() as running:
        for name, command in commands.items():
            running.enter_context(_running(command, folder / f"{name}.log"))
        _await(f"http://127.0.0.1:{port}/healthz", folder / "web.log")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command, log):
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=CHECKOUT,
            stdout=file,
            stderr=file,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - whoever starts it has one thread
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _await(url, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"The web server did not start:\n{log.read_text()[-2000:]}")


# Gold of a site is raised in months; for a run of minutes fewer images are, and after fewer ratings.
CONTROLS = {"nursery_size": 24, "nursery_share": 0.1, "raised_at": 12, "raise_share": 0.2}


def environment(folder: Path, *, hold: int):
    """Return the settings of the service, all of them an operator's.

    It stands behind a proxy that says who is calling, as most do: so each player has an address of their own.
    """
    return os.environ | {
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DEFAULT_DATASET": "simulation",
        "TRUSTED_PROXY_COUNT": "1",
        "REWARD_HOLD_SECONDS": str(hold),
        "CONTROL_POLICY": json.dumps(CONTROLS),
        "LOG_LEVEL": "WARNING",
    }
