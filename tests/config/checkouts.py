"""A checkout of its own for tests that start real servers: a copy of what starts them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.embedded import CHECKOUT
from config.embedded.plan import fingerprint

SHOW_ADDRESSES = 'echo "$DATABASE_URL" "$REDIS_URL"'
ASK = 'psql --no-psqlrc -At "$DATABASE_URL" -c '


@dataclass
class Checkout:
    path: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a person's shell has: no addresses from the servers that run these tests."""
        taken = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PORT", "TMPDIR"}
        return {name: value for name, value in os.environ.items() if name not in taken} | more

    def start(self, *command: str, options: tuple[str, ...] = (), **more: str) -> subprocess.Popen[str]:
        """Start a command with the servers up; it is ours to wait for."""
        return subprocess.Popen(
            [sys.executable, "-m", "config.embedded", *options, "--", *command],
            cwd=self.path,
            env=self.environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str, options: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
        with self.start(*command, options=options, **more) as process:
            out, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out.strip(), errors.strip())

    def ask(self, sql: str, **more: str) -> str:
        answer = self.run("sh", "-c", f"{ASK} '{sql}'", **more)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def find_processes(self) -> list[str]:
        """Return the command lines of what runs for this checkout: they name it, or its folder of sockets."""
        shown = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
        marks = (str(self.path), fingerprint(self.path))
        return [line for line in shown.splitlines() if any(mark in line for mark in marks)]


def make_checkout(path: Path) -> Checkout:
    shutil.copytree(CHECKOUT / "config" / "embedded", path / "config" / "embedded", ignore=lambda *_: ["__pycache__"])
    # Empty, because what the real one imports is not needed to start a server.
    (path / "config" / "__init__.py").touch()
    return Checkout(path)
