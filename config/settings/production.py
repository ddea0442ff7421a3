"""Production: everything that secures the service comes from the environment and has no default.

What is unsafe is refused here, because a web server runs no system checks; `manage.py check --deploy` shows the rest.
"""

from django.core.exceptions import ImproperlyConfigured

from config.logging import configure_logging

from .base import *  # noqa: F403 - a profile is the base plus its differences
from .base import RELAY_NETWORKS, TRUSTED_PROXY_COUNT, TRUSTED_PROXY_HEADER, env
from .secrets import read_environment_secrets

globals().update(read_environment_secrets())

ALLOWED_HOSTS = [host.strip() for host in env.list("ALLOWED_HOSTS")]
if not ALLOWED_HOSTS or any("*" in host for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that are answered, without *.")
CSRF_TRUSTED_ORIGINS = [f"https://{'*' if host.startswith('.') else ''}{host}" for host in ALLOWED_HOSTS]
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")
if not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured("PUBLIC_URL must be the address of the service, as https://ratings.example.org")

if RELAY_NETWORKS and TRUSTED_PROXY_COUNT and TRUSTED_PROXY_HEADER != "Forwarded":
    raise ImproperlyConfigured(
        "RELAY_NETWORKS behind a proxy needs TRUSTED_PROXY_HEADER=Forwarded: a client may choose the address "
        "in X-Forwarded-For, by its other spelling X_Forwarded_For."
    )

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("TRUSTED_PROXY_COUNT", 0) else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True

try:
    globals().update(env.email("EMAIL_URL"))
except ImproperlyConfigured as error:
    raise ImproperlyConfigured("EMAIL_URL must be set, as smtp+tls://user:password@mail.example.org:587") from error

LOGGING_CONFIG = None
configure_logging(json=True, level=env.str("LOG_LEVEL", "INFO"))
