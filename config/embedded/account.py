"""Whom the servers run as: PostgreSQL refuses root, so root lends them an unprivileged account."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import OWN_SERVERS, EmbeddedError


@dataclass(frozen=True)
class Account:
    """A user of this machine, and whether this process must switch to it."""

    uid: int
    gid: int
    name: str
    is_lent: bool

    def credentials(self) -> dict[str, Any]:
        """Return the arguments for subprocess that start a program as this account."""
        if not self.is_lent:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}

    def can_execute(self, path: Path) -> bool:
        """Ask the kernel rather than add up mode bits: access lists and closed parent folders count too."""
        check = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
        return subprocess.run(check, cwd="/", check=False, **self.credentials()).returncode == 0

    def give(self, path: Path) -> None:
        """Make the account the owner."""
        if self.is_lent:
            os.chown(path, self.uid, self.gid)


def get_account(uid: int) -> Account:
    """Return the account of a user id that has a name on this machine, which PostgreSQL needs."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"The user id {uid} has no name on this machine, and PostgreSQL needs one: add it to /etc/passwd, "
            f"or {OWN_SERVERS}."
        ) from None
    return Account(uid, entry.pw_gid, entry.pw_name, is_lent=os.geteuid() == 0 and uid != 0)


def choose_account(owned: list[Path]) -> Account:
    """Choose whom the servers run as.

    An ordinary user: that user. Root: the owner of the first of these paths that is there and not root's own, else
    whoever called sudo, else `nobody`.
    """
    if os.geteuid() != 0:
        return get_account(os.geteuid())
    candidates = [path.stat().st_uid for path in owned if path.exists()]
    candidates += [int(uid) for uid in [os.environ.get("SUDO_UID", "")] if uid.isdecimal()]
    for uid in candidates:
        if uid != 0 and _has_name(uid):
            return get_account(uid)
    try:
        return get_account(pwd.getpwnam("nobody").pw_uid)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and this machine has no user `nobody`: start as an ordinary user, "
            f"or {OWN_SERVERS}."
        ) from None


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def inherit_owner(path: Path) -> None:
    """Give what root makes in somebody's checkout to that somebody, who must be able to go on without root."""
    if os.geteuid() == 0:
        parent = path.parent.stat()
        os.chown(path, parent.st_uid, parent.st_gid)
