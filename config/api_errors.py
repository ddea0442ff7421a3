"""The one table from what went wrong to status and body, and every error page.

Below /api/ every error is JSON with a `message`, whoever raised it: old clients parse JSON before they look
at the status (wire protocol, section 0, rule 3).
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views import csrf
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from accounts.access import InvalidApiKey
from accounts.limits import RateLimited
from accounts.providers.base import ProviderUnavailable
from exports.views.files import NoPlaceLeft
from ratings.api.bodies import BodyInvalid
from ratings.countermeasures.proof_of_work import ProofOfWorkNeeded
from ratings.queries.datasets import NoSuchDataset
from ratings.queries.moderation import NoSuchImage
from ratings.queries.raters import NoSuchRater
from ratings.selection import NoImageLeft, TooManyLeases
from ratings.services.comparing_again import ComparisonLocked, NoSuchComparison
from ratings.services.quarantine import RaterIsShared
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NoSuchRating,
    NotComplete,
    NotLeased,
    RatingInvalid,
    RatingLocked,
    WrongBytes,
)
from ratings.services.relay import SetAlreadyRated, SetInvalid, SetUnavailable

log = structlog.get_logger(__name__)


class ApiError(NamedTuple):
    """What a client is told: HTTP status, and a code where AI Horde's clients know one."""

    status: int
    rc: str


# On POST, 403 is what makes every old client go on to the next image; on GET it would make one loop.
ERRORS: dict[type[Exception], ApiError] = {
    InvalidApiKey: ApiError(401, "InvalidAPIKey"),
    BodyInvalid: ApiError(400, "ValidationFailed"),
    RatingInvalid: ApiError(400, "ValidationFailed"),
    SetInvalid: ApiError(400, "ValidationFailed"),
    ProviderUnavailable: ApiError(503, "IdentityProviderUnavailable"),
    RequestDataTooBig: ApiError(413, "BodyTooLarge"),
    NotLeased: ApiError(403, "NotLeased"),
    AlreadyRated: ApiError(403, "AlreadyRated"),
    ImageUnavailable: ApiError(403, "ImageUnavailable"),
    SetAlreadyRated: ApiError(403, "AestheticsAlreadyExist"),
    # Not 403, which AI Horde takes for "already rated".
    SetUnavailable: ApiError(409, "SetUnavailable"),
    ComparisonLocked: ApiError(403, "ComparisonLocked"),
    NoSuchComparison: ApiError(404, "ComparisonNotFound"),
    IdempotencyKeyReused: ApiError(409, "IdempotencyKeyReused"),
    # Only clients that send the hash can get this, and they are to show the right picture, not to go on.
    WrongBytes: ApiError(409, "WrongBytes"),
    RatingLocked: ApiError(403, "RatingLocked"),
    NotComplete: ApiError(403, "NotComplete"),
    NoSuchRating: ApiError(404, "RatingNotFound"),
    NoSuchDataset: ApiError(404, "DatasetNotFound"),
    NoSuchImage: ApiError(404, "ImageNotFound"),
    NoSuchRater: ApiError(404, "UserNotFound"),
    RaterIsShared: ApiError(409, "UserIsShared"),
    NoImageLeft: ApiError(404, "NoImageLeft"),
    TooManyLeases: ApiError(429, "TooManyLeases"),
    RateLimited: ApiError(429, "RateLimited"),
    ProofOfWorkNeeded: ApiError(428, "ProofOfWorkNeeded"),
    Http404: ApiError(404, "NotFound"),
    NoPlaceLeft: ApiError(429, "NoPlaceLeft"),
}
# In seconds, where the exception does not know better.
RETRY_AFTER: dict[type[Exception], str] = {
    TooManyLeases: "60",
    RateLimited: "60",
    ProofOfWorkNeeded: "60",
    NoPlaceLeft: "5",
    ProviderUnavailable: "10",
}
TOO_BIG = gettext_noop("The body is too large.")
WORK_OF_A_CLIENT = (
    "Much was rated without an account from your address within the hour. Solve the challenge and send the solution as "
    "`altcha`, wait %d seconds, or use a key of your own."
)


