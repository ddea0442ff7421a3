"""Whose kudos may leave: raters whose ratings are not in doubt."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Identity, IdentityKind
from ratings.models import OUT_OF_COUNT


def payable_identities() -> QuerySet[Identity]:
    """Return the AI Horde users whose settled kudos may go on. Of those in quarantine they can still be taken back.

    A person is in doubt as a whole: one identity out of the count keeps back the kudos of all.
    """
    doubtful = Identity.objects.filter(user_id=OuterRef("user_id"), rater__state__in=OUT_OF_COUNT)
    horde = Identity.objects.filter(kind=IdentityKind.HORDE, rater__isnull=False)
    return horde.exclude(rater__state__in=OUT_OF_COUNT).exclude(Exists(doubtful))
