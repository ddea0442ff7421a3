"""The datasets there are, for everybody."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ratings.api.base import ApiView
from ratings.api.fields import mask_fields_of_each
from ratings.api.rating import FIELDS
from ratings.queries.datasets import list_datasets


class DatasetInList(serializers.Serializer[Any]):
    """A dataset that images are rated in, or were."""

    id = serializers.UUIDField(help_text="UUID of the dataset")
    name = serializers.CharField()
    description = serializers.CharField()
    image_count = serializers.IntegerField(help_text="Images ever imported")


class DatasetsView(ApiView):
    """GET /datasets: all of them. Who asks makes no difference, and a wrong key none either."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="getDatasets",
        summary="Display all datasets",
        description="An array, the datasets that are still open first.",
        parameters=[FIELDS],
        responses={200: DatasetInList(many=True)},
    )
    def get(self, request: Request) -> Response:
        answers = [
            {"id": str(one.id), "name": one.name, "description": one.description, "image_count": one.image_count}
            for one in list_datasets()
        ]
        return Response(mask_fields_of_each(request, answers))
