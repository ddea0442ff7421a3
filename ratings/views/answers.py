"""How the two pages that ask answer: a page for people, JSON for its script, and a way on after a refusal."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from ratings.services.refusals import RatingRefused

# By the codes of refusals, which are of both pages.
STATUSES = {
    "invalid": 400,
    "not_leased": 403,
    "locked": 403,
    "not_found": 404,
    "image_unavailable": 404,
    "already_rated": 409,
    "idempotency_key_reused": 409,
    "wrong_bytes": 409,
    "identity_changed": 409,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of it: in words, and for the script. ``rating_id`` is that of a rating that can be revised."""

    message: str
    data: dict[str, Any] = field(default_factory=dict)
    rating_id: int | None = None


class SeeOther(HttpResponseRedirect):
    """Go on with GET, whatever brought you here."""

    status_code = 303


def wants_json(request: HttpRequest) -> bool:
    """Return whether the caller would rather have JSON than a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def answer(request: HttpRequest, reply: Reply) -> HttpResponse:
    """Say what became of it, and go on."""
    if wants_json(request):
        return JsonResponse({"message": reply.message, **reply.data})
    messages.success(request, reply.message, extra_tags=str(reply.rating_id or ""))
    return SeeOther(request.path)


def refuse(request: HttpRequest, refusal: RatingRefused) -> HttpResponse:
    """Say why nothing was saved, and go on."""
    if wants_json(request):
        return JsonResponse({"message": str(refusal), "code": refusal.reason}, status=STATUSES[refusal.reason])
    messages.error(request, str(refusal))
    return SeeOther(request.path)
