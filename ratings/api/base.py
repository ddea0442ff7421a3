"""What every operation of the API is made from."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.views import APIView


class ApiView(APIView):
    """An operation. Its limits come before its permissions, so that who is refused is counted too.

    ``limited_post_status`` is what a POST that came too often is answered, where old clients would take 429 or 428 for
    something else. ``has_error_codes`` is whether errors say
    `rc` beside `message`.
    """

    limited_post_status: HTTPStatus | None = None
    has_error_codes = True

    def check_permissions(self, request: Request) -> None:
        """Ask whether the caller may, unless they ask too often: the framework would ask the other way round."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Count nothing a second time."""
