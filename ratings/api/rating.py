"""Take an image, rate it: the two operations that every client since 2023 speaks."""

import uuid
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from msgspec import UNSET
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.models import Scope
from ratings.api.base import ApiView
from ratings.api.bodies import BodyInvalid, RatingBody, RevisionBody, read_body
from ratings.api.fields import mask_fields
from ratings.api.permissions import HasScope
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import current_prices
from ratings.selection import MAX_COUNT, LeasedImage, lease_images
from ratings.services.rating import DEFAULT_AGENT, RatingSubmission, submit_rating
from ratings.services.refusals import NoSuchRating, NotLeased
from ratings.services.revising import RatingRevision, revise_rating


def proof_field() -> serializers.CharField:
    """Return the field for a proof of work, which any answer may have."""
    return serializers.CharField(
        required=False,
        help_text="The solution of the challenge that a refusal came with (rc ProofOfWorkNeeded): base64 of JSON",
    )


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
    sha256 = serializers.RegexField(
        "^[0-9a-f]{8,64}$",
        required=False,
        help_text="The first eight or more digits of the SHA-256 of the bytes you showed; wrong ones are 409",
    )
    altcha = proof_field()


class RevisionInput(serializers.Serializer[Any]):
    """What you say now of an image that you have rated."""

    rating = serializers.IntegerField(min_value=1, max_value=10, help_text="1 worst to 10 best")
    artifacts = serializers.IntegerField(
        min_value=0,
        max_value=5,
        required=False,
        allow_null=True,
        help_text="0 none to 5 ruined; null takes the answer back, and without it the answer stays",
    )
    altcha = proof_field()


class ImagesToRate(serializers.Serializer[Any]):
    """Images that were leased to you: as many as you asked for, or fewer."""

    images = ImageToRate(many=True)


class RatingAccepted(serializers.Serializer[Any]):
    """What it earned."""

    message = serializers.CharField()
    reward = serializers.IntegerField(min_value=1, help_text="Kudos promised; they settle when the rating counts")


class RatingRevised(RatingAccepted):
    """The rating as it stands."""

    rating = serializers.IntegerField(min_value=1, max_value=10)
    artifacts = serializers.IntegerField(min_value=0, max_value=5, allow_null=True)
    revisable_until = serializers.DateTimeField(help_text="Until then you may change it")


class RequestError(serializers.Serializer[Any]):
    """Every error."""

    message = serializers.CharField(help_text="The error message for this status code.")
    rc = serializers.CharField(help_text="A code that does not change with the wording")
    errors = serializers.DictField(  # type: ignore[assignment]  # the name that old clients read
        child=serializers.CharField(), required=False, help_text="By field, on 400"
    )


class Challenge(serializers.Serializer[Any]):
    """Work to be done (ALTCHA, version 1): find the number up to ``maxnumber`` whose SHA-256 with the salt this is."""

    algorithm = serializers.ChoiceField(["SHA-256"])
    challenge = serializers.CharField(help_text="The SHA-256, in hexadecimal, of the salt followed by the number")
    salt = serializers.CharField()
    maxnumber = serializers.IntegerField()
    signature = serializers.CharField()


class WorkNeeded(RequestError):
    """An error that may ask for work: with rc ProofOfWorkNeeded there is a challenge to solve."""

    challenge = Challenge(required=False)


