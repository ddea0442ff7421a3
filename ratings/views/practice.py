"""Practice before the first rating: three cards and ten images, with a word about each answer. It may be left."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import Caller, caller_from_request, remember_browser
from ratings.countermeasures import admit_caller
from ratings.countermeasures.limits import Action
from ratings.forms import PracticeForm
from ratings.importers.demo.practice import PRACTICE_LEVELS
from ratings.queries.practice import PracticeTask, find_practice_picture, practice_tasks
from ratings.queries.scales import get_scale
from ratings.services.practice import SCALE_VERSION, Feedback, NoSuchPracticeImage, answer_practice
from ratings.views.answers import wants_json

CACHE_CONTROL = "public, max-age=86400, no-transform"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def practice(request: HttpRequest) -> HttpResponse:
    """Show the images to practise on, or say what was planted in one."""
    if request.method == "POST":
        response = _answer(request)
        remember_browser(request, response)
        return response
    tasks = practice_tasks()
    if wants_json(request):
        return JsonResponse({"images": [_shown(task) for task in tasks]})
    return _page(request, tasks, _number(request.GET.get("image", "")), has_cards="image" not in request.GET)


@require_safe
def practice_picture(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    """Answer with the file of an image to practise on: the same for everybody, and never another under its name."""
    del request
    webp = find_practice_picture(image_id)
    if webp is None:
        return JsonResponse({"message": _("There is no such image.")}, status=404)
    return HttpResponse(webp, content_type="image/webp", headers={"Cache-Control": CACHE_CONTROL})


def _answer(request: HttpRequest) -> HttpResponse:
    form = PracticeForm(request.POST)
    if not form.is_valid():
        error = " ".join(str(message) for found in form.errors.values() for message in found)
        return _refuse(request, error, 400)
    try:
        feedback = answer_practice(caller=_admit(request), now=timezone.now(), **form.cleaned_data)
    except NoSuchPracticeImage as refusal:
        return _refuse(request, str(refusal), 404)
    if wants_json(request):
        body = {"planted": feedback.planted, "message": feedback.message, "is_finished": feedback.is_finished}
        return JsonResponse(body)
    return _page(request, practice_tasks(), feedback.number, feedback=feedback, given=form.cleaned_data["artifacts"])


def _admit(request: HttpRequest) -> Caller:
    caller = caller_from_request(request)
    request.allowance = admit_caller(caller=caller, action=Action.READ, now=timezone.now())  # type: ignore[attr-defined]
    return caller


def _refuse(request: HttpRequest, message: str, status: int) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": message, "code": "invalid"}, status=status)
    return _page(request, practice_tasks(), _number(request.POST.get("number", "")), error=message, status=status)


def _page(
    request: HttpRequest,
    tasks: list[PracticeTask],
    number: int,
    *,
    feedback: Feedback | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    task = next((task for task in tasks if task.number == number), None)
    context = {
        "image": _shown(task) if task else None,
        "number": number,
        "position": number + 1,
        "count": len(tasks),
        "next": None if feedback is None or feedback.is_finished else number + 1,
        "feedback": feedback,
        "scale": get_scale(SCALE_VERSION),
        **more,
    }
    return render(request, "ratings/practice.html", context, status=status)


def _shown(task: PracticeTask) -> dict[str, Any]:
    return {
        "image_id": str(task.image_id),
        "url": reverse("ratings:practice_picture", args=[task.image_id]),
        "width": task.width,
        "height": task.height,
    }


def _number(text: str) -> int:
    return int(text) if text in {str(number) for number in range(len(PRACTICE_LEVELS))} else 0
