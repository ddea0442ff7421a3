"""The same answers as pages for people, under the policy that every page of the site has.

Links and the form keep what was asked for, and lead to where the page was reached: to the API, whose key has to come
along with each request, or to the pages of ratings/views/moderation.py, for a browser that is signed in.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.request import Request

from ratings.api.v1_compat.moderation_bodies import query_of
from ratings.queries.moderation import WINDOW_OF_LIST, ListedRating, RatedImage, RatingFilter
from ratings.services.rating import AESTHETIC, ARTIFACTS

COMPARISONS = (("eq", "exactly"), ("ge", "at least"), ("le", "at most"))


def show_list(
    request: Request | HttpRequest, wanted: RatingFilter, rows: Sequence[ListedRating], username: str
) -> HttpResponse:
    """Show ratings, of one user where there is a name, with the filters and the ways to the pages beside."""
    context = {
        "ratings": rows,
        "username": username,
        "wanted": wanted,
        "comparisons": COMPARISONS,
        "scales": {"rating": AESTHETIC, "artifacts": ARTIFACTS},
        "window": WINDOW_OF_LIST,
        "newer": _page(wanted, wanted.offset - wanted.limit) if wanted.offset else "",
        "older": _page(wanted, wanted.offset + wanted.limit) if len(rows) == wanted.limit else "",
    }
    return _page_response(request, "ratings/moderation/ratings.html", context)


def show_image(request: Request | HttpRequest, rated: RatedImage) -> HttpResponse:
    """Show an image and who rated it."""
    return _page_response(request, "ratings/moderation/image.html", {"rated": rated, "ratings": rated.ratings})


def _page(wanted: RatingFilter, offset: int) -> str:
    return query_of(replace(wanted, offset=max(0, offset)))


def _page_response(request: Request | HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    context["image_route"] = "ratings:moderate_image" if isinstance(request, HttpRequest) else "api-image-ratings"
    response = render(request, template, context)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = build_policy()
    return response
