"""The ledger as its owner sees it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import caller_from_request
from accounts.forms import OlderForm
from kudos.queries import balance_of_person, history_of, payouts_of

PAGE_LENGTH = 50


@never_cache
@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show every movement of one's kudos, newest first, with the balance after each."""
    older = OlderForm(request.GET)
    if not older.is_valid():
        raise Http404("There is no such place in the list.")
    identity_id = caller_from_request(request).identity_id
    before_id = older.cleaned_data["before"]
    lines = history_of(identity_id=identity_id, before_id=before_id, limit=PAGE_LENGTH)
    context = {
        "lines": lines,
        "balance": balance_of_person(identity_id),
        "is_first": before_id is None,
        "payouts": payouts_of(user_id=request.user.pk) if before_id is None else [],
        "older": lines[-1].entry_id if len(lines) == PAGE_LENGTH else None,
    }
    return render(request, "kudos/history.html", context)
