"""Given a key, who is it? Our own keys first, then AI Horde's where it is set up."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from accounts.providers.base import KeyOwner, RememberingProvider
from accounts.providers.horde import HordeKeys, NoHorde
from accounts.providers.own import OwnKeys


def horde_provider() -> RememberingProvider:
    """Return the provider of AI Horde's users, or its twin that knows nobody."""
    if not settings.HORDE_URL:
        return NoHorde()
    return HordeKeys(url=settings.HORDE_URL, allow_private=settings.HORDE_ALLOW_PRIVATE)


def find_key_owner(secret: str, *, now: datetime, before_asking: Callable[[], object]) -> KeyOwner | None:
    """Return whose key it is, or None. Raises ProviderUnavailable or KeyRefused.

    ``before_asking`` is called before a key that nobody remembers is looked up, and may raise.
    """
    horde = horde_provider()

    def look_out() -> None:
        if not horde.remembers(secret, now=now):
            before_asking()

    return OwnKeys(before_asking=look_out).find_owner(secret, now=now) or horde.find_owner(secret, now=now)
