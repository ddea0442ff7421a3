"""The X-Fields header of flask-restx: which fields of a successful answer to return."""

from typing import Any

from rest_framework.request import Request


def mask_fields(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that X-Fields names, or all of them when it names none that exist."""
    return _masked(_wanted(request), answer)


def mask_fields_of_each(request: Request, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each answer of a list with the fields that X-Fields names, as `mask_fields` does."""
    wanted = _wanted(request)
    return [_masked(wanted, answer) for answer in answers]


def _wanted(request: Request) -> set[str]:
    return {name.strip() for name in request.META.get("HTTP_X_FIELDS", "").strip("{}[] ").split(",")}


def _masked(wanted: set[str], answer: dict[str, Any]) -> dict[str, Any]:
    if "*" in wanted:
        return answer
    return {name: value for name, value in answer.items() if name in wanted} or answer
