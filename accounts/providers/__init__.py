"""Given a key, who is it? Our own keys first, then AI Horde's where it is set up."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from accounts.providers.base import KeyOwner, RememberingProvider
from accounts.providers.horde import HordeKeys, NoHorde
from accounts.providers.own import OwnKeys
from accounts.valkey import ValkeyUnavailable, recall


def horde_provider() -> RememberingProvider:
    """Return the provider of AI Horde's users, or its twin that knows nobody."""
    if not settings.HORDE_URL:
        return NoHorde()
    return HordeKeys(url=settings.HORDE_URL, allow_private=settings.HORDE_ALLOW_PRIVATE)


def find_key_owner(secret: str, *, now: datetime, before_asking: Callable[[], object]) -> KeyOwner | None:
    """Return whose key it is, or None. Raises ProviderUnavailable or KeyRefused.

    What both providers remember is read in one round trip. ``before_asking`` is called before a key that nobody
    remembers is looked up, and may raise. A key that AI Horde has vouched for is not sought among ours.
    """
    own, horde = OwnKeys(), horde_provider()
    try:
        ours, theirs = recall([own.memory_name(secret), horde.memory_name(secret)])
    except ValkeyUnavailable:
        ours = theirs = None
    horde.take_recalled(secret, theirs)
    if ours is not None:
        return own.owner_from(ours)
    if not horde.remembers(secret, now=now):
        before_asking()
        if owner := own.find_owner(secret, now=now):
            return owner
    return horde.find_owner(secret, now=now)
