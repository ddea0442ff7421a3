"""The rating page. It is a form that works without script; the same address speaks JSON to rate.js.

GET shows an image that is leased to whoever asks, or with `?revise=` a rating of their own to be changed. POST takes
what `rate_actions` names. A refusal is said in words, with a code for the script, and the way goes on.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from accounts.access import BROWSER_COOKIE_SECONDS, Caller, caller_from_request, remember_browser
from accounts.limits import RateLimited
from ratings.countermeasures.limits import Action
from ratings.forms import LARGEST_ID, MAX_AHEAD, UNSURE, ActionForm, CountForm, RevisionForm
from ratings.leases.token import Lease, label_of, sign_lease
from ratings.media import BLURRED_SIZE
from ratings.models import AdultClass
from ratings.queries.datasets import DatasetForRating, NoSuchDataset, get_dataset_for_rating
from ratings.queries.goals import days_this_week
from ratings.queries.practice import practice_tasks
from ratings.queries.preferences import Preferences, adult_classes_of, my_preferences
from ratings.queries.progress import dataset_progress
from ratings.queries.raters import MyRating, Standing, my_rating, my_standing
from ratings.queries.renditions import Offer, offers_of
from ratings.queries.scales import get_scale
from ratings.selection import LeasedImage, NoImageLeft, lease_images
from ratings.services.refusals import (
    RatingInvalid,
    RatingRefused,
)
from ratings.views.answers import SeeOther, answer, refuse, wants_json
from ratings.views.profile import start_of_today
from ratings.views.rate_actions import ACTIONS, admit, check_identity, give_back

RENDITION_SIZE = 1024
WELCOMED_COOKIE = "kudoscope_welcomed"
NO_OFFER = Offer(AdultClass.SAFE, [])


@never_cache
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Show the next image, or take an answer."""
    dataset = find_dataset(slug)
    if request.method == "HEAD":
        return HttpResponse()  # for monitors and link previews, who are not leased an image
    if request.method == "POST":
        response = _take_answer(request, dataset)
    elif wants_json(request):
        response = _hand_out(request, dataset)
    else:
        response = _show_page(request, dataset)
    remember_browser(request, response)
    return response


def find_dataset(slug: str | None) -> DatasetForRating | None:
    """Return the dataset asked for, or the default one, which a new installation may not have yet."""
    try:
        return get_dataset_for_rating(slug or settings.DEFAULT_DATASET)
    except NoSuchDataset as error:
        if slug:
            raise Http404(str(error)) from error
        return None


