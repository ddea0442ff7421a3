"""Tests: the real services, throw-away secrets and folders, a database and a Valkey database per worker."""

import atexit
import os
import secrets
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from config.logging import configure_logging

from . import base
from .base import *  # noqa: F403 - a profile is the base plus its differences
from .secrets import NAMES

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")

_SECRETS = {name: os.environ.get(name) or secrets.token_urlsafe(48) for name in NAMES}
SECRET_KEY = _SECRETS["SECRET_KEY"]
LEASE_KEY = _SECRETS["LEASE_KEY"]
ADDRESS_KEY = _SECRETS["ADDRESS_KEY"]
PSEUDONYM_KEY = _SECRETS["PSEUDONYM_KEY"]
SIGNING_KEY = _SECRETS["SIGNING_KEY"]

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
LANGUAGE_COOKIE_SECURE = False

if "VAR_DIR" in os.environ:
    VAR_DIR = Path(os.environ["VAR_DIR"])
else:
    VAR_DIR = Path(tempfile.mkdtemp(prefix=f"kudoscope-{WORKER}-"))
    atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
MEDIA_ROOT = VAR_DIR / "media"
RELEASES_ROOT = VAR_DIR / "releases"
# Most tests of releases have three raters, and read at once what they said; those of privacy and rhythm set all three.
RELEASE_EVERY = "day"
RELEASE_HOLD_BACK = timedelta()
RELEASE_SMALLEST_CELL = 1
STATIC_ROOT = VAR_DIR / "static"
STORAGES = base.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

# Hashing passwords slowly on purpose has no place in a test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Each test worker has its own Valkey database; a child process of a test is handed the finished URL, and
# leaves its e-mail where the test can read it.
if "KUDOSCOPE_TEST_CHILD" in os.environ:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
else:
    REDIS_URL = f"{base.REDIS_URL.split('?')[0]}?db={int(WORKER.removeprefix('gw')) + 1}"
    CACHES = {"default": base.CACHES["default"] | {"LOCATION": REDIS_URL}}
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
VALKEY_TIMEOUT_SECONDS = 2.0

REWARD_HOLD_SECONDS = 0

# Tests bring an AI Horde of their own; the one outside is never asked.
HORDE_URL = ""
HORDE_ALLOW_PRIVATE = True

LOGGING_CONFIG = None
configure_logging(json=False, level="WARNING")
