"""What a provider of identities is: something that knows, given a key, who it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from accounts.models import IdentityKind


class ProviderUnavailable(Exception):
    """Whose key it is could not be found out just now, and was not known from before."""


class KeyRefused(Exception):
    """The key is known and not good for this; the message says why. No other provider is to be asked about it."""


@dataclass(frozen=True, slots=True)
class ExternalProfile:
    """A user as another service describes them, and when it did.

    ``images_generated`` and ``kudos`` are whole numbers of that service; ``key_digest`` is the keyed hash of the key.
    """

    name: str
    is_trusted: bool
    images_generated: int
    kudos: int
    created_at: datetime
    key_digest: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whom a key speaks for. ``identity_id`` is None before the first answer, ``user_id`` when no account is linked.

    ``profile`` is None for our own keys, and when the owner is only known from before.
    """

    kind: IdentityKind
    external_id: str
    identity_id: int | None
    user_id: int | None
    scopes: tuple[str, ...]
    profile: ExternalProfile | None = None


class Provider(Protocol):
    """Given a key, who is it?"""

    def find_owner(self, secret: str, *, now: datetime) -> KeyOwner | None:
        """Return whose key it is, or None when it is nobody's here. Writes nothing to PostgreSQL.

        Raises ProviderUnavailable or KeyRefused.
        """
        ...


class RememberingProvider(Provider, Protocol):
    """A provider that has to ask elsewhere and remembers the answers, in Valkey."""

    def memory_name(self, secret: str) -> str:
        """Return the name under which an answer about a key is kept, or "" where there can be none."""
        ...

    def take_recalled(self, secret: str, data: bytes | None) -> None:
        """Take what was found under that name, so that it need not be read again."""
        ...

    def remembers(self, secret: str, *, now: datetime) -> bool:
        """Return whether it knows, without asking, that the key is one of its own."""
        ...
