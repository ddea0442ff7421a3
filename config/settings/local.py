"""The profile of `make run`: production on one machine, reached over plain HTTP on loopback only.

DEBUG is off and secrets are random, as in production. Cookies may travel without TLS, which is why only
loopback hosts are answered: `config/checks.py` refuses any other host in this profile.
"""

from config.logging import configure_logging

from .base import *  # noqa: F403 - a profile is the base plus its differences
from .base import VAR_DIR, env
from .secrets import read_or_generate_secrets

globals().update(read_or_generate_secrets(VAR_DIR / "secrets.json"))

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
LANGUAGE_COOKIE_SECURE = False

REWARD_HOLD_SECONDS = env.int("REWARD_HOLD_SECONDS", 60)

LOGGING_CONFIG = None
configure_logging(json=env.str("LOG_FORMAT", "text") == "json", level=env.str("LOG_LEVEL", "INFO"))
