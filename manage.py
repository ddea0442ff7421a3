#!/usr/bin/env python3
"""Django's entry point. PostgreSQL and Valkey are up while the command runs, whether or not `make run` is."""

import importlib.util
import os
import sys
from contextlib import ExitStack

# Commands that work on files alone.
WITHOUT_SERVERS = {"help", "version", "--version", "replay_ratings"}


def needs_servers(arguments: list[str]) -> bool:
    """Tell apart the commands that only print something about the commands, or that work on files."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return bool(own) and own[0] not in WITHOUT_SERVERS and not {"-h", "--help"} & set(own)


def main() -> None:
    if importlib.util.find_spec("django") is None:
        sys.exit("Django is not installed for this Python: use `.venv/bin/python manage.py`, which `make run` sets up.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.embedded import EmbeddedError, services

    with ExitStack() as stack:
        if needs_servers(sys.argv[1:]):
            try:
                stack.enter_context(services())
            except EmbeddedError as error:
                sys.exit(str(error))
        else:
            # The settings want addresses, and nobody connects to them.
            os.environ.setdefault("DATABASE_URL", "postgresql:///kudoscope")
            os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
