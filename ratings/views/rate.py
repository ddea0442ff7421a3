"""The rating page. It is a form that works without script; the same address speaks JSON to rate.js.

GET shows an image that is leased to whoever asks. POST takes an answer about it, or that it is skipped. A refusal is
said in words, and the way goes on to the next image.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import Caller, caller_from_request, remember_browser
from accounts.limits import RateLimited
from ratings.countermeasures import admit_caller
from ratings.countermeasures.limits import Action
from ratings.forms import CountForm, LeaseForm, RatingForm
from ratings.queries.datasets import DatasetForRating, NoSuchDataset, get_dataset_for_rating
from ratings.queries.raters import my_standing
from ratings.rewards import current_prices
from ratings.scales import SCALES
from ratings.selection import LeasedImage, NoImageLeft, TooManyLeases, lease_images
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotLeased,
    RatingInvalid,
    RatingRefused,
)
from ratings.services.skipping import skip_image
from ratings.views.profile import start_of_today

PAGE_AGENT = "kudoscope-page:1:this-site"
RENDITION_SIZE = 1024
STATUS_OF: dict[type[Exception], int] = {
    RatingInvalid: 400,
    NotLeased: 403,
    ImageUnavailable: 404,
    AlreadyRated: 409,
    IdempotencyKeyReused: 409,
}


class SeeOther(HttpResponseRedirect):
    """Go on with GET, whatever brought you here."""

    status_code = 303


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer, in words, and the kudos it promises."""

    message: str
    reward: int = 0


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Show the next image, or take an answer."""
    dataset = _find_dataset(slug)
    if request.method == "HEAD":
        return HttpResponse()  # for monitors and link previews, who are not leased an image
    if request.method == "POST":
        response = _take_answer(request, dataset)
    elif _wants_json(request):
        response = _hand_out(request, dataset)
    else:
        response = _show_next(request, dataset)
    remember_browser(request, response)
    return response


def _find_dataset(slug: str | None) -> DatasetForRating | None:
    """Return the dataset asked for, or the default one, which a new installation may not have yet."""
    try:
        return get_dataset_for_rating(slug or settings.DEFAULT_DATASET)
    except NoSuchDataset as error:
        if slug:
            raise Http404(str(error)) from error
        return None


def _take_answer(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    is_skip = request.POST.get("action") == "skip"
    form = LeaseForm(request.POST) if is_skip else RatingForm(request.POST)
    if not form.is_valid():
        return _ask_again(request, dataset, form)
    try:
        outcome = _skip(request, form.cleaned_data) if is_skip else _submit(request, form.cleaned_data)
    except RatingRefused as refusal:
        return _refuse(request, refusal)
    except RateLimited as limited:
        return _keep_answers(request, dataset, form, limited)
    if _wants_json(request):
        return JsonResponse(
            {"message": outcome.message, "reward": outcome.reward, "next": _following(request, dataset)}
        )
    messages.success(request, outcome.message)
    return SeeOther(request.path)


def _following(request: HttpRequest, dataset: DatasetForRating | None) -> dict[str, Any] | None:
    """Return the next image for the script, if there is one: the answer before it is saved in any case."""
    try:
        # That answer may just have made the caller's identity, so they are looked up anew.
        return next(iter(_lease(caller_from_request(request), dataset, 1)[0]), None)
    except TooManyLeases:
        return None


def _submit(request: HttpRequest, answer: dict[str, Any]) -> Outcome:
    submitted = submit_rating(
        caller=_admit(request, Action.RATE),
        submission=RatingSubmission(**answer, client_agent=PAGE_AGENT),
        prices=current_prices(),
        now=timezone.now(),
    )
    given = str(answer["aesthetic"])
    if answer["artifacts"] is not None:
        given = _("%(aesthetic)s and %(artifacts)s") % {"aesthetic": given, "artifacts": answer["artifacts"]}
    if request.user.is_anonymous:
        return Outcome(_("Saved: %(given)s.") % {"given": given})
    text = ngettext(
        "Saved: %(given)s. %(reward)d kudos pending.", "Saved: %(given)s. %(reward)d kudos pending.", submitted.reward
    )
    return Outcome(text % {"given": given, "reward": submitted.reward}, submitted.reward)


def _skip(request: HttpRequest, leased: dict[str, Any]) -> Outcome:
    skip_image(caller=_admit(request, Action.RATE), now=timezone.now(), **leased)
    return Outcome(_("Skipped. This image will not be shown to you again."))


def _refuse(request: HttpRequest, refusal: RatingRefused) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"message": str(refusal)}, status=STATUS_OF[type(refusal)])
    messages.error(request, str(refusal))
    return SeeOther(request.path)


def _ask_again(request: HttpRequest, dataset: DatasetForRating | None, form: LeaseForm) -> HttpResponse:
    """Show the same image with the same answers and say what is wrong, as long as it is known which image it is."""
    error = " ".join(str(message) for found in form.errors.values() for message in found)
    if _wants_json(request):
        return JsonResponse({"message": error}, status=400)
    if dataset is None or {"image_id", "lease"} & set(form.errors):
        messages.error(request, _("This page was incomplete. Here is another image."))
        return SeeOther(request.path)
    return _show_again(request, dataset, form.cleaned_data, error=error, status=400)


def _keep_answers(
    request: HttpRequest, dataset: DatasetForRating | None, form: LeaseForm, limited: RateLimited
) -> HttpResponse:
    """Show who answered too fast their answers again, to be sent once more; the script keeps them by itself."""
    if _wants_json(request) or dataset is None:
        raise limited
    request.allowance = limited.allowance  # type: ignore[attr-defined]
    response = _show_again(request, dataset, form.cleaned_data, error=str(limited), status=429)
    response["Retry-After"] = str(limited.retry_after)
    return response


def _show_again(
    request: HttpRequest, dataset: DatasetForRating, known: dict[str, Any], *, error: str, status: int
) -> HttpResponse:
    image = {"image_id": known["image_id"], "lease": known["lease"], "url": _url_of(known["image_id"])}
    answers = {"aesthetic": known.get("aesthetic"), "artifacts": known.get("artifacts"), "error": error}
    return _render(request, caller_from_request(request), dataset, image, status=status, **answers)


def _hand_out(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    """Lease images ahead, for the script."""
    form = CountForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"message": _("Ask for 1 to 4 images.")}, status=400)
    images, problem = _lease(_admit(request, Action.TAKE_IMAGE), dataset, form.cleaned_data["count"] or 1)
    return JsonResponse({"images": images, "message": str(problem or "")})


def _show_next(request: HttpRequest, dataset: DatasetForRating | None) -> HttpResponse:
    caller = _admit(request, Action.TAKE_IMAGE)
    images, problem = _lease(caller, dataset, 1)
    if problem is None and dataset is not None:
        return _render(request, caller, dataset, images[0], status=200)
    return render(request, "ratings/rate.html", {"dataset": dataset, "reason": str(problem)})


def _admit(request: HttpRequest, action: Action) -> Caller:
    """Return who is calling. Raises RateLimited, which is a page of its own, or JSON for the script."""
    caller = caller_from_request(request)
    # For the header, which config/middleware.py writes.
    request.allowance = admit_caller(caller=caller, action=action, now=timezone.now())  # type: ignore[attr-defined]
    return caller


def _lease(
    caller: Caller, dataset: DatasetForRating | None, count: int
) -> tuple[list[dict[str, Any]], NoImageLeft | None]:
    """Return images to show, or why there are none. Raises TooManyLeases."""
    if dataset is None:
        return [], NoImageLeft(_("No dataset is open at the moment."))
    try:
        leased = lease_images(caller=caller, dataset=dataset, count=count, now=timezone.now())
    except NoImageLeft as problem:
        return [], problem
    return [_shown(image) for image in leased], None


def _shown(image: LeasedImage) -> dict[str, Any]:
    """Return what the page may know of an image: nothing that could sway the rater."""
    return {
        "image_id": str(image.image_id),
        "url": _url_of(image.image_id),
        "lease": image.lease,
        "width": image.width,
        "height": image.height,
        "alt": _("The image to rate"),
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
    context = {
        "dataset": dataset,
        "image": image,
        "scale": SCALES[dataset.scale_version],
        "position": standing.today_count + 1,
        "standing": standing,
        "idempotency_key": uuid.uuid4(),
        "is_newcomer": caller.identity_id is None,
    }
    return render(request, "ratings/rate.html", context | answers, status=status)


def _url_of(image_id: uuid.UUID) -> str:
    return reverse("ratings:image_sized", args=[image_id, RENDITION_SIZE])


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
