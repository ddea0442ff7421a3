"""PostgreSQL, reached through a Unix socket only."""

import re
import shutil
import signal
import subprocess
from urllib.parse import quote

from .errors import OWN_SERVERS, EmbeddedError
from .process import stop_left_over
from .servers import Server

USER = DATABASE = "kudoscope"
INITDB = (
    *("--username", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"),
    # PostgreSQL's own C.UTF-8: the same sorting everywhere, and no locale of the system is needed.
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
}
# Data that is thrown away needs no protection from a power cut; tests open many connections.
EPHEMERAL_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
    "max_locks_per_transaction": "256",
}


class Postgres(Server):
    label = "PostgreSQL"
    # SIGINT is the fast shutdown: sessions are ended, everything is written. SIGQUIT leaves it to recovery.
    stop_steps = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.plan.sockets))}"

    @property
    def tools(self) -> str:
        return str(self.plan.program.parent)

    def prepare(self) -> None:
        data = self.plan.data
        stop_left_over(data / "postmaster.pid", data, str(data), signal.SIGINT, self.label)
        if (data / "PG_VERSION").exists():
            self._refuse_other_version()
        elif data.exists() and any(data.iterdir()):
            raise EmbeddedError(f"{data} holds something that is not PostgreSQL's: move it away and start again.")
        else:
            self._create_cluster()

    def _refuse_other_version(self) -> None:
        """Only the same major version reads the files."""
        shown = subprocess.check_output(
            [self.plan.program, "--version"], text=True, cwd="/", env=self.environment(), **self.account.credentials()
        )
        # "postgres (PostgreSQL) 18.6", or "19beta1" for the last word.
        program = re.split(r"\D", shown.split()[2])[0]
        found = (self.plan.data / "PG_VERSION").read_text().strip()
        if found != program:
            raise EmbeddedError(
                f"The data in {self.plan.data} was written by PostgreSQL {found} and this is PostgreSQL {program}: "
                f"dump it with the old version and restore it here, move it away to begin empty, or {OWN_SERVERS}."
            )

    def _create_cluster(self) -> None:
        """Make the data folder aside and rename it, so that it is complete or absent."""
        data = self.plan.data
        aside = data.with_name(f"{data.name}.new")
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(mode=0o700)
        self.account.give(aside)
        hurry = ["--no-sync"] if self.plan.is_ephemeral else []
        self.run([f"{self.tools}/initdb", "--pgdata", str(aside), *INITDB, *hurry])
        single = [str(self.plan.program), "--single", "-D", str(aside), "-c", "exit_on_error=on"]
        self.run([*single, "-c", "log_checkpoints=off", "postgres"], text=f"CREATE DATABASE {DATABASE}\n")
        if data.exists():
            data.rmdir()
        aside.rename(data)

    def command(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": f'"{self.plan.sockets}"'}
        if self.plan.is_ephemeral:
            settings |= EPHEMERAL_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.plan.program), "-D", str(self.plan.data), *options]

    def is_ready(self) -> bool:
        """Read the pid file as pg_ctl does: its first line is the process, its eighth the state."""
        try:
            lines = (self.plan.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_this_one = self.process is not None and lines[:1] == [str(self.process.pid)]
        return is_this_one and [line.strip() for line in lines[7:8]] == ["ready"]
