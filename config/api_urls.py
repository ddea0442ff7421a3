"""The API, its document and its page."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from config import api_errors
from exports.api import LegacyExportView, ReleasesView

urlpatterns = [
    # Split, so that the strict Content-Security-Policy of every other page holds for this one too.
    path("", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("v1/", include("ratings.api.urls")),
    path("v1/releases", ReleasesView.as_view(), name="api-releases"),
    path("v1/download/<str:filename>", LegacyExportView.as_view(), name="api-download"),
    re_path(r"^v1(/.*)?$", api_errors.page_not_found),
]
