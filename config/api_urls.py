"""The API, its document and its page."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import api_errors

# The page of the document sets its styles and its first script inline; nothing else may, and only there.
inline_allowed = csp_update({"style-src": "'unsafe-inline'", "script-src": "'unsafe-inline'", "img-src": SELF})

urlpatterns = [
    path("", inline_allowed(SpectacularSwaggerView.as_view(url_name="api-schema")), name="api-docs"),
    path("openapi.json", SpectacularAPIView.as_view(), name="api-schema"),
    path("v1/", include("ratings.api.urls")),
    re_path(r"^v1/.*$", api_errors.page_not_found),
]
