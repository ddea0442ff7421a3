"""A person's API keys: made, shown once, revoked."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ApiKeyForm
from accounts.models import User
from accounts.services import NoSuchApiKey, TooManyApiKeys, create_api_key, revoke_api_key


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` is given."""

    user: User


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def create_key(request: SignedInRequest) -> HttpResponse:
    """Ask for a name and scopes; make the key and show it, for the only time."""
    form = ApiKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/api_key_new.html", {"form": form}, status=400 if form.is_bound else 200)
    try:
        key, secret = create_api_key(user=request.user, now=timezone.now(), **form.cleaned_data)
    except TooManyApiKeys as refusal:
        messages.error(request, str(refusal))
        return redirect("ratings:profile")
    return render(request, "accounts/api_key_created.html", {"key": key, "secret": secret})


@login_required
@require_POST
def revoke_key(request: SignedInRequest, key_id: int) -> HttpResponse:
    """Revoke one of one's own keys."""
    try:
        key = revoke_api_key(user=request.user, key_id=key_id, now=timezone.now())
    except NoSuchApiKey as refusal:
        raise Http404(str(refusal)) from refusal
    messages.success(request, _("The key “%(name)s” is revoked and no longer works.") % {"name": key.name})
    return redirect("ratings:profile")
