"""An image of a dataset, or of one model in it, that the client names in the path."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ratings.api.permissions import HasScope
from ratings.api.rating import COUNT, FIELDS, LEASE_ANSWERS, LeasingView, lease_some

DATASET = OpenApiParameter("dataset_id", str, OpenApiParameter.PATH, description="UUID of the dataset, or its slug")
MODEL = OpenApiParameter(
    "model_name",
    str,
    OpenApiParameter.PATH,
    description="The model that made the image, as its dataset spells it",
)


class NewRatingOfDatasetView(LeasingView):
    """GET /rating/new/{dataset_id}: lease the next image of a dataset."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="getDatasetImagePop",
        summary="Retrieve an image to rate from a specific dataset",
        parameters=[DATASET, COUNT, FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request, dataset_id: str) -> Response:
        return lease_some(request, dataset_id)


class NewRatingOfModelView(LeasingView):
    """GET /rating/new/{dataset_id}/{model_name}: lease the next image that one model made."""

    permission_classes = (HasScope.of(Scope.RATE),)

    @extend_schema(
        operation_id="getModelImagePop",
        summary="Retrieve an image to rate from one model in a dataset",
        parameters=[DATASET, MODEL, COUNT, FIELDS],
        responses=LEASE_ANSWERS,
    )
    def get(self, request: Request, dataset_id: str, model_name: str) -> Response:
        return lease_some(request, dataset_id, model_name)
