"""The lists of moderators for a browser that is signed in: the pages that the API shows to keys."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from ratings.api.bodies import BodyInvalid
from ratings.api.v1_compat.moderation import PAGE_LENGTH
from ratings.api.v1_compat.moderation_bodies import RatingsQuery, read_number, read_query
from ratings.api.v1_compat.moderation_pages import show_image, show_list
from ratings.queries.moderation import MAX_ROWS, NoSuchImage, get_rater_by_number, list_ratings, ratings_of_image
from ratings.queries.raters import NoSuchRater

Args = ParamSpec("Args")
Page = Callable[Concatenate[HttpRequest, Args], HttpResponse]


def for_moderators(page: Page[Args]) -> Page[Args]:
    """Let in who is signed in and may see ratings; all others are sent to sign in, or refused.

    What cannot be asked is a 400, and who or what does not exist a 404.
    """

    @require_safe
    @login_required
    @permission_required("ratings.view_rating", raise_exception=True)
    @wraps(page)
    def guarded(request: HttpRequest, *args: Args.args, **kwargs: Args.kwargs) -> HttpResponse:
        try:
            return page(request, *args, **kwargs)
        except BodyInvalid as error:
            raise BadRequest(str(error)) from error
        except (NoSuchRater, NoSuchImage) as error:
            raise Http404(str(error)) from error

    return guarded


@for_moderators
def moderate_ratings(request: HttpRequest) -> HttpResponse:
    """Show everybody's ratings, newest first."""
    wanted = read_query(request.GET, RatingsQuery).as_filter(limit=PAGE_LENGTH)
    return show_list(request, wanted, list_ratings(wanted=wanted), "")


@for_moderators
def moderate_user(request: HttpRequest, number: str) -> HttpResponse:
    """Show somebody's ratings beside what the others gave."""
    wanted = read_query(request.GET, RatingsQuery).as_filter(limit=MAX_ROWS)
    rater = get_rater_by_number(read_number(number))
    return show_list(request, wanted, list_ratings(wanted=wanted, rater_id=rater.rater_id), rater.username)


@for_moderators
def moderate_image(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    """Show who rated an image, and how."""
    return show_image(request, ratings_of_image(image_id))
