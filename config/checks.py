"""System checks that refuse to start on a combination that is unsafe."""

import ipaddress
from typing import Any

from django.conf import settings
from django.core.checks import Error, register


@register()
def check_profile_is_safe(app_configs: Any, **_: Any) -> list[Error]:
    """Refuse DEBUG, open hosts, and plain-HTTP cookies anywhere but on loopback."""
    del app_configs
    problems = []
    if settings.DEBUG:
        problems.append(Error("DEBUG must be off.", id="kudoscope.E001"))
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        problems.append(Error("ALLOWED_HOSTS must name the hosts that are answered.", id="kudoscope.E002"))
    is_plain = not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE)
    if is_plain and not all(_is_loopback(host) for host in settings.ALLOWED_HOSTS):
        problems.append(
            Error("Cookies may travel over plain HTTP only when every allowed host is loopback.", id="kudoscope.E003")
        )
    return problems


def _is_loopback(host: str) -> bool:
    if host in {"localhost", "testserver"}:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
