"""Take a set of images, say which is the best: the operations of comparing."""

import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.models import Scope
from ratings.api.answers import AnswerTaken, ReportInput
from ratings.api.base import ApiView
from ratings.api.bodies import (
    BodyInvalid,
    ComparisonBody,
    LeasesBody,
    NewAnswerBody,
    SetReportBody,
    SkipSetBody,
    read_body,
)
from ratings.api.fields import mask_fields
from ratings.api.permissions import HasScope
from ratings.api.rating import (
    AGENT,
    ASKED_FOR_WORK,
    FIELDS,
    IDEMPOTENCY,
    NOT_STORED,
    OTHER_NAMES,
    LeasingView,
    RequestError,
    image_url,
    proof_field,
    read_count,
)
from ratings.leases.set_token import FEWEST, MOST
from ratings.models import Outcome
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import current_prices
from ratings.services.comparing_again import (
    SKIP_REASONS,
    NewAnswer,
    NoSuchComparison,
    report_from_set,
    return_sets,
    revise_comparison,
    skip_set,
    unskip_set,
)
from ratings.services.comparison import ComparisonSubmission, SubmittedComparison, submit_comparison
from ratings.services.rating import DEFAULT_AGENT
from ratings.services.refusals import NotLeased
from ratings.set_selection import MAX_COUNT, LeasedSet, lease_sets

COUNT = OpenApiParameter(
    "count",
    {"type": "integer", "minimum": 1, "maximum": MAX_COUNT},
    description="How many sets to lease; the answer then is a list, also of one",
)
SIZE = OpenApiParameter("size", {"type": "integer", "minimum": FEWEST, "maximum": MOST}, description="How many images")


class ImageToCompare(serializers.Serializer[Any]):
    """One image of a set."""

    id = serializers.UUIDField(help_text="UUID of the image")
    url = serializers.URLField(help_text="URL from which to download the image")
    width = serializers.IntegerField(help_text="Width of the original in pixels")
    height = serializers.IntegerField(help_text="Height of the original in pixels")


class SetToCompare(serializers.Serializer[Any]):
    """A set that was leased to you. Show its images in this order: it is shuffled, and stored with the answer."""

    id = serializers.UUIDField(help_text="UUID of the set")
    dataset_id = serializers.UUIDField(help_text="UUID of the dataset in which the images belong")
    lease = serializers.CharField(help_text="Proof that it was shown to you; send it back with the answer")
    images = ImageToCompare(many=True, help_text="Two to four")


class SetsToCompare(serializers.Serializer[Any]):
    """Sets that were leased to you: as many as you asked for, or fewer."""

    sets = SetToCompare(many=True)


class AnswerInput(serializers.Serializer[Any]):
    """What you say of a set."""

    outcome = serializers.ChoiceField(
        Outcome.choices, required=False, help_text="best if one is named, and else tie or all_bad"
    )
    best = serializers.UUIDField(required=False, allow_null=True, help_text="UUID of the best image, if there is one")
    altcha = proof_field()


class ComparisonInput(AnswerInput):
    """What you say of a set that was leased to you."""

    lease = serializers.CharField(help_text="The lease that came with the set")
    sha256 = serializers.ListField(
        child=serializers.RegexField("^[0-9a-f]{8,64}$"),
        required=False,
        help_text="For each image, in order, the first eight or more digits of the SHA-256 of the bytes shown",
    )


class SetSkipInput(serializers.Serializer[Any]):
    """That you do not want to compare a set."""

    lease = serializers.CharField()
    reason = serializers.ChoiceField(SKIP_REASONS, required=False)
    altcha = proof_field()


class SetReportInput(ReportInput):
    """What is wrong with one image of a set."""

    image = serializers.UUIDField(help_text="UUID of the image, one of the set")
    lease = serializers.CharField(help_text="The lease that came with the set")


class SetLeasesInput(serializers.Serializer[Any]):
    """Leases of sets that you will not answer."""

    leases = serializers.ListField(child=serializers.CharField(), max_length=20)
    altcha = proof_field()


