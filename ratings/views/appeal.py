"""The appeal of a person whose ratings do not count."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.views import SignedInRequest
from ratings.services.appealing import AppealedAlready, NothingToAppeal, open_appeal
from ratings.views.profile import start_of_today


@login_required
@require_POST
def appeal(request: SignedInRequest) -> HttpResponse:
    """Open an appeal: by repeats, or by a person where that is asked for."""
    wants_person, words = request.POST.get("way") == "person", request.POST.get("words", "").replace("\0", "")
    try:
        open_appeal(
            user=request.user, words=words, wants_person=wants_person, today=start_of_today(), now=timezone.now()
        )
    except NothingToAppeal:
        messages.error(request, _("Your ratings count; there is nothing to appeal against."))
    except AppealedAlready:
        messages.error(request, _("Your appeal is under way."))
    else:
        messages.success(request, _("A person will look at it.") if wants_person else _("Go on rating; you will hear."))
    return redirect("ratings:profile")
