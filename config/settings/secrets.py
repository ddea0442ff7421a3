"""The secrets of one installation, and where each comes from.

Production reads every secret from the environment and refuses to start without it. The local profile
generates them once into ``var/secrets.json`` (mode 0600), so that `make run` is as strict as production.
"""

import json
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.embedded.account import inherit_owner
from config.embedded.process import locked

NAMES = ("SECRET_KEY", "LEASE_KEY", "ADDRESS_KEY", "PSEUDONYM_KEY", "SIGNING_KEY")
MINIMUM_LENGTH = 50


def read_environment_secrets() -> dict[str, str]:
    """Return every secret from the environment.

    Raises ImproperlyConfigured for one that is missing, short, or the same as another.
    """
    values = {name: os.environ.get(name, "") for name in NAMES}
    _check(values)
    return values


def read_or_generate_secrets(path: Path) -> dict[str, str]:
    """Return the secrets kept in ``path``, generating those that are missing.

    The environment wins over the file. Processes that start at once agree: one of them writes, the others
    wait for it and read. Raises ImproperlyConfigured as above, or when the file is damaged.
    """
    stored = _read(path)
    if any(name not in stored for name in NAMES):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), seconds=30) as is_alone:
            if not is_alone:
                raise ImproperlyConfigured(f"Another process has been making {path} for half a minute: end it first.")
            stored = {name: secrets.token_urlsafe(48) for name in NAMES} | _read(path)
            _write(path, stored)
    values = {name: os.environ.get(name) or stored[name] for name in NAMES}
    _check(values)
    return values


def _check(values: dict[str, str]) -> None:
    for name, value in values.items():
        if len(value) < MINIMUM_LENGTH or value.startswith("django-insecure"):
            raise ImproperlyConfigured(
                f"{name} must be set to at least {MINIMUM_LENGTH} random characters; make one with: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
    if len(set(values.values())) != len(values):
        raise ImproperlyConfigured(f"{', '.join(NAMES)} must all differ from one another.")


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{path} is damaged. Restore it from a backup, or delete it: then everybody signs in again."
        ) from error


def _write(path: Path, values: dict[str, str]) -> None:
    """Write aside and move into place, so that nobody ever reads half a file."""
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=2)
    inherit_owner(aside)
    aside.replace(path)
