"""Datasets, and each on its own page."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ratings.queries.datasets import NoSuchDataset, dataset_detail, dataset_overview


@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """List every dataset with its progress."""
    return render(request, "ratings/datasets.html", {"datasets": dataset_overview()})


@require_safe
def dataset(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one dataset: purpose, licences, progress and how its images were scored."""
    try:
        detail = dataset_detail(slug)
    except NoSuchDataset as error:
        raise Http404(str(error)) from error
    context = {
        "dataset": detail.overview,
        "histogram": list(enumerate(detail.histogram, start=1)),
        "highest": max(detail.histogram),
    }
    return render(request, "ratings/dataset.html", context)
