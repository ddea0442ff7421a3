"""How raters come into being."""

from datetime import datetime

from django.db import transaction

from accounts.access import Caller
from accounts.models import User
from accounts.services import ensure_identity
from kudos.services import ensure_user_accounts
from ratings.models import Rater


def ensure_rater(caller: Caller, *, now: datetime) -> int:
    """Return the caller's identity id; identity, rater and kudos account are made on the first answer.

    The page shows the ratings licence with the first image, so the first answer accepts it.
    """
    with transaction.atomic():
        identity_id = caller.identity_id or ensure_identity(
            kind=caller.kind, external_id=caller.external_id, user_id=caller.user_id
        )
        Rater.objects.get_or_create(identity_id=identity_id, defaults={"is_shared": caller.is_shared})
        if caller.user_id is not None:
            User.objects.filter(pk=caller.user_id, licence_accepted_at=None).update(licence_accepted_at=now)
        if not caller.is_shared:
            ensure_user_accounts([identity_id])
    return identity_id
