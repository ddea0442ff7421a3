"""The downloads page."""

import json
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from exports.queries import DatasetReleases, releases_by_dataset
from exports.views.listing import site_of
from exports.writers.signature import SigningKey

# What to ask a release first; it is shown for a shell and for Python, and a test runs both.
EXAMPLE = "SELECT aesthetic, count(*) AS ratings FROM '{files}' GROUP BY ALL ORDER BY ALL"


@dataclass(frozen=True, slots=True)
class Shown:
    """A dataset on the page, and what the lines that fetch and read its newest release are made from."""

    releases: DatasetReleases
    address: str

    @property
    def ratings(self) -> list[str]:
        """The addresses of the parts of the ratings; before schema 1.3 there was one file."""
        paths = [file.path for file in self.releases.latest.files]
        return [
            f"{self.address}/{path}" for path in paths if path.startswith("data/ratings/") or path == "ratings.parquet"
        ]

    @property
    def ratings_in_python(self) -> str:
        return json.dumps(self.ratings)

    @property
    def example(self) -> str:
        has_parts = any("/data/ratings/" in address for address in self.ratings)
        return EXAMPLE.format(files="data/ratings/*.parquet" if has_parts else "ratings.parquet")

    @property
    def is_signed(self) -> bool:
        return any(file.path.endswith(".minisig") for file in self.releases.latest.files)


@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    """Show every published release, and how to fetch, check and read one."""
    site = site_of(request)
    datasets = [Shown(releases, f"{site}{_address_of(releases)}") for releases in releases_by_dataset()]
    return render(request, "exports/downloads.html", {"datasets": datasets, "public_key": _public_key()})


@require_safe
def public_key(request: HttpRequest) -> HttpResponse:
    """Answer with the key that checks the signatures of releases, as the file that minisign reads."""
    del request
    text = f"untrusted comment: releases of {settings.PUBLIC_URL or 'Kudoscope'}\n{_public_key()}\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _public_key() -> str:
    return str(SigningKey.from_secret(str(getattr(settings, "SIGNING_KEY"))).public)


def _address_of(releases: DatasetReleases) -> str:
    latest = releases.latest.release
    return reverse("exports:file", args=[releases.dataset.slug, latest.version, "SHA256SUMS"]).removesuffix(
        "/SHA256SUMS"
    )
