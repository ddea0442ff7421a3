"""The page that says how ratings are checked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Say in plain words what is done with ratings."""
    return render(request, "ratings/rules.html")
