"""A pytest plugin: tests run on real servers, embedded ones unless DATABASE_URL and REDIS_URL are set.

Loaded with `-p tests.services` before pytest-django reads the settings, which want both addresses. The workers of
pytest-xdist inherit them from the controller and start nothing.
"""

import atexit
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from config.embedded import EmbeddedError, services

_running = ExitStack()
# For the ways out that pass pytest_unconfigure by, as a conftest that cannot be imported.
atexit.register(_running.close)


# A wrapper goes before pytest-django's own hook, whichever plugin was registered first.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    try:
        _running.enter_context(services(ephemeral=True))
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error
    return (yield)


def pytest_unconfigure() -> None:
    _running.close()
