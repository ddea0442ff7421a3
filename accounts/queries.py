"""Reads of identities and keys."""

from dataclasses import dataclass

from accounts.models import ApiKey, Identity, IdentityKind

PREFIX_LENGTH = 8


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


def keys_of(user_id: int) -> list[ApiKey]:
    """Return a user's keys, newest first, revoked ones last."""
    return list(ApiKey.objects.filter(user_id=user_id).order_by("-revoked_at", "-id"))
