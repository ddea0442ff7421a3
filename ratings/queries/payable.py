"""Whose kudos may leave: raters whose ratings are not in doubt."""

from django.db.models import QuerySet

from accounts.models import Identity, IdentityKind
from ratings.models import OUT_OF_COUNT


def payable_identities() -> QuerySet[Identity]:
    """Return the AI Horde users whose settled kudos may go on. Of those in quarantine they can still be taken back."""
    return Identity.objects.filter(kind=IdentityKind.HORDE, rater__isnull=False).exclude(rater__state__in=OUT_OF_COUNT)
