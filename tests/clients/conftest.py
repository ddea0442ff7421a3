"""Clients that others wrote, as they are published, against a live server of ours.

They are installed once into var/clients, npm's from the lock file beside this one and horde_sdk's each into an environment
of its own, because their requirements contradict ours.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import CHECKOUT
from config.embedded.process import locked

HERE = Path(__file__).parent
CACHE = CHECKOUT / "var" / "clients"
INSTALL_SECONDS = 300


@pytest.fixture(scope="session")
def npm_folder():
    """The folder that node finds both releases in."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        said = "node and npm are not installed; the clients of npm are tested where they are."
        # Where everything is to be tested, a test that is left out says that all is well.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    return installed("npm", [HERE / "package.json", HERE / "package-lock.json"], install_from_npm)


@pytest.fixture
def npm(npm_folder, live_server, rater):
    """Call the ratings part of a release as its users do; return its value, or what it has thrown."""

    def call(package, method, *args, token=rater.key, agent="old-client:1:nobody"):
        options = {"ratings_api_route": f"{live_server.url}/api/v1", "client_agent": agent, "default_token": token}
        asked = {"folder": str(npm_folder), "package": package, "options": options, "method": method, "args": args}
        return run_client(["node", HERE / "call_npm.mjs"], asked)

    return call


@pytest.fixture(scope="session", params=["0.18.0", "0.5.0"])
def sdk_python(request):
    """The Python of an environment with one release of horde_sdk."""
    version = request.param
    folder = installed(
        f"horde_sdk-{version}",
        [HERE / "constraints.txt"],
        lambda folder: install_from_pypi(folder, [f"horde_sdk=={version}", "python-dotenv"]),
    )
    return folder / "bin" / "python"


@pytest.fixture
def sdk(sdk_python, live_server):
    """Send requests through horde_sdk, each given by the name of its class and its fields; return what became of each."""

    def call(*requests):
        return run_client([sdk_python, HERE / "call_sdk.py"], {"base": f"{live_server.url}/api/", "requests": requests})

    return call


def run_client(command, asked):
    """Run a client that reads JSON and writes JSON; its home is empty, so that no settings of ours reach it."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(CACHE)}
    text = json.dumps(asked)
    done = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def installed(name, files, install):
    """Return the folder of a client, installed anew when the files that pin it have changed; one process at a time."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files) + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{name}.lock", seconds=INSTALL_SECONDS) as is_alone:
        assert is_alone, f"Somebody has been installing {name} for {INSTALL_SECONDS} s."
        if not (folder / "is-complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            (folder / "is-complete").touch()
    return folder


def install_from_npm(folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    # No script of a package is run: none of them needs one.
    run_installer(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)


def install_from_pypi(folder, wanted):
    run_installer([sys.executable, "-m", "venv", folder], folder)
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    pip = [folder / "bin" / "python", "-m", "pip", "install"]
    run_installer([*pip, *options, "--constraint", HERE / "constraints.txt", *wanted], folder)


def run_installer(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}"
