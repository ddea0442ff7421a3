"""Teams, a label that ratings had for three days in January 2023; clients may still ask which there are."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ratings.api.base import ApiView


class Team(serializers.Serializer[Any]):
    """A team, if there were one."""

    id = serializers.UUIDField()
    team_name = serializers.CharField()
    is_private = serializers.BooleanField()


class TeamsView(ApiView):
    """GET /teams: there are none."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="getTeams",
        summary="Display all public teams",
        description="Always an empty array: ratings belong to people.",
        responses={200: Team(many=True)},
    )
    def get(self, request: Request) -> Response:
        del request
        return Response([])
