"""A person's AI Horde identity and their account become one person, and apart again.

Linking points the identity to the user and rewrites no rating. docs/decisions/0012 tells what follows.
"""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Identity, IdentityKind, User
from accounts.providers.base import ExternalProfile, KeyOwner, KeyRefused, Provider, ProviderUnavailable
from accounts.providers.horde import FRESH
from accounts.queries import LinkedIdentity
from accounts.services import ensure_identity
from ratings.models import OUT_OF_COUNT, Rater
from ratings.services.comparison_states import supersede_comparisons
from ratings.services.rater import open_rater, refresh_rater
from ratings.services.superseding import supersede_ratings

# Each is looked up with every image that is handed out.
MAX_LINKED = 5


class LinkRefused(Exception):
    """The identity was not linked; the message says why in plain words."""


class HordeKeyUnknown(LinkRefused):
    """AI Horde knows no such key."""


class LinkedAlready(LinkRefused):
    """It is linked to this account already."""


class LinkedElsewhere(LinkRefused):
    """It is linked to somebody else's account."""


class TooManyLinked(LinkRefused):
    """The account has as many linked identities as one may."""


class OutOfCount(LinkRefused):
    """Ratings of one of them do not count just now, and a person is in or out of the count as a whole."""


class LinkWords(NamedTuple):
    """Why an identity of one kind was not linked, in English words that the catalogues know."""

    already: str
    elsewhere: str
    too_many: str
    out_of_count: str


WORDS = LinkWords(
    already=gettext_noop("This AI Horde identity is linked to your account already."),
    elsewhere=gettext_noop("This AI Horde identity is linked to another account. Sign in there and unlink it first."),
    too_many=gettext_noop("%(most)d identities are linked to your account. Unlink one first."),
    out_of_count=gettext_noop(
        "Ratings of your account or of this AI Horde identity are under review and do not count just now. "
        "They can be linked when the review is over."
    ),
)


class NoSuchLink(Exception):
    """There is no such identity, or it is not linked to this account."""


def link_horde_identity(*, user: User, secret: str, provider: Provider, now: datetime) -> LinkedIdentity:
    """Link the AI Horde identity that ``secret`` is the key of to the user's account.

    1. Ask AI Horde whose key it is; what was remembered from before an outage does not do.
    2. Make sure that both sides have a rater.
    3. Point the identity to the user. Whoever rates at that moment waits for it, or it for them.
    4. Of images that both have rated, and of sets, the later answer counts no more; in transactions of their own, which
       take their locks in another order. Should they be lost, linking again or the nightly check finds it.

    The key is not kept. Raises LinkRefused or ProviderUnavailable.
    """
    owner = _ask_whose(secret, provider, now)
    profile = _fresh_profile(owner, now)
    with transaction.atomic():
        number = owner.external_id
        horde_id = owner.identity_id or ensure_identity(kind=IdentityKind.HORDE, external_id=number, name=profile.name)
        own_id = ensure_identity(kind=IdentityKind.ACCOUNT, external_id=str(user.pk), user_id=user.pk)
        open_rater(horde_id)
        open_rater(own_id)
    try:
        with transaction.atomic():
            point_identity(identity_id=horde_id, user=user, kind=IdentityKind.HORDE, most=MAX_LINKED, words=WORDS)
            refresh_rater(identity_id=horde_id, profile=profile)
    finally:
        # Also when it was linked already: the last time may have been interrupted here.
        supersede_comparisons(user_id=user.pk)
        supersede_ratings(user_id=user.pk)
    return LinkedIdentity(horde_id, profile.name)


def unlink_identity(*, user: User, identity_id: int) -> LinkedIdentity:
    """Let a linked identity stand for itself again. What was superseded stays so: it was one person who said it twice.

    Raises NoSuchLink.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _lock_raters(user, identity_id)
        identity = Identity.objects.filter(pk=identity_id, user=user, kind=IdentityKind.HORDE).first()
        if identity is None:
            raise NoSuchLink(_("This identity is not linked to your account."))
        Identity.objects.filter(pk=identity_id).update(user=None)
        Rater.objects.filter(identity_id=identity_id).update(is_linked=False)
        _mark_linked(user)
    return LinkedIdentity(identity.pk, identity.name)


def _ask_whose(secret: str, provider: Provider, now: datetime) -> KeyOwner:
    try:
        owner = provider.find_owner(secret, now=now)
    except KeyRefused as refusal:
        raise HordeKeyUnknown(str(refusal)) from refusal
    if owner is None:
        raise HordeKeyUnknown(_("AI Horde knows no such key."))
    return owner


def _fresh_profile(owner: KeyOwner, now: datetime) -> ExternalProfile:
    if owner.profile is None or now - owner.profile.confirmed_at > FRESH:
        raise ProviderUnavailable(_("AI Horde does not answer just now. Try again in ten seconds."))
    return owner.profile


def point_identity(*, identity_id: int, user: User, kind: IdentityKind, most: int, words: LinkWords) -> None:
    """Set the user of an identity that has none, if both sides count; one may have ``most`` of a kind.

    Locks user, raters by id, identity, in this order, in the transaction of the caller. Raises LinkRefused.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _lock_raters(user, identity_id)
    linked = Identity.objects.filter(user=user, kind=kind)
    if linked.filter(pk=identity_id).exists():
        raise LinkedAlready(_(words.already))
    if linked.count() >= most:
        raise TooManyLinked(_(words.too_many) % {"most": most})
    if not Identity.objects.filter(pk=identity_id, user=None).update(user=user):
        raise LinkedElsewhere(_(words.elsewhere))
    # After the locks, which quarantine waits for or has let go: whatever it decided is seen here.
    if Rater.objects.filter(identity__user=user, state__in=OUT_OF_COUNT).exists():
        raise OutOfCount(_(words.out_of_count))
    _mark_linked(user)


def _lock_raters(user: User, identity_id: int) -> None:
    identities = Identity.objects.filter(user=user).values("id")
    raters = Rater.objects.filter(identity_id__in=identities) | Rater.objects.filter(identity_id=identity_id)
    list(raters.order_by("id").select_for_update(no_key=True).values_list("id"))


def _mark_linked(user: User) -> None:
    """Let the raters of a person know whether there are several of them."""
    raters = Rater.objects.filter(identity__user=user)
    raters.update(is_linked=raters.count() > 1)
