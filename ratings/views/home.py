"""The front page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ratings.queries.datasets import dataset_overview


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is, and where to begin."""
    return render(request, "ratings/home.html", {"datasets": dataset_overview()})
