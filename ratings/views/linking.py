"""A person links their AI Horde identity to their account, and unlinks it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.access import check_bad_keys, count_bad_key
from accounts.addresses import hash_address, read_client_address
from accounts.forms import HordeKeyForm
from accounts.providers import horde_provider
from accounts.providers.base import ProviderUnavailable
from accounts.views import SignedInRequest
from ratings.services.linking import HordeKeyUnknown, LinkRefused, NoSuchLink, link_horde_identity, unlink_identity


@sensitive_post_parameters("key")
@login_required
@require_POST
def link_horde(request: SignedInRequest) -> HttpResponse:
    """Ask AI Horde whose key was typed in, and link them. Raises RateLimited, a page, for who guesses."""
    form = HordeKeyForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else ""
    now = timezone.now()
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
    return redirect("ratings:profile")


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
