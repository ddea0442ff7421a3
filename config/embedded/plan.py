"""Where one server of one checkout keeps its data, sockets and logs."""

import hashlib
import json
import os
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from .account import Account, choose_account, get_account, inherit_owner
from .errors import OWN_SERVERS, EmbeddedError
from .wheels import WHEELS, Wheel, find_reachable_package

# For root only, when the checkout lies in a folder that the servers' account cannot enter.
SYSTEM_FOLDER = Path("/var/lib/kudoscope")
# The kernel takes 107 bytes on Linux, 103 on macOS; the longest name below is `.s.PGSQL.5432`.
_LONGEST_SOCKET_FOLDER = 85


@dataclass(frozen=True)
class Plan:
    """All that a keeper needs to know; travels to it as JSON."""

    kind: str
    checkout: Path
    package: Path
    data: Path
    sockets: Path
    run: Path
    log: Path
    uid: int
    is_ephemeral: bool

    @property
    def wheel(self) -> Wheel:
        return WHEELS[self.kind]

    @property
    def account(self) -> Account:
        return get_account(self.uid)

    @property
    def program(self) -> Path:
        return self.package / self.wheel.program

    @property
    def control(self) -> Path:
        """The socket on which the keeper is reached."""
        return self.sockets / f"{self.kind}.keeper"

    @property
    def state(self) -> Path:
        """The file that tells other processes of this checkout where the keeper is."""
        return self.run / f"{self.kind}.json"

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        values = json.loads(text)
        paths = {name: Path(values[name]) for name in ("checkout", "package", "data", "sockets", "run", "log")}
        return cls(**values | paths)


def data_folders(kind: str, checkout: Path) -> tuple[Path, Path]:
    """Return where the data lies, and where it lies for root when the checkout is closed to the servers' account."""
    return checkout / "var" / kind, SYSTEM_FOLDER / f"{checkout.name}-{fingerprint(checkout)}" / kind


def plan_lasting(kind: str, checkout: Path) -> Plan:
    """Plan the server whose data stays, in `var/` of the checkout."""
    inside, outside = data_folders(kind, checkout)
    account = choose_account([inside, outside, checkout])
    make_shared_folders(checkout)
    data = _choose_data_folder(inside, outside, account)
    sockets = _short_folder(account) / f"kudoscope-{account.uid}-{fingerprint(checkout)}"
    make_private_folder(sockets, account)
    package = find_reachable_package(WHEELS[kind], account, SYSTEM_FOLDER / "wheels")
    return Plan(
        kind,
        checkout,
        package,
        data,
        sockets,
        checkout / "var" / "run",
        checkout / "var" / "log",
        account.uid,
        is_ephemeral=False,
    )


def plan_ephemeral(kind: str, checkout: Path) -> Plan:
    """Plan a server with all it has in one temporary folder, which its keeper deletes."""
    account = choose_account([*data_folders(kind, checkout), checkout])
    package = find_reachable_package(WHEELS[kind], account, SYSTEM_FOLDER / "wheels")
    folder = Path(tempfile.mkdtemp(prefix="kudoscope-", dir=_short_folder(account)))
    account.give(folder)
    return Plan(kind, checkout, package, folder / kind, folder, folder, folder, account.uid, is_ephemeral=True)


def fingerprint(checkout: Path) -> str:
    return hashlib.sha256(os.fsencode(checkout)).hexdigest()[:10]


def make_shared_folders(checkout: Path) -> None:
    """Make `var/` and what every process needs in it; the account that root lends to the servers must get through."""
    for folder in (checkout / "var", checkout / "var" / "run", checkout / "var" / "log"):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            if os.geteuid() == 0:
                folder.chmod(0o755)
                inherit_owner(folder)


def _choose_data_folder(inside: Path, outside: Path, account: Account) -> Path:
    """Choose the checkout or, for root where the account cannot enter it, a system folder; data there decides."""
    is_inside = inside.exists() or (account.can_execute(inside.parent) and not outside.exists())
    chosen = inside if is_inside else outside
    if chosen.exists() and chosen.stat().st_uid != account.uid:
        raise EmbeddedError(
            f"The data in {chosen} belongs to another user (id {chosen.stat().st_uid}): start as that user, or change "
            f"the owner with `sudo chown -R {account.name}`."
        )
    if chosen.exists() and not account.can_execute(chosen):
        raise EmbeddedError(
            f"The data in {chosen} cannot be reached by the user {account.name}: open the folders above it "
            f"(chmod a+x), start as the user who made it, or {OWN_SERVERS}."
        )
    chosen.parent.mkdir(parents=True, exist_ok=True)
    return chosen


def _short_folder(account: Account) -> Path:
    """Return the temporary folder, or /tmp where its path is too long for a socket or closed to the account."""
    folder = Path(tempfile.gettempdir()).resolve()
    longest = len(os.fsencode(folder)) + len(f"/kudoscope-{os.getuid()}-{'0' * 10}")
    is_fit = longest <= _LONGEST_SOCKET_FOLDER and account.can_execute(folder)
    return folder if is_fit else Path("/tmp")  # noqa: S108 - owner and mode are checked


def make_private_folder(folder: Path, account: Account) -> None:
    """Make the folder of the sockets, for its owner alone: inside it the servers trust whoever connects.

    Anybody can make a folder of that name in /tmp first, so one that is there must be ours and closed.
    """
    try:
        folder.mkdir(mode=0o700)
        account.give(folder)
    except FileExistsError:
        if not is_private(folder, account.uid):
            raise EmbeddedError(
                f"{folder} is not a folder of {account.name} alone, so it is not safe to connect through it: "
                f"delete it, or set TMPDIR to a folder of your own."
            ) from None


def is_private(folder: Path, uid: int) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077