FIELDS = OpenApiParameter("X-Fields", str, OpenApiParameter.HEADER, description="Comma list of fields to return")
AGENT = OpenApiParameter("Client-Agent", str, OpenApiParameter.HEADER, description="name:version:contact")
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 40 characters; the same key gets the same answer, so a lost one can be asked again",
)
COUNT = OpenApiParameter(
    "count",
    {"type": "integer", "minimum": 1, "maximum": MAX_COUNT},
    description="How many images to lease; the answer then is a list, also of one",
)
ONE_OR_SEVERAL = PolymorphicProxySerializer(
    component_name="ImageOrImages", serializers=[ImageToRate, ImagesToRate], resource_type_field_name=None
)
LEASE_ANSWERS = {
    200: ONE_OR_SEVERAL,
    400: RequestError,
    401: RequestError,
    404: RequestError,
    429: RequestError,
    503: RequestError,
}
ASKED_FOR_WORK = {428: WorkNeeded}
# Beside the ids stand a few names, `new` for one, that take other methods.
OTHER_NAMES = {405: RequestError}
REFUSALS = {
    400: RequestError,
    401: RequestError,
    403: RequestError,
    409: RequestError,
    413: RequestError,
    503: RequestError,
}
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
        parameters=[COUNT, FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        return lease_some(request, settings.DEFAULT_DATASET)


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
        responses={201: RatingAccepted, **OTHER_NAMES, **REFUSALS, 403: WorkNeeded},
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

    @extend_schema(
        operation_id="patchRate",
        summary="Change your rating of an image, within 24 hours",
        parameters=[IDEMPOTENCY, FIELDS],
        request=RevisionInput,
        responses={
            200: RatingRevised,
            404: RequestError,
            429: RequestError,
            **OTHER_NAMES,
            **REFUSALS,
            **ASKED_FOR_WORK,
        },
    )
    def patch(self, request: Request, image_id: str) -> Response:
        revised = revise_rating(
            caller=caller_of(request),
            rated=as_image_id(image_id, NoSuchRating("You have no such rating.")),
            revision=_read_revision(request),
            prices=current_prices(),
            now=timezone.now(),
        )
        answer = {
            "message": "Rating changed",
            "reward": revised.reward,
            "rating": revised.aesthetic,
            "artifacts": revised.artifacts,
            "revisable_until": revised.revisable_until.isoformat(),
        }
        return Response(mask_fields(request, answer))


def lease_some(request: Request, dataset_name: str, model_name: str = "") -> Response:
    """Lease the caller images of a dataset, and of one model if it is named: one, or as many as ``count`` asks for."""
    count = read_count(request, most=MAX_COUNT)
    leased = lease_images(
        caller=caller_of(request),
        dataset=get_dataset_for_rating(dataset_name),
        model_name=model_name,
        count=count or 1,
        now=timezone.now(),
    )
    images = [_image_answer(request, image) for image in leased]
    if count is None:
        return Response(mask_fields(request, images[0]), headers=NOT_STORED)
    return Response({"images": [mask_fields(request, image) for image in images]}, headers=NOT_STORED)


def read_count(request: Request, *, most: int) -> int | None:
    """Return how many are asked for, None where that is not said. Raises BodyInvalid."""
    text = request.query_params.get("count")
    if text is None:
        return None
    if text not in {str(count) for count in range(1, most + 1)}:
        raise BodyInvalid({"count": f"must be a whole number from 1 to {most}"})
    return int(text)


def as_image_id(text: str, otherwise: Exception) -> uuid.UUID:
    """Return an image's id from a path. Raises ``otherwise`` where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise otherwise from error


def _read_submission(request: Request, image_id: str) -> RatingSubmission:
    body = read_body(request.body, RatingBody)
    return RatingSubmission(
        image_id=as_image_id(image_id, NotLeased("There is no such image.")),
        aesthetic=body.rating,
        artifacts=body.artifacts_value(),
        lease=body.lease,
        sha256=body.sha256,
        idempotency_key=request.headers.get("Idempotency-Key"),
        client_agent=request.headers.get("Client-Agent", DEFAULT_AGENT),
    )


def _read_revision(request: Request) -> RatingRevision:
    body = read_body(request.body, RevisionBody)
    return RatingRevision(
        aesthetic=body.rating,
        artifacts=body.artifacts_value(),
        keeps_artifacts=body.artifacts is UNSET,
        idempotency_key=request.headers.get("Idempotency-Key"),
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
