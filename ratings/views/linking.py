"""A person links their AI Horde identity to their account, and unlinks it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.forms import HordeKeyForm
from accounts.providers import horde_provider
from accounts.providers.base import ProviderUnavailable
from accounts.views import SignedInRequest
from ratings.services.linking import LinkRefused, NoSuchLink, link_horde_identity, unlink_identity


@sensitive_post_parameters("key")
@login_required
@require_POST
def link_horde(request: SignedInRequest) -> HttpResponse:
    """Ask AI Horde whose key was typed in, and link them."""
    form = HordeKeyForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else ""
    try:
        linked = link_horde_identity(user=request.user, secret=key, provider=horde_provider(), now=timezone.now())
    except (LinkRefused, ProviderUnavailable) as refusal:
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
