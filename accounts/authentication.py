"""How the API knows who is calling: the ``apikey`` header, or a bearer token, or nobody in particular."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.access import Caller, caller_from_key


class ApiKeyAuthentication(BaseAuthentication):
    """Put the Caller in ``request.auth``; a wrong key raises InvalidApiKey, which is a 401."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller]:
        return AnonymousUser(), caller_from_key(request._request, now=timezone.now())  # noqa: SLF001 - DRF's name

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return 'ApiKey realm="api"'


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """Describe the header in the OpenAPI document."""

    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "apikey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "apiKey",
            "in": "header",
            "name": "apikey",
            "description": "Your key; leave it out, or send 0000000000, to rate anonymously.",
        }


def caller_of(request: Request) -> Caller:
    """Return who is calling an API view."""
    if not isinstance(request.auth, Caller):
        raise TypeError("The view does not use ApiKeyAuthentication.")
    return request.auth
