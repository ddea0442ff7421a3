"""Who has just signed in is asked whether what this browser rated before was theirs. Another person may sit here."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import read_browser_id, remember_browser, renew_browser, take_over_leases
from accounts.views import SignedInRequest
from ratings.rewards import current_prices
from ratings.services.claiming import Claim, claim_browser, find_claim
from ratings.services.linking import LinkRefused

DECLINED = "declined_browser"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: SignedInRequest) -> HttpResponse:
    """Show what this browser rated, and ask; or take the answer. Goes on to where the person was going."""
    if request.method == "POST":
        response = _take(request) if request.POST.get("answer") == "yes" else _leave(request)
        remember_browser(request, response)
        return response
    offer = offer_of(request)
    if offer is None:
        return redirect(_onward(request))
    return render(request, "ratings/claim.html", {"offer": offer, "next": _onward(request)})


def offer_of(request: HttpRequest) -> Claim | None:
    """Return what this browser's cookie could add to the account that is signed in; None also after a "no"."""
    browser_id = read_browser_id(request)
    if browser_id is None or request.session.get(DECLINED) == browser_id:
        return None
    return find_claim(browser_id=browser_id, prices=current_prices(), now=timezone.now())


def _take(request: SignedInRequest) -> HttpResponse:
    browser_id = read_browser_id(request) or ""
    try:
        kudos = claim_browser(user=request.user, browser_id=browser_id, prices=current_prices(), now=timezone.now())
    except LinkRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(_onward(request))
    # What waits in the browser's outbox was leased under its old name.
    take_over_leases(request, browser_id)
    renew_browser(request)
    text = ngettext("Added to your account. %(n)d kudos pending.", "Added to your account. %(n)d kudos pending.", kudos)
    messages.success(request, text % {"n": kudos})
    return redirect(_onward(request))


def _leave(request: SignedInRequest) -> HttpResponse:
    request.session[DECLINED] = read_browser_id(request)
    messages.success(request, _("Nothing was added. Those ratings stay anonymous."))
    return redirect(_onward(request))


def _onward(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)
