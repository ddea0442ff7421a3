"""A person's own page: what they rated, what it earned, their keys, and who they are at AI Horde."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import caller_from_request
from accounts.forms import ApiKeyForm, HordeKeyForm, OlderForm
from accounts.queries import keys_of, linked_identities
from accounts.views import SignedInRequest
from ratings.queries.raters import my_ratings, my_standing
from ratings.views.claiming import offer_of

PAGE_LENGTH = 50


@never_cache
@login_required
@require_safe
def profile(request: SignedInRequest) -> HttpResponse:
    """Show one's standing, ratings and keys."""
    older = OlderForm(request.GET)
    if not older.is_valid():
        raise Http404("There is no such place in the list.")
    before = older.cleaned_data["before"]
    context = {"is_first": before is None, "keys": keys_of(request.user.pk), "form": ApiKeyForm()}
    context |= ratings_section(request, before) | others_section(request)
    return render(request, "accounts/profile.html", context)


def ratings_section(request: SignedInRequest, before: int | None) -> dict[str, object]:
    """Return what the page says of the person's ratings and rewards."""
    identity_id, today = caller_from_request(request).identity_id, start_of_today()
    ratings = my_ratings(identity_id=identity_id, today=today, before_id=before, limit=PAGE_LENGTH)
    return {
        "standing": my_standing(identity_id=identity_id, today=today),
        "ratings": ratings,
        "older": ratings[-1].id if len(ratings) == PAGE_LENGTH else None,
    }


def others_section(request: SignedInRequest) -> dict[str, object]:
    """Return what the page says of other names the person may have: this browser's, and those at AI Horde."""
    return {"offer": offer_of(request), "horde": horde_section(request.user.pk)}


def horde_section(user_id: int) -> dict[str, object] | None:
    """Return what the page says of AI Horde, or None where the service has none beside it."""
    linked = linked_identities(user_id)
    if not settings.HORDE_URL and not linked:
        return None
    return {"linked": linked, "form": HordeKeyForm() if settings.HORDE_URL else None}


def start_of_today() -> datetime:
    """Return when the day began, in the site's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
