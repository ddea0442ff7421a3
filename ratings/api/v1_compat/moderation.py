"""What moderators ask and decide through the API of 2023: checks of a user, lists of ratings, flags.

Lists are pages for people unless JSON is asked for, by ``format=json`` or an Accept header that names it.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ratings.api.base import ApiView
from ratings.api.bodies import BodyInvalid, read_body
from ratings.api.fields import mask_fields
from ratings.api.permissions import IsModerator, moderator_of
from ratings.api.v1_compat import moderation_answers as answers
from ratings.api.v1_compat.moderation_bodies import (
    CheckQuery,
    FormatQuery,
    ModifyBody,
    RatingsQuery,
    read_number,
    read_query,
)
from ratings.api.v1_compat.moderation_pages import show_image, show_list
from ratings.queries.moderation import (
    MAX_ROWS,
    ListedRating,
    NoSuchImage,
    RatingFilter,
    check_rater,
    get_rater_by_number,
    list_ratings,
    ratings_of_image,
)
from ratings.services.quarantine import modify_rater, quarantine_rater

FLAGGED = "Flagged through the API."
MODIFIED = "Modified through the API."
PAGE_LENGTH = 100


class ModeratorsView(ApiView):
    """An operation of moderators. The oldest clients read an error only when `message` is all that it says."""

    has_error_codes = False


class CheckUserView(ModeratorsView):
    """GET /user/check/{user_id}: how fast somebody rates, and how often unlike the others."""

    permission_classes = (IsModerator.of("ratings.view_rating"),)

    @extend_schema(
        operation_id="getCheckUser",
        summary="Check how fast a user rates, and how often they diverge",
        parameters=answers.CHECK_PARAMETERS,
        responses={200: answers.UserCheck, **answers.REFUSALS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        query = read_query(request.query_params, CheckQuery)
        rater = get_rater_by_number(read_number(user_id))
        recent = check_rater(
            rater_id=rater.rater_id, minutes=query.minutes, divergence=query.divergence, now=timezone.now()
        )
        return _json(request, answers.answer_check(recent, query.minutes, rater.challenges_failed))


class ValidateUserView(ModeratorsView):
    """GET /user/validate/{user_id}: somebody's ratings beside what the others gave."""

    permission_classes = (IsModerator.of("ratings.view_rating"),)

    @extend_schema(
        operation_id="getShowUserRatings",
        summary="Show the ratings of a user beside those of the others",
        parameters=answers.LIST_PARAMETERS,
        responses={200: answers.UserRatings, **answers.REFUSALS},
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        query = read_query(request.query_params, RatingsQuery)
        rater = get_rater_by_number(read_number(user_id))
        wanted = query.as_filter(limit=MAX_ROWS)
        rows = list_ratings(wanted=wanted, rater_id=rater.rater_id)
        return _list(request, query, wanted, rows, rater.username)


class AllRatingsView(ModeratorsView):
    """GET /user/ratings: everybody's ratings, newest first."""

    permission_classes = (IsModerator.of("ratings.view_rating"),)

    @extend_schema(
        operation_id="getShowAllRatings",
        summary="Show the ratings of all users",
        parameters=answers.LIST_PARAMETERS,
        responses={200: answers.AllRatings, **answers.REFUSALS},
    )
    def get(self, request: Request) -> HttpResponse:
        query = read_query(request.query_params, RatingsQuery)
        wanted = query.as_filter(limit=PAGE_LENGTH)
        return _list(request, query, wanted, list_ratings(wanted=wanted))


@extend_schema(exclude=True)
class AllRatingsSlashView(AllRatingsView):
    """The same at the address that horde_sdk uses; a redirect would cost its callers the key."""

    permission_classes = (IsModerator.of("ratings.view_rating"),)


class ImageRatingsView(ModeratorsView):
    """GET /image/ratings/{image_id}: who rated an image, and how."""

    permission_classes = (IsModerator.of("ratings.view_rating"),)

    @extend_schema(
        operation_id="getShowImageRatings",
        summary="Show the ratings of an image",
        parameters=[answers.FORMAT],
        responses={200: answers.ImageRatings, **answers.REFUSALS},
    )
    def get(self, request: Request, image_id: str) -> HttpResponse:
        query = read_query(request.query_params, FormatQuery)
        rated = ratings_of_image(_read_image_id(image_id))
        if _wants_page(request, query.format):
            return show_image(request, rated)
        return _json(request, answers.answer_image(request, rated))


class FlagUserView(ModeratorsView):
    """POST /user/flag/{user_id}: put somebody into quarantine. A body is not read."""

    permission_classes = (IsModerator.of("ratings.change_rater"),)

    @extend_schema(
        operation_id="postFlagUser",
        summary="Flag a user: their ratings no longer count",
        parameters=[OpenApiParameter("user_id", int, OpenApiParameter.PATH)],
        request=None,
        responses={200: answers.RequestAccepted, **answers.REFUSALS, 409: answers.Refusal},
    )
    def post(self, request: Request, user_id: str) -> Response:
        rater = get_rater_by_number(read_number(user_id))
        action = quarantine_rater(rater_id=rater.rater_id, by=moderator_of(request), reason=FLAGGED, now=timezone.now())
        return _json(request, answers.answer_actions(rater, [action]))


class ModifyUserView(ModeratorsView):
    """POST /user/modify/{user_id}: vouch for somebody or not, put them into quarantine or let them out."""

    permission_classes = (IsModerator.of("ratings.change_rater"),)

    @extend_schema(
        operation_id="postModifyUser",
        summary="Change whether a user is validated, and whether they are flagged",
        parameters=[OpenApiParameter("user_id", int, OpenApiParameter.PATH)],
        request=answers.UserChanges,
        responses={200: answers.RequestAccepted, **answers.REFUSALS, 409: answers.Refusal},
    )
    def post(self, request: Request, user_id: str) -> Response:
        body = _read_changes(request)
        rater = get_rater_by_number(read_number(user_id))
        actions = modify_rater(
            rater_id=rater.rater_id,
            is_validated=body.validated,
            is_flagged=body.flagged,
            by=moderator_of(request),
            reason=MODIFIED,
            now=timezone.now(),
        )
        return _json(request, answers.answer_actions(rater, actions))


def _read_changes(request: Request) -> ModifyBody:
    body = read_body(request.body, ModifyBody)
    if body.validated is None and body.flagged is None:
        raise BodyInvalid({"body": "must name validated, flagged or both"})
    return body


def _read_image_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NoSuchImage("There is no such image.") from error


def _wants_page(request: Request, asked: str | None) -> bool:
    if asked is not None:
        return asked == "html"
    return "application/json" not in request.headers.get("Accept", "")


def _list(
    request: Request, query: RatingsQuery, wanted: RatingFilter, rows: Sequence[ListedRating], username: str = ""
) -> HttpResponse:
    if _wants_page(request, query.format):
        return show_list(request, wanted, rows, username)
    return _json(request, answers.answer_list(request, rows, with_names=not username))


def _json(request: Request, answer: dict[str, Any]) -> Response:
    return Response(mask_fields(request, answer), headers={"Cache-Control": "no-store"})
