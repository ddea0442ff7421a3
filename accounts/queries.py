"""Reads of identities and keys."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from accounts.models import ApiKey, Identity, IdentityKind

PREFIX_LENGTH = 8
KNOWN = """
    SELECT i.id, i.external_id, i.user_id, u.is_active IS NOT FALSE
    FROM accounts_identity i LEFT JOIN accounts_user u ON u.id = i.user_id
    WHERE i.kind = %s AND i.external_id = %s
"""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whom an API key speaks for."""

    key_id: int
    user_id: int
    identity_id: int | None
    scopes: tuple[str, ...]


def find_key_holder(*, prefix: str, digest: str) -> KeyHolder | None:
    """Return whom the key speaks for, or None when it is unknown, revoked or its user may not sign in."""
    key = (
        ApiKey.objects.filter(prefix=prefix, digest=digest, revoked_at=None, user__is_active=True)
        .only("id", "user_id", "scopes")
        .first()
    )
    if key is None:
        return None
    identity_id = find_identity_id(kind=IdentityKind.ACCOUNT, user_id=key.user_id)
    return KeyHolder(key.pk, key.user_id, identity_id, tuple(key.scopes))


def find_identity_id(*, kind: IdentityKind, user_id: int | None = None, external_id: str | None = None) -> int | None:
    """Return the identity of an account (by user) or of anything else (by external id), if it is known."""
    rows = Identity.objects.filter(kind=kind)
    rows = rows.filter(external_id=external_id) if user_id is None else rows.filter(user_id=user_id)
    return rows.values_list("id", flat=True).first()


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """An identity that has answered before. ``may_act`` is False when it is linked to an account that is closed."""

    identity_id: int
    external_id: str
    user_id: int | None
    may_act: bool


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An identity elsewhere that a person has linked to their account."""

    id: int
    name: str


def is_key_known(*, prefix: str, digest: str) -> bool:
    """Return whether this is, or was, a key of ours."""
    return ApiKey.objects.filter(prefix=prefix, digest=digest).exists()


def find_known_identity(*, kind: IdentityKind, external_id: str) -> KnownIdentity | None:
    """Return the identity of somebody whom another service vouches for, as every call of theirs asks."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [kind, external_id])
        row = cursor.fetchone()
    return KnownIdentity(*row) if row else None


def find_identity_by_key(*, digest: str, since: datetime) -> KnownIdentity | None:
    """Return the identity whose key was confirmed last under this hash, if after ``since``."""
    rows = Identity.objects.filter(key_digest=digest, key_confirmed_at__gte=since).exclude(key_digest="")
    row = rows.order_by("-key_confirmed_at").values_list("id", "external_id", "user_id", "user__is_active").first()
    return None if row is None else KnownIdentity(row[0], row[1], row[2], row[3] is not False)


def linked_identities(user_id: int) -> list[LinkedIdentity]:
    """Return the identities at AI Horde that a person has linked, oldest first."""
    rows = Identity.objects.filter(user_id=user_id, kind=IdentityKind.HORDE).order_by("id")
    return [
        LinkedIdentity(pk, name or f"#{number}") for pk, name, number in rows.values_list("id", "name", "external_id")
    ]


def claimed_browsers(user_id: int) -> list[str]:
    """Return the ids of browsers whose ratings a person has added to their account, the last one first."""
    rows = Identity.objects.filter(user_id=user_id, kind=IdentityKind.BROWSER).order_by("-id")
    return list(rows.values_list("external_id", flat=True))


def identities_of_person(identity_id: int) -> list[int]:
    """Return an identity and all that are linked to the same account, by id."""
    user = Identity.objects.filter(pk=identity_id, user__isnull=False).values("user_id")
    same_person = Q(pk=identity_id) | Q(user_id__in=user)
    return list(Identity.objects.filter(same_person).order_by("id").values_list("id", flat=True))


def keys_of(user_id: int) -> list[ApiKey]:
    """Return a user's keys, newest first, revoked ones last."""
    return list(ApiKey.objects.filter(user_id=user_id).order_by("-revoked_at", "-id"))
