"""Releases for programs: which there are, and the one file of each dataset that programs of 2023 know."""

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from exports.models import ReleaseFile
from exports.queries import LEGACY_PATH, find_latest_file, list_published
from exports.views.files import A_WHILE, MEDIA_TYPE_OF_PARQUET, headers_of, send_file
from exports.views.listing import describe_all, site_of
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


class FileOfRelease(serializers.Serializer[Any]):
    """A file of a release, and what a download of it must be."""

    path = serializers.CharField()
    url = serializers.URLField()
    bytes = serializers.IntegerField()
    rows = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField()
    media_type = serializers.CharField()


class ReleaseInList(serializers.Serializer[Any]):
    """A published release: it never changes."""

    dataset = serializers.CharField(help_text="Slug of the dataset")
    version = serializers.CharField(help_text="Day it was built on, with a number for further ones of that day")
    schema_version = serializers.CharField()
    snapshot_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField()
    licence = serializers.CharField(help_text="Licence of the ratings, an SPDX identifier")
    rating_count = serializers.IntegerField()
    image_count = serializers.IntegerField()
    previous = serializers.CharField(allow_null=True, help_text="Version of the release before")
    ratings_added = serializers.IntegerField(help_text="Ratings more than in the release before; may be negative")
    images_added = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Size of all files")
    files = FileOfRelease(many=True)


class ReleasesView(ApiView):
    """GET /releases: every published release. Who asks makes no difference, so keys are not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="getReleases",
        summary="Display the published releases, with every file, its size, rows and checksum",
        description="By dataset, the newest first. A dataset that there is not has none.",
        parameters=[OpenApiParameter("dataset", str, description="Slug of a dataset; all if left out")],
        responses={200: ReleaseInList(many=True)},
    )
    def get(self, request: Request) -> Response:
        slug = request.query_params.get("dataset", "")
        releases = [] if "\0" in slug else list_published(slug)
        return Response(describe_all(releases, site=site_of(request)))


def find_export(filename: str) -> ReleaseFile:
    """Return the file that an old address means. Raises Http404 with the reason."""
    slug = filename.removesuffix(ENDING)
    found = find_latest_file(slug=slug, path=LEGACY_PATH) if slug != filename and "\0" not in slug else None
    if found is None:
        raise Http404("There is no such file: either no such dataset, or none of its releases is published yet.")
    return found
