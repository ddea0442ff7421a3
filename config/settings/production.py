"""Production: everything that secures the service comes from the environment and has no default.

`config/checks.py` refuses to start on a combination that is unsafe (`manage.py check --deploy` shows all).
"""

from config.logging import configure_logging

from .base import *  # noqa: F403 - a profile is the base plus its differences
from .base import env
from .secrets import read_environment_secrets

globals().update(read_environment_secrets())

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS]
PUBLIC_URL = env.str("PUBLIC_URL")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("TRUSTED_PROXY_COUNT", 0) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True

EMAIL_CONFIG = env.email("EMAIL_URL")
globals().update(EMAIL_CONFIG)

LOGGING_CONFIG = None
configure_logging(json=True, level=env.str("LOG_LEVEL", "INFO"))
