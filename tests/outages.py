"""Dependencies that are really down: servers of a test's own, to be stopped, frozen and filled up."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accounts import valkey
from config.embedded import CHECKOUT
from config.embedded.client import hold_server

NOBODY = 65534
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


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that anybody may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="kudoscope-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Act as somebody whom file permissions bind, also where tests run as root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
