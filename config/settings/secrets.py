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

NAMES = ("SECRET_KEY", "LEASE_KEY", "ADDRESS_KEY", "PSEUDONYM_KEY")
MINIMUM_LENGTH = 40


def read_environment_secrets() -> dict[str, str]:
    """Return every secret from the environment.

    Raises ImproperlyConfigured for one that is missing, short, or the same as another.
    """
    values = {name: os.environ.get(name, "") for name in NAMES}
    for name, value in values.items():
        if len(value) < MINIMUM_LENGTH or value.startswith("django-insecure"):
            raise ImproperlyConfigured(
                f"{name} must be set to at least {MINIMUM_LENGTH} random characters; make one with: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
    if len(set(values.values())) != len(values):
        raise ImproperlyConfigured(f"{', '.join(NAMES)} must all differ from one another.")
    return values


def read_or_generate_secrets(path: Path) -> dict[str, str]:
    """Return the secrets kept in ``path``, generating those that are missing.

    The environment wins over the file. Two processes that start at once agree: the file is written aside
    and linked into place, and whoever comes second reads what the first wrote.
    """
    stored = json.loads(path.read_text()) if path.exists() else {}
    if missing := [name for name in NAMES if name not in stored]:
        stored |= {name: secrets.token_urlsafe(48) for name in missing}
        stored = _write_once(path, stored)
    return {name: os.environ.get(name) or stored[name] for name in NAMES}


def _write_once(path: Path, values: dict[str, str]) -> dict[str, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=2)
    inherit_owner(aside)
    try:
        if path.exists():
            os.replace(aside, path)
            return values
        os.link(aside, path)
    except FileExistsError:
        values = json.loads(path.read_text())
    finally:
        aside.unlink(missing_ok=True)
    return values