class ComparisonAccepted(serializers.Serializer[Any]):
    """The answer as it stands, and what it earned."""

    message = serializers.CharField()
    reward = serializers.IntegerField(min_value=1, help_text="Kudos promised; they settle when the comparison counts")
    outcome = serializers.ChoiceField(Outcome.choices)
    best = serializers.UUIDField(allow_null=True)
    revisable_until = serializers.DateTimeField(help_text="Until then you may change it")


class SetSkipped(serializers.Serializer[Any]):
    """It is skipped, or no longer."""

    message = serializers.CharField()


ONE_OR_SEVERAL = PolymorphicProxySerializer(
    component_name="SetOrSets", serializers=[SetToCompare, SetsToCompare], resource_type_field_name=None
)
LEASE_ANSWERS = {
    200: ONE_OR_SEVERAL,
    400: RequestError,
    401: RequestError,
    404: RequestError,
    429: RequestError,
    503: RequestError,
}
REFUSALS = {
    400: RequestError,
    401: RequestError,
    403: RequestError,
    409: RequestError,
    413: RequestError,
    429: RequestError,
    503: RequestError,
    **ASKED_FOR_WORK,
}
ANSWER_EXAMPLES = [
    OpenApiExample("The best", {"best": "6b4f1e5a-2a0e-4ee4-a5f5-5a5c0d7f0c11", "lease": "…"}, request_only=True),
    OpenApiExample("None", {"outcome": "all_bad", "lease": "…"}, request_only=True),
]


class NewComparisonView(LeasingView):
    """GET /comparison/new: lease the next set of the default dataset."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="getSet",
        summary="Retrieve images to compare from the default dataset",
        parameters=[COUNT, SIZE, FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request) -> Response:
        return _lease_some(request, settings.DEFAULT_DATASET)


class NewComparisonOfDatasetView(LeasingView):
    """GET /comparison/new/{dataset_id}: lease the next set of a dataset."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="getDatasetSet",
        summary="Retrieve images to compare from a specific dataset",
        parameters=[COUNT, SIZE, FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request, dataset_id: str) -> Response:
        return _lease_some(request, dataset_id)


class CompareView(ApiView):
    """POST /comparison/{set_id}: say what you found of a set. PATCH: say otherwise, within a day."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postComparison",
        summary="Say which image of a set is the best, that several are, or that all are bad",
        description="You need to retrieve the set from /comparison/new first.",
        parameters=[AGENT, IDEMPOTENCY, FIELDS],
        request=ComparisonInput,
        responses={201: ComparisonAccepted, **OTHER_NAMES, **REFUSALS},
        examples=ANSWER_EXAMPLES,
    )
    def post(self, request: Request, set_id: str) -> Response:
        submitted = submit_comparison(
            caller=caller_of(request),
            submission=_read_submission(request, set_id),
            prices=current_prices(),
            now=timezone.now(),
        )
        return Response(mask_fields(request, _accepted("Comparison submitted", submitted)), status=201)

    @extend_schema(
        operation_id="patchComparison",
        summary="Change your own comparison, within 24 hours",
        parameters=[IDEMPOTENCY, FIELDS],
        request=AnswerInput,
        responses={200: ComparisonAccepted, 404: RequestError, **OTHER_NAMES, **REFUSALS},
    )
    def patch(self, request: Request, set_id: str) -> Response:
        body = read_body(request.body, NewAnswerBody)
        answer = NewAnswer(body.outcome_value(), body.best, request.headers.get("Idempotency-Key"))
        revised = revise_comparison(
            caller=caller_of(request),
            compared=_as_set_id(set_id, NoSuchComparison("You have made no such comparison.")),
            answer=answer,
            prices=current_prices(),
            now=timezone.now(),
        )
        return Response(mask_fields(request, _accepted("Comparison changed", revised)))


class SkipSetView(ApiView):
    """POST /comparison/{set_id}/skip: do not offer me these. DELETE: take it back."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postSetSkip",
        summary="Skip a set: you are not offered these images together for thirty days",
        request=SetSkipInput,
        responses={200: SetSkipped, **REFUSALS},
    )
    def post(self, request: Request, set_id: str) -> Response:
        body = read_body(request.body, SkipSetBody)
        skip_set(
            caller=caller_of(request),
            set_id=_as_set_id(set_id, NotLeased("There is no such set.")),
            token=body.lease,
            reason=body.reason,
            now=timezone.now(),
        )
        return Response({"message": "Set skipped"})

    @extend_schema(
        operation_id="deleteSetSkip",
        summary="Take a skip back",
        request=SetSkipInput,
        responses={200: SetSkipped, **REFUSALS},
    )
    def delete(self, request: Request, set_id: str) -> Response:
        body = read_body(request.body, SkipSetBody)
        unskip_set(
            caller=caller_of(request),
            set_id=_as_set_id(set_id, NotLeased("There is no such set.")),
            token=body.lease,
            now=timezone.now(),
        )
        return Response({"message": "Set skipped no longer"})


