"""PostgreSQL and Valkey from their wheels, for whoever has not set DATABASE_URL and REDIS_URL.

Each server belongs to a *keeper*, a small process of its own. Whoever needs the server holds a connection to its
keeper; when the last one is closed, also by a crash or SIGKILL, the keeper stops the server. So `make run` and
`manage.py shell` share one pair of servers, whichever was there first, and nothing is left running.

Standard library only: this is imported before Django has settings.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import OWN_SERVERS, EmbeddedError

if TYPE_CHECKING:
    from .client import Hold

__all__ = ["CHECKOUT", "EmbeddedError", "Services", "services"]

CHECKOUT = Path(__file__).resolve().parents[2]
# Stopped in the reverse order: Valkey goes first, PostgreSQL last.
URL_VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}


@dataclass
class Services:
    """The servers that answer while the block of `services()` runs."""

    database_url: str
    redis_url: str
    holds: list["Hold"] = field(default_factory=list)

    def find_lost(self) -> str | None:
        """Return why an embedded server is gone for good, or None while all is well."""
        return next((reason for hold in self.holds if (reason := hold.find_lost())), None)


@contextmanager
def services(*, ephemeral: bool = False, checkout: Path = CHECKOUT) -> Iterator[Services]:
    """Set DATABASE_URL and REDIS_URL for this process and its children, with servers behind them.

    A URL that is already set is left alone and nothing is embedded for it. `ephemeral` servers are this caller's own:
    empty, fast, careless of crashes, and deleted at the end.
    """
    wanted = {kind: name for kind, name in URL_VARIABLES.items() if not os.environ.get(name)}
    with ExitStack() as stack:
        holds = [
            stack.enter_context(_embedded(kind, name, checkout, ephemeral=ephemeral)) for kind, name in wanted.items()
        ]
        yield Services(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], holds)


@contextmanager
def _embedded(kind: str, variable: str, checkout: Path, *, ephemeral: bool) -> Iterator["Hold"]:
    # Imported here because the modules below need a POSIX system, and servers of one's own work anywhere.
    if sys.platform not in ("linux", "darwin"):
        raise EmbeddedError(f"The embedded servers run on Linux and macOS only: on {sys.platform}, {OWN_SERVERS}.")
    from .client import hold_server

    with hold_server(kind, checkout, ephemeral=ephemeral) as hold:
        previous = {name: os.environ.get(name) for name in (variable, "PATH")}
        os.environ[variable] = hold.url
        if hold.tools:
            # psql and pg_dump of the server's own version, for `manage.py dbshell` and for backups.
            os.environ["PATH"] = os.pathsep.join([hold.tools, os.environ.get("PATH", os.defpath)])
        try:
            yield hold
        finally:
            _restore_environment(previous)


def _restore_environment(previous: dict[str, str | None]) -> None:
    for name, value in previous.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
