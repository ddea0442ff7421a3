"""A checkout of its own, in a folder with a space, for the tests that start real servers."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest

from config.embedded.plan import SYSTEM_FOLDER, fingerprint
from tests.config.checkouts import make_checkout


@pytest.fixture
def checkout():
    """An open folder, also for the account that root lends to the servers; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="kudo scope ", dir="/tmp")).resolve()
    folder.chmod(0o755)
    made = make_checkout(folder)
    yield made
    # A keeper ends a moment after its server; one that stays is found all the same.
    until = time.monotonic() + 5
    while (left := made.find_processes()) and time.monotonic() < until:
        time.sleep(0.05)
    shutil.rmtree(folder)
    shutil.rmtree(SYSTEM_FOLDER / f"{folder.name}-{fingerprint(folder)}", ignore_errors=True)
    for sockets in Path("/tmp").glob(f"kudoscope-*-{fingerprint(folder)}"):
        shutil.rmtree(sockets)
    assert left == []
