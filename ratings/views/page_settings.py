"""How somebody wants the rating page: a page, and JSON for the script. Visitors keep theirs in the browser."""

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import caller_from_request
from ratings.forms import PageSettingsForm
from ratings.queries.goals import my_week
from ratings.queries.preferences import my_preferences
from ratings.services.preferences import DEFAULT_KEYS, PreferencesInvalid, save_preferences
from ratings.views.answers import wants_json


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page_settings(request: HttpRequest) -> HttpResponse:
    """Show what holds, or store what was changed. Raises nothing that is not said in words."""
    if request.method == "POST":
        return _save(request)
    held = my_preferences(caller_from_request(request).identity_id if request.user.is_authenticated else None)
    return _answer(request, asdict(held))


def _save(request: HttpRequest) -> HttpResponse:
    if request.user.pk is None:
        message = _("Sign in to keep settings. Without an account they stay in this browser.")
        if wants_json(request):
            return JsonResponse({"message": message, "code": "signed_out"}, status=403)
        return redirect_to_login(request.path)
    form = PageSettingsForm(request.POST)
    for name in set(form.fields) - set(request.POST):
        form.fields[name].required = False
    if not form.is_valid():
        return _refuse(request, _said(form))
    try:
        held = save_preferences(user_id=request.user.pk, changes=form.changes(), now=timezone.now())
    except PreferencesInvalid as refusal:
        return _refuse(request, str(refusal))
    if wants_json(request):
        return JsonResponse(_shown(request, asdict(held)) | {"message": _("Saved.")})
    messages.success(request, _("Saved."))
    return redirect("ratings:page_settings")


def _answer(request: HttpRequest, held: dict[str, Any], *, error: str = "", status: int = 200) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(_shown(request, held))
    return render(request, "ratings/page_settings.html", {"held": held, "error": error}, status=status)


def _shown(request: HttpRequest, held: dict[str, Any]) -> dict[str, Any]:
    identity_id = caller_from_request(request).identity_id
    week = asdict(my_week(identity_id=identity_id, today=timezone.localdate()))
    return held | {"signed_in": request.user.is_authenticated, "default_keys": DEFAULT_KEYS, "week": week}


def _said(form: PageSettingsForm) -> str:
    """Return what is wrong with the form in one line: the field by its label, then the complaint."""
    return " ".join(f"{form[name].label}: {' '.join(map(str, found))}" for name, found in form.errors.items())


def _refuse(request: HttpRequest, message: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": message, "code": "invalid"}, status=400)
    held = asdict(my_preferences(caller_from_request(request).identity_id))
    return _answer(request, held | _as_sent(request.POST), error=message, status=400)


def _as_sent(sent: QueryDict) -> dict[str, Any]:
    """Return what was typed in, for the form to show again."""
    plain = {name: sent[name] for name in ("daily_goal", "weekly_goal", "birth_year") if name in sent}
    boxes = {name: sent[name] == "true" for name in ("keys_on", "auto_advance", "reduced_data") if name in sent}
    return plain | boxes | ({"adult_classes": sent.getlist("adult_classes")} if "adult_classes" in sent else {})
