"""What else can be said of an image that was leased: that it is skipped, that something is wrong with it, nothing."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller_of
from accounts.models import Scope
from ratings.api.base import ApiView
from ratings.api.bodies import LeasesBody, ReportBody, SkipBody, read_body
from ratings.api.permissions import HasScope
from ratings.api.rating import ASKED_FOR_WORK, REFUSALS, RequestError, as_image_id, proof_field
from ratings.models import ReportReason, SkipReason
from ratings.services.proving import return_leases
from ratings.services.refusals import NotLeased
from ratings.services.reporting import MAX_NOTE_LENGTH, report_image
from ratings.services.skipping import skip_image, unskip_image

LEASE_HELP = "The lease that came with the image; without it the live lease is looked up"
TOO_OFTEN = {429: RequestError, **ASKED_FOR_WORK}


class SkipInput(serializers.Serializer[Any]):
    """That you do not want to rate an image."""

    lease = serializers.CharField(required=False, help_text=LEASE_HELP)
    reason = serializers.ChoiceField(SkipReason.choices, required=False, help_text="May be sent later, with the lease")
    altcha = proof_field()


class ReportInput(serializers.Serializer[Any]):
    """What is wrong with an image."""

    reason = serializers.ChoiceField(ReportReason.choices)
    note = serializers.CharField(required=False, max_length=MAX_NOTE_LENGTH, help_text="For moderators")
    lease = serializers.CharField(required=False, help_text=LEASE_HELP)
    altcha = proof_field()


class LeasesInput(serializers.Serializer[Any]):
    """Leases of images that you will not rate."""

    leases = serializers.ListField(child=serializers.CharField(), max_length=20)
    altcha = proof_field()


class AnswerTaken(serializers.Serializer[Any]):
    """It is done."""

    message = serializers.CharField()


class SkipView(ApiView):
    """POST and DELETE /rating/{image_id}/skip: do not offer me this image; do after all."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postSkip",
        summary="Skip an image: you are not offered it again for thirty days",
        request=SkipInput,
        responses={200: AnswerTaken, **REFUSALS, **TOO_OFTEN},
    )
    def post(self, request: Request, image_id: str) -> Response:
        body = read_body(request.body or b"{}", SkipBody)
        image = as_image_id(image_id, NotLeased("There is no such image."))
        caller = caller_of(request)
        skip_image(caller=caller, image_id=image, lease=body.lease, reason=body.reason, now=timezone.now())
        return Response({"message": "Image skipped"})

    @extend_schema(
        operation_id="deleteSkip",
        summary="Take a skip back",
        description="Send the lease: the live one ended with the skip.",
        request=SkipInput,
        responses={200: AnswerTaken, **REFUSALS, **TOO_OFTEN},
    )
    def delete(self, request: Request, image_id: str) -> Response:
        body = read_body(request.body or b"{}", SkipBody)
        image = as_image_id(image_id, NotLeased("There is no such image."))
        unskip_image(caller=caller_of(request), image_id=image, lease=body.lease, now=timezone.now())
        return Response({"message": "Image skipped no longer"})


class ReportView(ApiView):
    """POST /rating/{image_id}/report: something is wrong with this image."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="postReport",
        summary="Report an image to the moderators",
        description="It is a skip as well. Reports earn nothing.",
        request=ReportInput,
        responses={201: AnswerTaken, **REFUSALS, **TOO_OFTEN},
    )
    def post(self, request: Request, image_id: str) -> Response:
        body = read_body(request.body, ReportBody)
        report_image(
            caller=caller_of(request),
            image_id=as_image_id(image_id, NotLeased("There is no such image.")),
            lease=body.lease,
            reason=body.reason,
            note=body.note,
            now=timezone.now(),
        )
        return Response({"message": "Image reported"}, status=201)


class LeasesView(ApiView):
    """DELETE /rating/lease: give leases back."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="deleteLeases",
        summary="Give back leases of images that you will not rate",
        request=LeasesInput,
        responses={204: None, **REFUSALS, **TOO_OFTEN},
    )
    def delete(self, request: Request) -> Response:
        return_leases(caller=caller_of(request), tokens=read_body(request.body, LeasesBody).leases, now=timezone.now())
        return Response(status=204)
