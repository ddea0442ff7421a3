"""A person links their AI Horde identity to their account, and unlinks it."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.access import caller_from_request, check_bad_keys, count_bad_key
from accounts.addresses import hash_address, read_client_address
from accounts.forms import HordeKeyForm
from accounts.providers import horde_provider
from accounts.providers.base import ProviderUnavailable
from accounts.views import SignedInRequest
from ratings.countermeasures import admit_caller
from ratings.countermeasures.limits import Action
from ratings.services.linking import HordeKeyUnknown, LinkRefused, NoSuchLink, link_horde_identity, unlink_identity


@sensitive_post_parameters("key")
@login_required
@require_POST
def link_horde(request: SignedInRequest) -> HttpResponse:
    """Ask AI Horde whose key was typed in, and link them. Raises RateLimited, a page, for who asks often or guesses."""
    now = timezone.now()
    admit_caller(caller=caller_from_request(request), action=Action.READ, now=now)
    form = HordeKeyForm(request.POST)
    if form.has_error("key", "required"):
        messages.error(request, _("Type in your AI Horde API key first."))
    else:
        _try_to_link(request, form.cleaned_data.get("key", ""), now)
    return redirect("ratings:profile")


def _try_to_link(request: SignedInRequest, key: str, now: datetime) -> None:
    # By user as well: one who has many addresses is still one.
    subjects = (hash_address(read_client_address(request), now=now), f"user:{request.user.pk}")
    check_bad_keys(*subjects, now=now)
    try:
        linked = link_horde_identity(user=request.user, secret=key, provider=horde_provider(), now=now)
    except (LinkRefused, ProviderUnavailable) as refusal:
        if isinstance(refusal, HordeKeyUnknown):
            count_bad_key(*subjects, now=now)
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You and %(name)s are one now.") % {"name": linked.name})


@login_required
@require_POST
def unlink_horde(request: SignedInRequest, identity_id: int) -> HttpResponse:
    """Let a linked identity stand for itself again."""
    try:
        unlinked = unlink_identity(user=request.user, identity_id=identity_id)
    except NoSuchLink as refusal:
        raise Http404(str(refusal)) from refusal
    messages.success(request, _("%(name)s is no longer linked to your account.") % {"name": unlinked.name})
    return redirect("ratings:profile")
