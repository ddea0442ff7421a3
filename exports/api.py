"""The download that programs of 2023 know: one file for each dataset, always of its newest release."""

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from exports.models import ReleaseFile
from exports.queries import LEGACY_PATH, find_latest_file
from exports.views.files import A_WHILE, MEDIA_TYPE_OF_PARQUET, headers_of, send_file
from ratings.api.base import ApiView

ENDING = "_export.parquet"


class LegacyExportView(ApiView):
    """GET /download/{slug}_export.parquet. Who asks makes no difference, so keys are not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="getDownloadFile",
        summary="Download the ratings of a dataset, in the fourteen columns that the old export had",
        description=(
            "The file is `legacy_export.parquet` of the dataset's newest release; its `SCHEMA.md` says what each "
            "column means and how it was made coarse. It may be fetched in parts (`Range`)."
        ),
        parameters=[
            OpenApiParameter(
                "filename", str, OpenApiParameter.PATH, description="The slug of the dataset, and `_export.parquet`"
            )
        ],
        responses={
            (200, MEDIA_TYPE_OF_PARQUET): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="There is no such dataset, or it has no release yet."),
        },
    )
    def get(self, request: Request, filename: str) -> HttpResponseBase:
        found = find_export(filename)
        headers = headers_of(found) | {
            "Cache-Control": A_WHILE,
            "Content-Disposition": f'attachment; filename="{filename}"',
        }
        return send_file(request, found, headers)


def find_export(filename: str) -> ReleaseFile:
    """Return the file that an old address means. Raises Http404 with the reason."""
    slug = filename.removesuffix(ENDING)
    found = find_latest_file(slug=slug, path=LEGACY_PATH) if slug != filename and "\0" not in slug else None
    if found is None:
        raise Http404("There is no such file: either no such dataset, or none of its releases is published yet.")
    return found
