"""The X-Fields header of flask-restx: which fields of a successful answer to return."""

from typing import Any

from rest_framework.request import Request


def mask_fields(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that X-Fields names, or all of them when it names none that exist."""
    header = request.META.get("HTTP_X_FIELDS", "")
    if not header:
        return answer
    wanted = {name.strip() for name in header.strip("{} ").split(",")}
    return {name: value for name, value in answer.items() if name in wanted} or answer
