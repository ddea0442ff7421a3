"""How raters come into being, and what is known of them elsewhere."""

from datetime import datetime
from functools import lru_cache

from django.db import transaction

from accounts.access import Caller
from accounts.models import User
from accounts.providers.base import ExternalProfile
from accounts.services import ensure_identity
from kudos.services import ensure_user_accounts
from ratings.models import Rater
from ratings.queries.prepared import fetch_prepared

# Writes only what differs. When an account was made is reckoned from its age, so it differs by a moment each time;
# when the key was last confirmed is needed by the day. The rater is locked before the identity, as for linking.
REFRESH = """
WITH rater AS (
    UPDATE ratings_rater SET
        images_generated = %(images_generated)s, external_kudos = %(kudos)s, is_trusted_elsewhere = %(is_trusted)s,
        external_created_at = %(created_at)s
    WHERE identity_id = %(identity)s AND (
        (images_generated, external_kudos, is_trusted_elsewhere)
            IS DISTINCT FROM (%(images_generated)s::bigint, %(kudos)s::bigint, %(is_trusted)s)
        OR external_created_at IS NULL
        OR abs(extract(epoch FROM external_created_at - %(created_at)s)) > 60
    )
    RETURNING id
)
UPDATE accounts_identity SET
    name = %(name)s, key_digest = %(key_digest)s, key_confirmed_at = %(confirmed_at)s
FROM (SELECT count(*) FROM rater) refreshed
WHERE id = %(identity)s AND (
    (name, key_digest) IS DISTINCT FROM (%(name)s, %(key_digest)s)
    OR key_confirmed_at < %(confirmed_at)s - interval '1 day'
)
RETURNING id
"""


def ensure_rater(caller: Caller, *, now: datetime) -> int:
    """Return the caller's identity id; identity, rater and kudos account are made on the first answer.

    The page shows the ratings licence with the first image, so the first answer accepts it.
    """
    name = caller.profile.name if caller.profile else ""
    with transaction.atomic():
        identity_id = caller.identity_id or ensure_identity(
            kind=caller.kind, external_id=caller.external_id, user_id=caller.user_id, name=name
        )
        open_rater(identity_id, is_shared=caller.is_shared)
        if caller.user_id is not None:
            accept_licence(user_id=caller.user_id, now=now)
        refresh_rater(identity_id=identity_id, profile=caller.profile)
    return identity_id


def accept_licence(*, user_id: int, now: datetime) -> None:
    """Write down when a person first answered a page that shows the licence of ratings; the first time counts."""
    User.objects.filter(pk=user_id, licence_accepted_at=None).update(licence_accepted_at=now)


def open_rater(identity_id: int, *, is_shared: bool = False) -> Rater:
    """Return the rater of an identity, making it and its kudos account when there is none."""
    rater, _ = Rater.objects.get_or_create(identity_id=identity_id, defaults={"is_shared": is_shared})
    if not is_shared:
        ensure_user_accounts([identity_id])
    return rater


@lru_cache(maxsize=4096)
def refresh_rater_once(*, identity_id: int, profile: ExternalProfile | None) -> None:
    """As `refresh_rater`, unless this process has written down the same before: what is said lives ten minutes."""
    refresh_rater(identity_id=identity_id, profile=profile)


def refresh_rater(*, identity_id: int, profile: ExternalProfile | None) -> None:
    """Write down what another service says of a rater, if it says anything new: the evidence of the next rating."""
    if profile is None:
        return
    params: dict[str, object] = {
        "identity": identity_id,
        "name": profile.name,
        "key_digest": profile.key_digest,
        "confirmed_at": profile.confirmed_at,
        "images_generated": profile.images_generated,
        "kudos": profile.kudos,
        "is_trusted": profile.is_trusted,
        "created_at": profile.created_at,
    }
    fetch_prepared(REFRESH, params)
