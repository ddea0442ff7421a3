"""What only pages need: calls of the API know no session and no messages, and spare a quarter of their time."""

from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

API_PREFIX = "/api/v1/"


class PagesOnly(MiddlewareMixin):
    """Goes before a middleware of the library: what asks for the API passes that one by."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return super().__call__(request)


class PageSessions(PagesOnly, SessionMiddleware):
    """Sessions, which the API cannot be spoken to with: so nobody can make a browser speak to it for its user."""


class PageUsers(PagesOnly, AuthenticationMiddleware):
    """The signed-in user of a page."""


class PageMessages(PagesOnly, MessageMiddleware):
    """What the next page has to say."""


class PageContentPolicy(PagesOnly, CSPMiddleware):
    """What a page may load and run."""
