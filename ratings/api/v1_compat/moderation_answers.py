"""What moderators are answered in JSON, in the shapes that horde_sdk reads, and how the document describes them."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from ratings.api.rating import image_url
from ratings.models import ModerationAction
from ratings.queries.moderation import KnownRater, ListedRating, RatedImage, RecentRatings

COMPARISONS = ["eq", "ge", "le"]
THREE_HOURS = 180
FORMAT = OpenApiParameter(
    "format", str, enum=["html", "json"], description="html, unless the Accept header names application/json"
)
CHECK_PARAMETERS = [
    OpenApiParameter("user_id", int, OpenApiParameter.PATH, description="The number behind the # of a name"),
    OpenApiParameter("minutes", float, default=60, description="How far back to look"),
    OpenApiParameter("divergence", int, default=3, description="How far from the others is suspect"),
]
LIST_PARAMETERS = [
    OpenApiParameter("rating", int),
    OpenApiParameter("rating_comparison", str, enum=COMPARISONS, default="eq"),
    OpenApiParameter("artifacts", int),
    OpenApiParameter("artifacts_comparison", str, enum=COMPARISONS, default="eq"),
    OpenApiParameter("min_ratings", int, default=3, description="How often the image was rated, at least"),
    OpenApiParameter("diverge", int, description="Only ratings that are more than this away from the average"),
    OpenApiParameter("client_agent", str, description="How the agent begins, such as ArtBot"),
    OpenApiParameter("limit", int, description="At most 1000 are given"),
    OpenApiParameter("offset", int, default=0),
    FORMAT,
]


class Refusal(serializers.Serializer[Any]):
    """Every error of these operations."""

    message = serializers.CharField(help_text="The error message for this status code.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name that old clients read
        child=serializers.CharField(), required=False, help_text="By field, on 400"
    )


REFUSALS: dict[int, type[Refusal]] = dict.fromkeys((400, 401, 403, 404, 429), Refusal)


class UserCheck(serializers.Serializer[Any]):
    """How fast a user rates, and how often unlike the others; no count exceeds 10,000."""

    ratings_in_timeframe = serializers.IntegerField()
    ratings_per_minute_in_timeframe = serializers.FloatField()
    ratings_past_three_hours = serializers.IntegerField()
    ratings_per_minute_for_past_three_hours = serializers.FloatField()
    suspect_divergences = serializers.IntegerField()
    captchas_failed = serializers.IntegerField(help_text="Failed minus solved")


class UserRating(serializers.Serializer[Any]):
    """A rating beside those of the others: average and times_rated are without it."""

    image = serializers.URLField()
    rating = serializers.IntegerField()
    artifacts = serializers.IntegerField(allow_null=True)
    average = serializers.IntegerField(help_text="A half is rounded up; 0 where nobody else rated")
    times_rated = serializers.IntegerField()


class NamedRating(UserRating):
    """A rating and who gave it: average and times_rated are of all that count."""

    username = serializers.CharField(help_text="name#number")


class UserRatings(serializers.Serializer[Any]):
    """The ratings of a user."""

    total = serializers.IntegerField(help_text="How many are in this answer")
    ratings = UserRating(many=True)


class AllRatings(serializers.Serializer[Any]):
    """The ratings of all users."""

    total = serializers.IntegerField(help_text="How many are in this answer")
    ratings = NamedRating(many=True)


class RatingOfImage(serializers.Serializer[Any]):
    """What somebody said of the image."""

    username = serializers.CharField(help_text="name#number")
    rating = serializers.IntegerField()
    artifacts = serializers.IntegerField(allow_null=True)


class ImageRatings(serializers.Serializer[Any]):
    """The ratings of an image."""

    total = serializers.IntegerField(help_text="How many are in this answer")
    image = serializers.URLField()
    image_id = serializers.UUIDField()
    average = serializers.FloatField(help_text="Of those that count, to one decimal")
    times_rated = serializers.IntegerField(help_text="How many count")
    ratings = RatingOfImage(many=True)


class UserChanges(serializers.Serializer[Any]):
    """What to change about a user; at least one of the two."""

    validated = serializers.BooleanField(required=False)
    flagged = serializers.BooleanField(required=False)


class RequestAccepted(serializers.Serializer[Any]):
    """It is done."""

    message = serializers.CharField()


def answer_check(recent: RecentRatings, minutes: float, challenges_failed: int) -> dict[str, Any]:
    return {
        "ratings_in_timeframe": recent.in_timeframe,
        "ratings_per_minute_in_timeframe": recent.in_timeframe / minutes,
        "ratings_past_three_hours": recent.past_three_hours,
        "ratings_per_minute_for_past_three_hours": recent.past_three_hours / THREE_HOURS,
        "suspect_divergences": recent.divergent,
        "captchas_failed": challenges_failed,
    }


def answer_list(request: Request, rows: Sequence[ListedRating], *, with_names: bool) -> dict[str, Any]:
    listed = [_answer_rating(row, image_url(request, row.image_id), with_names=with_names) for row in rows]
    return {"total": len(listed), "ratings": listed}


def answer_image(request: Request, rated: RatedImage) -> dict[str, Any]:
    return {
        "total": len(rated.ratings),
        "image": image_url(request, rated.image_id),
        "image_id": str(rated.image_id),
        "average": rated.average,
        "times_rated": rated.times_rated,
        "ratings": [
            {"username": row.username, "rating": row.aesthetic, "artifacts": row.artifacts} for row in rated.ratings
        ],
    }


def answer_actions(rater: KnownRater, actions: Sequence[ModerationAction]) -> dict[str, Any]:
    """Return what was done, in words: a client shows them and reads nothing else."""
    done = ", ".join(f"{action.get_kind_display()} (action {action.pk})" for action in actions if action.pk)
    return {"message": f"{rater.username}: {done or 'nothing to change, it is so already'}"}


def _answer_rating(row: ListedRating, url: str, *, with_names: bool) -> dict[str, Any]:
    answer = {
        "image": url,
        "rating": row.aesthetic,
        "artifacts": row.artifacts,
        "average": row.average,
        "times_rated": row.times_rated,
    }
    return {"username": row.username, **answer} if with_names else answer
