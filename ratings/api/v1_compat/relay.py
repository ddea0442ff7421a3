"""POST /rating/set: a relay, such as AI Horde, submits what its own users say of the images they generated."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import InvalidApiKey, caller_from_key
from accounts.addresses import is_address_in, read_client_address
from accounts.models import Scope
from ratings.api.base import ApiView
from ratings.api.rating import RequestError
from ratings.api.v1_compat.relay_bodies import read_set
from ratings.services.relay import submit_set


class SetRatingInput(serializers.Serializer[Any]):
    """What the user says of one image."""

    id = serializers.UUIDField(help_text="One of all_set_ids")
    rating = serializers.IntegerField(min_value=1, max_value=10, help_text="1 worst to 10 best")
    artifacts = serializers.IntegerField(
        min_value=0, max_value=5, required=False, allow_null=True, help_text="0 none to 5 ruined"
    )


class SetUserInput(serializers.Serializer[Any]):
    """The relay's user, as they are at this moment."""

    username = serializers.CharField(max_length=200, help_text="name#number; Anonymous#0 is nobody in particular")
    trusted = serializers.BooleanField(required=False, allow_null=True)
    account_age = serializers.FloatField(min_value=0, required=False, allow_null=True, help_text="Seconds")
    kudos = serializers.FloatField(required=False, allow_null=True)
    usage_requests = serializers.FloatField(
        min_value=0, required=False, allow_null=True, help_text="Images generated so far"
    )
    ipaddr = serializers.CharField(
        max_length=200, required=False, allow_null=True, help_text="Where they asked from; hashed at once"
    )


class SetInput(serializers.Serializer[Any]):
    """Ratings of the images of one request, which of them is best, or both."""

    set = serializers.UUIDField(help_text="UUID of the request that made the images")
    all_set_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, help_text="All of its images")
    ratings = SetRatingInput(many=True, required=False, allow_null=True)
    best = serializers.UUIDField(required=False, allow_null=True, help_text="One of all_set_ids")
    user = SetUserInput(required=False, allow_null=True)
    client_agent = serializers.CharField(
        required=False, allow_null=True, help_text="Client-Agent of the user's own client"
    )


class SetAccepted(serializers.Serializer[Any]):
    """It is stored."""

    message = serializers.CharField()


class IsRelay(BasePermission):
    """A key with the scope `relay`, or an address in one of the networks that the settings name.

    AI Horde sends no key. A key that comes from such an address is not looked at.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        if is_address_in(read_client_address(request._request), settings.RELAY_NETWORKS):  # noqa: SLF001 - DRF's name
            return True
        caller = caller_from_key(request._request, now=timezone.now())  # noqa: SLF001
        if Scope.RELAY in caller.scopes:
            return True
        raise InvalidApiKey("Only a relay may submit sets: with a key of its own, or from a network it is known by.")


class RelaySetView(ApiView):
    """POST /rating/set."""

    authentication_classes = ()
    permission_classes = (IsRelay,)

    @extend_schema(
        operation_id="postRateSet",
        summary="Submit what a user of a relay says of a set of images",
        description="For relays only: a key with the scope `relay`, or a source address the service was told of.",
        auth=[{"apikey": []}, {}],  # type: ignore[list-item]  # a key, or none; the stubs know names only
        request=SetInput,
        responses={
            201: SetAccepted,
            400: RequestError,
            401: RequestError,
            403: RequestError,
            409: RequestError,
            413: RequestError,
        },
        examples=[
            OpenApiExample(
                "Two images, the second the better one",
                {
                    "set": "1f4b4a5e-6d1f-4f5e-9d53-f6a1ce5e8d6a",
                    "all_set_ids": ["5c0f1a2e-8b1d-4c7e-9a52-0d5b8e2f7c11", "9a7b6c5d-4e3f-4a2b-8c1d-0e9f8a7b6c5d"],
                    "best": "9a7b6c5d-4e3f-4a2b-8c1d-0e9f8a7b6c5d",
                    "user": {"username": "somebody#42", "trusted": False, "account_age": 86400.5, "kudos": 120},
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        submitted = submit_set(submission=read_set(request.body, now=now), max_images=settings.RELAY_SET_LIMIT, now=now)
        return Response({"message": submitted.message}, status=201)