class ReportFromSetView(ApiView):
    """POST /comparison/{set_id}/report: something is wrong with this image of the set."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postSetReport",
        summary="Report one image of a set to the moderators",
        description="It is a skip as well: the image is not shown to you again. Reports earn nothing.",
        request=SetReportInput,
        responses={201: AnswerTaken, **REFUSALS},
    )
    def post(self, request: Request, set_id: str) -> Response:
        body = read_body(request.body, SetReportBody)
        report_from_set(
            caller=caller_of(request),
            set_id=_as_set_id(set_id, NotLeased("There is no such set.")),
            image_id=body.image,
            token=body.lease,
            reason=body.reason,
            note=body.note,
            now=timezone.now(),
        )
        return Response({"message": "Image reported"}, status=201)


class SetLeasesView(ApiView):
    """DELETE /comparison/lease: give leases back."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="deleteSetLeases",
        summary="Give back leases of sets that you will not answer",
        request=SetLeasesInput,
        responses={204: None, **REFUSALS},
    )
    def delete(self, request: Request) -> Response:
        return_sets(caller=caller_of(request), tokens=read_body(request.body, LeasesBody).leases, now=timezone.now())
        return Response(status=204)


def _lease_some(request: Request, dataset_name: str) -> Response:
    """Lease the caller one set, or as many as ``count`` asks for."""
    count = read_count(request, most=MAX_COUNT)
    leased = lease_sets(
        caller=caller_of(request),
        dataset=get_dataset_for_rating(dataset_name),
        count=count or 1,
        size=_read_size(request.query_params.get("size", "")),
        now=timezone.now(),
    )
    sets = [mask_fields(request, _set_answer(request, one)) for one in leased]
    return Response(sets[0] if count is None else {"sets": sets}, headers=NOT_STORED)


def _read_size(text: str) -> int | None:
    if not text:
        return None
    if text not in {str(size) for size in range(FEWEST, MOST + 1)}:
        raise BodyInvalid({"size": f"must be a whole number from {FEWEST} to {MOST}"})
    return int(text)


def _set_answer(request: Request, leased: LeasedSet) -> dict[str, Any]:
    return {
        "id": str(leased.set_id),
        "dataset_id": str(leased.dataset_id),
        "lease": leased.lease,
        "images": [
            {
                "id": str(image.image_id),
                "url": image_url(request, image.image_id),
                "width": image.width,
                "height": image.height,
            }
            for image in leased.images
        ],
    }


def _read_submission(request: Request, set_id: str) -> ComparisonSubmission:
    body = read_body(request.body, ComparisonBody)
    return ComparisonSubmission(
        set_id=_as_set_id(set_id, NotLeased("There is no such set.")),
        lease=body.lease,
        outcome=body.outcome_value(),
        best_id=body.best,
        hashes=tuple(body.sha256),
        idempotency_key=request.headers.get("Idempotency-Key"),
        client_agent=request.headers.get("Client-Agent", DEFAULT_AGENT),
    )


def _as_set_id(text: str, otherwise: Exception) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise otherwise from error


def _accepted(message: str, submitted: SubmittedComparison) -> dict[str, Any]:
    return {
        "message": message,
        "reward": submitted.reward,
        "outcome": submitted.outcome,
        "best": str(submitted.best_id) if submitted.best_id else None,
        "revisable_until": submitted.revisable_until.isoformat(),
    }
