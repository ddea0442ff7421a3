"""A person's API keys: made, shown once, revoked."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ApiKeyForm, LanguageForm
from accounts.languages import remember_language
from accounts.models import User
from accounts.services import NoSuchApiKey, TooManyApiKeys, create_api_key, keep_language, revoke_api_key


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` is given."""

    user: User


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language in this browser and, for an account, wherever it signs in; show the same page again."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    language, onward = form.cleaned_data["language"], form.cleaned_data["next"]
    if request.user.pk is not None:
        keep_language(user_id=request.user.pk, language=language)
    # Never to another site, whatever a form says.
    is_ours = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
    response = redirect(onward if is_ours else "ratings:home")
    remember_language(response, language)
    return response


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
