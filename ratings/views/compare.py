"""The page for comparing. It is a form that works without script; the same address speaks JSON to compare.js.

GET shows a set that is leased to whoever asks, or with `?revise=` a comparison of their own to be changed. POST takes
what `compare_actions` names. A refusal is said in words, with a code for the script, and the way goes on.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from accounts.access import Caller, caller_from_request, remember_browser
from accounts.limits import RateLimited
from ratings.countermeasures.limits import Action
from ratings.forms import LARGEST_ID, ActionForm
from ratings.leases.token import label_of
from ratings.media import BLURRED_SIZE
from ratings.models import AdultClass, ReportReason
from ratings.queries.datasets import DatasetForRating
from ratings.queries.preferences import adult_classes_of, my_preferences
from ratings.queries.raters import my_comparison_count, my_standing
from ratings.queries.renditions import Offer, offers_of
from ratings.queries.scales import get_comparison_scale
from ratings.scales import COMPARISON_VERSION
from ratings.selection import NoImageLeft
from ratings.services.comparing_again import NoSuchComparison, find_own_comparison, is_revisable
from ratings.services.comparison import prove_set
from ratings.services.refusals import NotLeased, RatingInvalid, RatingRefused
from ratings.set_selection import LeasedSet, lease_sets
from ratings.views.answers import SeeOther, answer, refuse, wants_json
from ratings.views.compare_actions import ACTIONS, SetCountForm, give_back_sets
from ratings.views.profile import start_of_today
from ratings.views.rate import find_dataset, is_newcomer, url_of
from ratings.views.rate_actions import admit, check_identity


@never_cache
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Show the next set, or take an answer."""
    dataset = find_dataset(slug)
    if request.method == "HEAD":
        return HttpResponse()  # for monitors and link previews, who are not leased anything
    if request.method == "POST":
        response = _take_answer(request, dataset)
    elif wants_json(request):
        response = _hand_out(request, dataset)
    else:
        response = _show_page(request, dataset)
    remember_browser(request, response)
    return response


def _take_answer(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    name = request.POST.get("action", "submit")
    if name == "return":
        give_back_sets(request)
        return HttpResponse(status=204)
    if name not in ACTIONS:
        return refuse(request, RatingInvalid(_("There is no such action on this page.")))
    form = ACTIONS[name].form(request.POST)
    if not form.is_valid():
        return _ask_again(request, dataset, form)
    try:
        check_identity(request, form)
        return answer(request, ACTIONS[name].carry_out(request, form))
    except RatingRefused as refusal:
        return refuse(request, refusal)
    except RateLimited as limited:
        return _keep_answer(request, dataset, form, limited)


def _ask_again(request: HttpRequest, dataset: DatasetForRating | None, form: ActionForm) -> HttpResponse:
    """Show the same set and say what is wrong, as long as it is known which set it is."""
    error = " ".join(str(message) for found in form.errors.values() for message in found)
    if wants_json(request) or dataset is None:
        return refuse(request, RatingInvalid(error))
    return _show_again(request, dataset, form, error=error, status=400) or refuse(request, RatingInvalid(error))


def _keep_answer(
    request: HttpRequest, dataset: DatasetForRating | None, form: ActionForm, limited: RateLimited
) -> HttpResponse:
    """Show who answered too fast their answer again, to be sent once more; the script keeps it by itself."""
    if wants_json(request) or dataset is None:
        raise limited
    request.allowance = limited.allowance  # type: ignore[attr-defined]
    response = _show_again(request, dataset, form, error=str(limited), status=429)
    if response is None:
        raise limited
    response["Retry-After"] = str(limited.retry_after)
    return response


def _show_again(
    request: HttpRequest, dataset: DatasetForRating, form: ActionForm, *, error: str, status: int
) -> HttpResponse | None:
    """Show the set of a lease once more; None when there is no lease to tell which it is."""
    caller, token = caller_from_request(request), form.cleaned_data.get("lease", "")
    try:
        lease = prove_set(caller=caller, set_id=form.cleaned_data.get("set_id"), token=token, now=timezone.now()).lease
    except NotLeased:
        return None
    shown = _shown_again(lease.set_id, lease.image_ids, token)
    return _render(request, caller, dataset, shown, error=error, choice=request.POST.get("choice", ""), status=status)


def _hand_out(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    """Lease sets ahead, for the script."""
    form = SetCountForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"message": _("Ask for 1 to 4 sets."), "code": RatingInvalid.reason}, status=400)
    caller = admit(request, Action.TAKE_IMAGE)
    # The script blurs what is not for everybody; a page without it is never given any.
    classes = adult_classes_of(user_id=caller.user_id)
    sets, problem = _lease(caller, dataset, form.cleaned_data["count"] or 1, classes)
    return JsonResponse({"sets": sets, "message": str(problem or "")})


