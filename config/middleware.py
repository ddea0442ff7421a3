"""What only pages need, which calls of the API pass by and so spare a quarter of their time; and limits, for both."""

from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from accounts.limits import RateLimited
from config.api_errors import too_many_requests

API_PREFIX = "/api/v1/"
# What is the same in every language and is cached as such; and the admin, which speaks English alone.
WITHOUT_LANGUAGE = ("/api/", "/images/", "/files/", "/admin/")


class PagesOnly(MiddlewareMixin):
    """Goes before a middleware of the library: what asks for the API passes that one by."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return super().__call__(request)


class PageSessions(PagesOnly, SessionMiddleware):
    """Sessions, which the API cannot be spoken to with: so nobody can make a browser speak to it for its user."""


class PageLanguage(LocaleMiddleware):
    """The language of a page: as chosen in its footer, else as the browser prefers. Programs get English."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(WITHOUT_LANGUAGE):
            translation.deactivate()  # of the request before, in this thread
            return self.get_response(request)
        return super().__call__(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        patch_vary_headers(response, ("Cookie",))  # which holds what was chosen
        return response


class PageUsers(PagesOnly, AuthenticationMiddleware):
    """The signed-in user of a page."""


class PageMessages(PagesOnly, MessageMiddleware):
    """What the next page has to say."""


class PageContentPolicy(PagesOnly, CSPMiddleware):
    """What a page may load and run."""


class Limits:
    """Say in the header how the caller stands with the limits, and answer for pages when one of them refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        allowance = getattr(request, "allowance", None)
        if allowance is not None:
            for name, value in allowance.as_headers().items():
                response.headers.setdefault(name, value)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RateLimited):
            return None
        request.allowance = exception.allowance  # type: ignore[attr-defined]
        return too_many_requests(request, exception)
