"""What changes accounts: keys are made and revoked, identities come into being."""

import contextlib
import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import ApiKey, Identity, IdentityKind, Scope, User
from accounts.providers.own import KEY_CACHE_SECONDS, KEY_LENGTH, REVOKED, cache_name, digest_of
from accounts.queries import PREFIX_LENGTH, keys_of
from accounts.valkey import ValkeyUnavailable, ask_valkey

MAX_LIVE_KEYS = 20
# A space and no @: a name and an address that nobody can sign up with.
ENGINE_NAME = "quality engine"
ALPHABET = string.ascii_letters + string.digits


class TooManyApiKeys(Exception):
    """A user holds as many live keys as one may."""


class NoSuchApiKey(Exception):
    """There is no such key, it is another user's, or it is revoked already."""


def keep_language(*, user_id: int, language: str) -> None:
    """Remember in which language an account wants its pages, on whichever device it signs in."""
    User.objects.filter(pk=user_id).update(language=language)


def create_api_key(
    *, user: User, name: str, scopes: Iterable[str] = (Scope.RATE, Scope.READ), now: datetime
) -> tuple[ApiKey, str]:
    """Make a key for ``user`` and return it with its secret, which is not kept and cannot be shown again.

    Making a key accepts the ratings licence. Raises TooManyApiKeys, or ValueError for an unknown scope.
    """
    chosen = [Scope(scope).value for scope in scopes]
    secret = "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if sum(key.revoked_at is None for key in keys_of(user.pk)) >= MAX_LIVE_KEYS:
            raise TooManyApiKeys(_("You have %(most)d keys in use. Revoke one first.") % {"most": MAX_LIVE_KEYS})
        User.objects.filter(pk=user.pk, licence_accepted_at=None).update(licence_accepted_at=now)
        ensure_identity(kind=IdentityKind.ACCOUNT, external_id=str(user.pk), user_id=user.pk)
        key = ApiKey.objects.create(
            user=user,
            name=name,
            prefix=secret[:PREFIX_LENGTH],
            digest=digest_of(secret),
            scopes=chosen,
            created_at=now,
        )
    return key, secret


def revoke_api_key(*, user: User, key_id: int, now: datetime) -> ApiKey:
    """Revoke one of the user's own keys, at once. Raises NoSuchApiKey."""
    key = ApiKey.objects.filter(pk=key_id, user=user, revoked_at=None).first()
    if key is None or not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        raise NoSuchApiKey(_("There is no such key, or it is revoked already."))
    # An outage is counted; a reader that cannot reach Valkey asks the database, which has the truth.
    with contextlib.suppress(ValkeyUnavailable):
        # Not deleted but overwritten: whoever has read the row just before may not remember it as good after this.
        ask_valkey("forget_key", lambda valkey: valkey.set(cache_name(key.digest), REVOKED, ex=KEY_CACHE_SECONDS))
    key.revoked_at = now
    return key


def ensure_identity(*, kind: IdentityKind, external_id: str, user_id: int | None = None, name: str = "") -> int:
    """Return the identity's id, making it when it is new. Safe when two come at once."""
    defaults = {"user_id": user_id, "name": name}
    identity, _ = Identity.objects.get_or_create(kind=kind, external_id=external_id, defaults=defaults)
    return identity.pk


def record_key_usage(*, last_used: Mapping[int, float]) -> int:
    """Write when keys were last used (key id to seconds since the epoch); return how many rows changed."""
    rows = [ApiKey(pk=key_id, last_used_at=datetime.fromtimestamp(at, UTC)) for key_id, at in last_used.items()]
    return ApiKey.objects.bulk_update(rows, ["last_used_at"], batch_size=1000) if rows else 0


def ensure_engine_user() -> User:
    """Return the user in whose name the quality engine decides; nobody can sign in or up as it."""
    unusable = {"email": ENGINE_NAME, "is_active": False, "password": make_password(None)}
    user, _ = User.objects.get_or_create(username=ENGINE_NAME, defaults=unusable)
    return user