def _show_page(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    wanted = request.GET.get("revise", "")
    if dataset is not None and wanted:
        return _show_own(request, dataset, wanted)
    caller = admit(request, Action.TAKE_IMAGE)
    sets, problem = _lease(caller, dataset, 1)
    if problem is not None and (classes := adult_classes_of(user_id=caller.user_id)):
        # Safe ones first, as on the rating page: without script the others stay blurred.
        sets, problem = _lease(caller, dataset, 1, classes)
    if sets and dataset is not None:
        return _render(request, caller, dataset, sets[0])
    return render(request, "ratings/compare.html", {"dataset": dataset, "reason": str(problem)})


def _show_own(request: HttpRequest, dataset: DatasetForRating, wanted: str) -> HttpResponse:
    """Show a comparison of the caller's own, to be changed."""
    caller = admit(request, Action.READ)
    known = wanted.isascii() and wanted.isdigit() and int(wanted) <= LARGEST_ID
    try:
        comparison = find_own_comparison(caller=caller, comparison_id=int(wanted) if known else 0)
    except NoSuchComparison as error:
        messages.error(request, str(error))
        return SeeOther(request.path)
    if not is_revisable(comparison, now=timezone.now()):
        messages.error(request, _("A comparison can be changed for 24 hours, and these are over."))
        return SeeOther(request.path)
    shown = _shown_again(comparison.image_set_id, comparison.image_ids)
    choice = str(comparison.best_id or comparison.outcome)
    return _render(request, caller, dataset, shown, choice=choice, revise=comparison.pk)


def _lease(
    caller: Caller, dataset: DatasetForRating | None, count: int, adult_classes: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], NoImageLeft | None]:
    """Return sets to show, or why there are none. Raises TooManyLeases."""
    if dataset is None:
        return [], NoImageLeft(_("No dataset is open at the moment."))
    try:
        leased = lease_sets(
            caller=caller, dataset=dataset, count=count, now=timezone.now(), adult_classes=adult_classes
        )
    except NoImageLeft as problem:
        return [], problem
    offers = offers_of([image.image_id for one in leased for image in one.images])
    return [_shown(one, offers) for one in leased], None


def _shown(leased: LeasedSet, offers: Mapping[uuid.UUID, Offer]) -> dict[str, Any]:
    """Return what the page may know of a set: nothing that could sway the rater."""
    images = [
        _shown_image(image.image_id, offers) | {"width": image.width, "height": image.height} for image in leased.images
    ]
    return {
        "set_id": str(leased.set_id),
        "lease": leased.lease,
        "images": images,
        "scale_version": leased.scale_version,
        "adult_class": leased.adult_class,
    }


def _shown_again(set_id: uuid.UUID, image_ids: Sequence[uuid.UUID], lease: str = "") -> dict[str, Any]:
    """Return a set that the caller has seen before, for the page."""
    offers = offers_of(image_ids)
    images = [_shown_image(image_id, offers) for image_id in image_ids]
    return {"set_id": set_id, "lease": lease, "images": images, "adult_class": offers[image_ids[0]].adult_class}


def _shown_image(image_id: uuid.UUID, offers: Mapping[uuid.UUID, Offer]) -> dict[str, Any]:
    offer = offers[image_id]
    return {
        "image_id": str(image_id),
        "url": url_of(image_id),
        "renditions": [{"url": url_of(image_id, size), "width": width} for size, width in offer.renditions],
        "blurred_url": "" if offer.adult_class == AdultClass.SAFE else url_of(image_id, BLURRED_SIZE),
    }


def _render(
    request: HttpRequest,
    caller: Caller,
    dataset: DatasetForRating,
    shown: dict[str, Any],
    *,
    status: int = 200,
    **answers: Any,
) -> HttpResponse:
    today = start_of_today()
    today_count = my_comparison_count(identity_id=caller.identity_id, today=today)
    context = {
        "dataset": dataset,
        "shown": shown,
        "scale": get_comparison_scale(COMPARISON_VERSION),
        "report_reasons": ReportReason.choices,
        "standing": my_standing(identity_id=caller.identity_id, today=today),
        "today_count": today_count,
        "position": today_count + 1,
        "is_trained": my_preferences(caller.identity_id).trained_at is not None,
        "idempotency_key": uuid.uuid4().hex,
        "is_newcomer": is_newcomer(request, caller),
        "identity": label_of(caller.holder),
    }
    return render(request, "ratings/compare.html", context | answers, status=status)
