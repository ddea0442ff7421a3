"""In which form a page's address answers: a page for people, JSON for its script."""

from django.http import HttpRequest


def wants_json(request: HttpRequest) -> bool:
    """Return whether the caller would rather have JSON than a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
