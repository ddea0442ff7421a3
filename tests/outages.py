"""Dependencies that are really down: servers of a test's own, to be stopped, frozen and filled up."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from accounts import valkey
from config.embedded import CHECKOUT
from config.embedded.client import hold_server

NO_VALKEY = "unix:///nonexistent/valkey.sock?db=0"
NO_DATABASE = "postgresql:///kudoscope?host=/nonexistent"


@contextmanager
def own_valkey(settings) -> Iterator[str]:
    """Start a Valkey that nobody else uses, and point the settings at it."""
    with hold_server("valkey", CHECKOUT, ephemeral=True) as hold:
        settings.REDIS_URL = hold.url
        try:
            yield hold.url
        finally:
            valkey._clients.pop(hold.url, None).close()


@contextmanager
def frozen(process_id: int) -> Iterator[None]:
    """Let a process accept connections and answer none of them."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)
