"""Every route of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from config import api_errors, health

urlpatterns = [
    # First, because it is asked a hundred times as often as everything else.
    path("api/", include("config.api_urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("robots.txt", TemplateView.as_view(template_name="robots.txt", content_type="text/plain"), name="robots"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("", include("accounts.urls")),
    path("", include("kudos.urls")),
    path("", include("exports.urls")),
    path("", include("ratings.urls")),
]

handler400 = api_errors.bad_request
handler403 = api_errors.permission_denied
handler404 = api_errors.page_not_found
handler429 = api_errors.too_many_requests  # django-allauth asks for it
handler500 = api_errors.server_error