def _take_answer(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    name = request.POST.get("action", "submit")
    if name == "return":
        give_back(request)
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
        return _keep_answers(request, dataset, form, limited)


def _ask_again(request: HttpRequest, dataset: DatasetForRating | None, form: ActionForm) -> HttpResponse:
    """Show the same image with the same answers and say what is wrong, as long as it is known which image it is."""
    error = " ".join(str(message) for found in form.errors.values() for message in found)
    if wants_json(request):
        return JsonResponse({"message": error, "code": RatingInvalid.reason}, status=400)
    if isinstance(form, RevisionForm) and "rating_id" in form.cleaned_data:
        messages.error(request, error)
        return SeeOther(f"{request.path}?revise={form.cleaned_data['rating_id']}")
    if dataset is None or not {"image_id", "lease"} <= set(form.cleaned_data):
        messages.error(request, _("This page was incomplete. Here is another image."))
        return SeeOther(request.path)
    return _show_again(request, dataset, form.cleaned_data, error=error, status=400)


def _keep_answers(
    request: HttpRequest, dataset: DatasetForRating | None, form: ActionForm, limited: RateLimited
) -> HttpResponse:
    """Show who answered too fast their answers again, to be sent once more; the script keeps them by itself."""
    if wants_json(request) or dataset is None or "image_id" not in form.cleaned_data:
        raise limited
    request.allowance = limited.allowance  # type: ignore[attr-defined]
    response = _show_again(request, dataset, form.cleaned_data, error=str(limited), status=429)
    response["Retry-After"] = str(limited.retry_after)
    return response


def _show_again(
    request: HttpRequest, dataset: DatasetForRating, known: dict[str, Any], *, error: str, status: int
) -> HttpResponse:
    image = _known(known["image_id"], known["lease"])
    answers = {"aesthetic": known.get("aesthetic"), "artifacts": known.get("artifacts"), "error": error}
    return _render(request, caller_from_request(request), dataset, image, status=status, **answers)


def _hand_out(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    """Lease images ahead, for the script."""
    form = CountForm(request.GET)
    if not form.is_valid():
        message = _("Ask for 1 to %(most)d images.") % {"most": MAX_AHEAD}
        return JsonResponse({"message": message, "code": RatingInvalid.reason}, status=400)
    caller = admit(request, Action.TAKE_IMAGE)
    classes = adult_classes_of(user_id=caller.user_id)
    images, problem = _lease(caller, dataset, form.cleaned_data["count"] or 1, classes)
    return JsonResponse({"images": images, "message": str(problem or "")})


def _show_page(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    wanted = request.GET.get("revise", "")
    if dataset is None or not wanted:
        return _show_next(request, dataset)
    caller = admit(request, Action.READ)
    known = wanted.isascii() and wanted.isdigit() and int(wanted) <= LARGEST_ID
    rating = my_rating(identity_id=caller.identity_id, rating_id=int(wanted)) if known else None
    if rating is None:
        messages.error(request, _("You have no such rating."))
        return SeeOther(request.path)
    image = _known(rating.image_id, _lease_of(rating, caller, dataset))
    aesthetic = UNSURE if rating.aesthetic is None else rating.aesthetic
    artifacts = UNSURE if rating.is_artifacts_unsure else rating.artifacts
    answers = {"aesthetic": aesthetic, "artifacts": artifacts, "revise": rating.id}
    return _render(request, caller, dataset, image, status=200, **answers)


def _lease_of(rating: MyRating, caller: Caller, dataset: DatasetForRating) -> str:
    """Return the lease that a rating was made with: with it the image can still be reported, and not be rated again."""
    if rating.lease_id is None:
        return ""
    return sign_lease(Lease(rating.lease_id, rating.image_id, dataset.scale_version), caller.holder)


def _known(image_id: uuid.UUID, lease: str) -> dict[str, Any]:
    """Return an image that the caller has seen before. If it is not for everybody it comes blurred again."""
    offer = offers_of([image_id]).get(image_id, NO_OFFER)
    return {"image_id": image_id, "lease": lease, "url": url_of(image_id), **_veil(image_id, offer)}


def _veil(image_id: uuid.UUID, offer: Offer) -> dict[str, str]:
    is_safe = offer.adult_class == AdultClass.SAFE
    return {"adult_class": offer.adult_class, "blurred_url": "" if is_safe else url_of(image_id, BLURRED_SIZE)}


def _show_next(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    caller = admit(request, Action.TAKE_IMAGE)
    images, problem = _lease(caller, dataset, 1)
    if problem is not None and (classes := adult_classes_of(user_id=caller.user_id)):
        # Safe ones first, because a page without script shows the others blurred beside a link, and no better.
        images, problem = _lease(caller, dataset, 1, classes)
    if problem is None and dataset is not None:
        return _render(request, caller, dataset, images[0], status=200)
    return render(request, "ratings/rate.html", {"dataset": dataset, "reason": str(problem)})


def _lease(
    caller: Caller, dataset: DatasetForRating | None, count: int, adult_classes: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], NoImageLeft | None]:
    """Return images to show, or why there are none. Raises TooManyLeases."""
    if dataset is None:
        return [], NoImageLeft(_("No dataset is open at the moment."))
    try:
        leased = lease_images(
            caller=caller, dataset=dataset, count=count, now=timezone.now(), adult_classes=adult_classes
        )
    except NoImageLeft as problem:
        return [], problem
    offers = offers_of([image.image_id for image in leased])
    return [_shown(image, offers[image.image_id]) for image in leased], None


def _shown(image: LeasedImage, offer: Offer) -> dict[str, Any]:
    """Return what the page may know of an image: nothing that could sway the rater."""
    renditions = [{"url": url_of(image.image_id, size), "width": width} for size, width in offer.renditions]
    return {
        "image_id": str(image.image_id),
        "lease": image.lease,
        "url": url_of(image.image_id),
        "renditions": renditions,
        "width": image.width,
        "height": image.height,
        "alt": _("The image to rate"),
        **_veil(image.image_id, offer),
        "scale_version": image.scale_version,
        "is_practice": False,
    }


def _render(
    request: HttpRequest,
    caller: Caller,
    dataset: DatasetForRating,
    image: dict[str, Any],
    *,
    status: int,
    **answers: Any,
) -> HttpResponse:
    standing = my_standing(identity_id=caller.identity_id, today=start_of_today())
    preferences = my_preferences(caller.identity_id)
    context = {
        "dataset": dataset,
        "progress": dataset_progress(dataset.slug),
        "week_days": days_this_week(identity_id=caller.identity_id, today=timezone.localdate()),
        "week_goal": preferences.weekly_goal,
        "image": image,
        "scale": get_scale(dataset.scale_version),
        "position": standing.today_count + 1,
        "standing": standing,
        "today_count": standing.today_count,
        "idempotency_key": uuid.uuid4(),
        "is_newcomer": is_newcomer(request, caller),
        "identity": label_of(caller.holder),
        "is_trained": preferences.trained_at is not None,
    }
    if _is_first_visit(request, standing, preferences, answers):
        context |= {"is_first_visit": True, "can_practise": bool(practice_tasks())}
    response = render(request, "ratings/rate.html", context | answers, status=status)
    if "is_first_visit" in context:
        _remember_welcome(request, response)
    return response


def _is_first_visit(
    request: HttpRequest, standing: Standing, preferences: Preferences, answers: dict[str, Any]
) -> bool:
    """Return whether the questions have still to be explained: nothing was rated, and this browser has not seen it."""
    is_known = preferences.trained_at is not None or standing.rating_count > 0
    return not (is_known or answers or WELCOMED_COOKIE in request.COOKIES)


def _remember_welcome(request: HttpRequest, response: HttpResponse) -> None:
    """Let the explanation be seen once, whatever is done about it."""
    age, is_https = BROWSER_COOKIE_SECONDS, request.is_secure()
    response.set_cookie(WELCOMED_COOKIE, "1", max_age=age, httponly=True, samesite="Lax", secure=is_https)


def is_newcomer(request: HttpRequest, caller: Caller) -> bool:
    """Return whether the licence of ratings has still to be shown: answering accepts it."""
    return caller.identity_id is None or (request.user.pk is not None and request.user.licence_accepted_at is None)


def url_of(image_id: uuid.UUID, size: int = RENDITION_SIZE) -> str:
    return reverse("ratings:image_sized", args=[image_id, size])
