"""A person's own page: what they rated, what it earned, and their keys."""

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import caller_from_request
from accounts.forms import ApiKeyForm, OlderForm
from accounts.queries import keys_of
from accounts.views import SignedInRequest
from ratings.queries.raters import my_ratings, my_standing

PAGE_LENGTH = 50


@never_cache
@login_required
@require_safe
def profile(request: SignedInRequest) -> HttpResponse:
    """Show one's standing, ratings and keys."""
    older = OlderForm(request.GET)
    if not older.is_valid():
        raise Http404("There is no such place in the list.")
    identity_id = caller_from_request(request).identity_id
    ratings = my_ratings(identity_id=identity_id, before_id=older.cleaned_data["before"], limit=PAGE_LENGTH)
    context = {
        "standing": my_standing(identity_id=identity_id, today=start_of_today()),
        "ratings": ratings,
        "is_first": older.cleaned_data["before"] is None,
        "older": ratings[-1].id if len(ratings) == PAGE_LENGTH else None,
        "keys": keys_of(request.user.pk),
        "form": ApiKeyForm(),
    }
    return render(request, "accounts/profile.html", context)


def start_of_today() -> datetime:
    """Return when the day began, in the site's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
