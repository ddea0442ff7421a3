"""Take an image, rate it: the two operations that every client since 2023 speaks."""

import uuid
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.models import Scope
from ratings.api.base import ApiView
from ratings.api.bodies import RatingBody, read_body
from ratings.api.fields import mask_fields
from ratings.api.permissions import HasScope
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import current_prices
from ratings.selection import LeasedImage, lease_images
from ratings.services.rating import DEFAULT_AGENT, RatingSubmission, submit_rating
from ratings.services.refusals import NotLeased


class ImageToRate(serializers.Serializer[Any]):
    """An image that was leased to you."""

    id = serializers.UUIDField(help_text="UUID of the image to rate")
    url = serializers.URLField(help_text="URL from which to download the image")
    dataset_id = serializers.UUIDField(help_text="UUID of the dataset in which this image belongs")
    lease = serializers.CharField(help_text="Proof that it was shown to you; send it back with the rating")


class RatingInput(serializers.Serializer[Any]):
    """What you say of an image."""

    rating = serializers.IntegerField(min_value=1, max_value=10, help_text="1 worst to 10 best")
    artifacts = serializers.IntegerField(
        min_value=0, max_value=5, required=False, allow_null=True, help_text="0 none to 5 ruined"
    )
    lease = serializers.CharField(required=False, help_text="The lease that came with the image")


class RatingAccepted(serializers.Serializer[Any]):
    """What it earned."""

    message = serializers.CharField()
    reward = serializers.IntegerField(min_value=1, help_text="Kudos promised; they settle when the rating counts")


class RequestError(serializers.Serializer[Any]):
    """Every error."""

    message = serializers.CharField(help_text="The error message for this status code.")
    rc = serializers.CharField(help_text="A code that does not change with the wording")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name that old clients read
        child=serializers.CharField(), required=False, help_text="By field, on 400"
    )


FIELDS = OpenApiParameter("X-Fields", str, OpenApiParameter.HEADER, description="Comma list of fields to return")
AGENT = OpenApiParameter("Client-Agent", str, OpenApiParameter.HEADER, description="name:version:contact")
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 40 characters; the same key gets the same answer, so a lost one can be asked again",
)
LEASE_ANSWERS = {200: ImageToRate, 401: RequestError, 404: RequestError, 429: RequestError, 503: RequestError}
NOT_STORED = {"Cache-Control": "no-store"}


class LeasingView(ApiView):
    """An operation whose GET leases an image."""

    @extend_schema(exclude=True)
    def head(self, request: Request, **names: str) -> HttpResponse:
        """Answer a monitor that asks whether anybody is there, without leasing it an image."""
        del request, names
        return HttpResponse(content_type="application/json", headers=NOT_STORED)


class NewRatingView(LeasingView):
    """GET /rating/new: lease the next image of the default dataset."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="getDefaultDatasetImagePop",
        summary="Retrieve an image to rate from the default dataset",
        parameters=[FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        return lease_one(request, settings.DEFAULT_DATASET)


class RateView(ApiView):
    """POST /rating/{image_id}: rate an image that was leased before.

    Too often is 403 as every "not now": after 429 ArtBot goes on and keeps its stars, which the next click would send.
    """

    limited_post_status = HTTPStatus.FORBIDDEN
    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postRate",
        summary="Aesthetically rate an image",
        description="You need to retrieve an image ID from /rating/new first.",
        parameters=[AGENT, IDEMPOTENCY, FIELDS],
        request=RatingInput,
        responses={
            201: RatingAccepted,
            400: RequestError,
            401: RequestError,
            403: RequestError,
            409: RequestError,
            413: RequestError,
            503: RequestError,
        },
        examples=[OpenApiExample("A rating", {"rating": 7, "artifacts": 1}, request_only=True)],
    )
    def post(self, request: Request, image_id: str) -> Response:
        submitted = submit_rating(
            caller=caller_of(request),
            submission=_read_submission(request, image_id),
            prices=current_prices(),
            now=timezone.now(),
        )
        answer = {"message": "Rating submitted", "reward": submitted.reward}
        return Response(mask_fields(request, answer), status=201)


def lease_one(request: Request, dataset_name: str, model_name: str = "") -> Response:
    """Lease the caller an image of a dataset, and of one model if it is named, and answer with it."""
    [leased] = lease_images(
        caller=caller_of(request),
        dataset=get_dataset_for_rating(dataset_name),
        model_name=model_name,
        count=1,
        now=timezone.now(),
    )
    return Response(mask_fields(request, _image_answer(request, leased)), headers=NOT_STORED)


def _read_submission(request: Request, image_id: str) -> RatingSubmission:
    body = read_body(request.body, RatingBody)
    try:
        image = uuid.UUID(image_id)
    except ValueError as error:
        raise NotLeased("There is no such image.") from error
    return RatingSubmission(
        image_id=image,
        aesthetic=body.rating,
        artifacts=body.artifacts_value(),
        lease=body.lease,
        idempotency_key=request.headers.get("Idempotency-Key"),
        client_agent=request.headers.get("Client-Agent", DEFAULT_AGENT),
    )


def image_url(request: Request, image_id: uuid.UUID) -> str:
    """Return the address at which anybody gets the image, as clients of any origin need it."""
    path = reverse("ratings:image", args=[image_id])
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _image_answer(request: Request, leased: LeasedImage) -> dict[str, Any]:
    return {
        "id": str(leased.image_id),
        "url": image_url(request, leased.image_id),
        "dataset_id": str(leased.dataset_id),
        "lease": leased.lease,
    }