def handle_api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for an exception of an API view; None for one that nobody expected, which is a 500."""
    set_rollback()
    response = _answer(error, context["view"])
    if response is not None and not getattr(context["view"], "has_error_codes", True):
        del response.data["rc"]
    return response


def _answer(error: Exception, view: APIView) -> Response | None:
    if isinstance(error, APIException):
        return Response(_body(_message_of(error), error.default_code), error.status_code, headers=_headers_of(error))
    known = ERRORS.get(type(error))
    if known is None:
        return None
    if isinstance(error, RateLimited) and view.request.method == "POST":
        known = known._replace(status=getattr(view, "limited_post_status", None) or known.status)
    body = _body(_said(error), known.rc)
    if isinstance(error, BodyInvalid | SetInvalid):
        body["errors"] = error.errors
    if isinstance(error, ProofOfWorkNeeded):
        body["challenge"] = error.challenge
    headers = {"Retry-After": RETRY_AFTER[type(error)]} if type(error) in RETRY_AFTER else {}
    if isinstance(error, RateLimited):
        headers |= error.as_headers()
    if known.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'ApiKey realm="api"'
    return Response(body, known.status, headers=headers)


def _said(error: Exception) -> str:
    if isinstance(error, RequestDataTooBig):
        return TOO_BIG
    if isinstance(error, ProofOfWorkNeeded):
        return WORK_OF_A_CLIENT % error.retry_after
    return str(error) or "Not found."


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _error_page(request, 413, TOO_BIG)
    return _error_page(request, 400, gettext_noop("The request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    del exception
    return _error_page(request, 403, "You may not do this.")


def too_many_requests(request: HttpRequest, exception: RateLimited | None = None) -> HttpResponse:
    """Answer a page's request that came too often: in JSON for its script, else in words, with when to come back.

    django-allauth asks for this too, without an exception, when somebody tries to sign in too often.
    """
    limited = exception or RateLimited(_("Too many attempts. Wait a minute, then try again."))
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response: HttpResponse = _limited_json(limited)
    else:
        response = render(request, "429.html", {"message": str(limited)}, status=429)
    response["Retry-After"] = str(limited.retry_after)
    add_never_cache_headers(response)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is not ours, or not any more: the script fetches a new one and sends it again."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        message = _("This page was too old. Nothing was saved; it is sent again with a fresh token.")
        return JsonResponse({"message": message, "code": "stale_csrf"}, status=403)
    return csrf.csrf_failure(request, reason=reason)


def _limited_json(limited: RateLimited) -> HttpResponse:
    body: dict[str, Any] = {"message": str(limited), "code": "limited"}
    if not isinstance(limited, ProofOfWorkNeeded):
        return JsonResponse(body, status=429)
    return JsonResponse(body | {"code": "proof_of_work", "challenge": limited.challenge}, status=428)


@csrf_exempt  # It is also the view of unknown routes of the API, which no token comes with.
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    del exception
    return _error_page(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_page(request, 500, "Something went wrong on our side. It is logged; please try again later.")


def is_api(request: HttpRequest) -> bool:
    """Return whether the client of this request reads JSON and nothing else."""
    return request.path.startswith("/api/")


def _error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    if is_api(request):
        body = orjson.dumps(_body(message, "error"))
        return HttpResponse(body, content_type="application/json", status=status)
    template = f"{status}.html" if status in {400, 403, 404, 500} else "400.html"
    return render(request, template, {"message": _(message)}, status=status)


def _body(message: str, rc: str) -> dict[str, Any]:
    return {"message": message, "rc": rc}


def _message_of(error: APIException) -> str:
    return str(error.detail) if isinstance(error.detail, str) else "The request could not be understood."


def _headers_of(error: APIException) -> dict[str, str]:
    wait = getattr(error, "wait", None)
    return {"Retry-After": str(int(wait))} if wait else {}
