"""What is served of a dataset, for programs: index.json and a feed of it, and the address of the newest state."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from exports.models import Release
from exports.queries import PublishedRelease, list_published
from exports.views.files import A_WHILE


def site_of(request: HttpRequest) -> str:
    """Return the address of the site, without a slash at its end."""
    return settings.PUBLIC_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")


def describe_all(releases: Iterable[PublishedRelease], *, site: str) -> list[dict[str, Any]]:
    """Return what there is to know of releases, which are grouped by dataset, the newest of each first."""
    return [_describe(release, earlier, site) for release, earlier in _with_earlier(list(releases))]


def _with_earlier(releases: list[PublishedRelease]) -> Iterator[tuple[PublishedRelease, PublishedRelease | None]]:
    for one, before in pairwise([*releases, None]):
        if one is not None:
            is_same = before is not None and before.release.dataset_id == one.release.dataset_id
            yield one, before if is_same else None


def _describe(published: PublishedRelease, earlier: PublishedRelease | None, site: str) -> dict[str, Any]:
    release = published.release
    return {
        "dataset": release.dataset.slug,
        "version": release.version,
        "schema_version": release.schema_version,
        "snapshot_at": release.snapshot_at.isoformat() if release.snapshot_at else None,
        "published_at": release.published_at.isoformat() if release.published_at else None,
        "licence": release.dataset.ratings_licence,
        "rating_count": release.rating_count,
        "image_count": release.image_count,
        "previous": earlier.release.version if earlier else None,
        "ratings_added": release.rating_count - (earlier.release.rating_count if earlier else 0),
        "images_added": release.image_count - (earlier.release.image_count if earlier else 0),
        "bytes": published.byte_count,
        "files": [
            {
                "path": file.path,
                "url": f"{site}{_address(release, file.path)}",
                "bytes": file.byte_count,
                "rows": file.row_count,
                "sha256": file.sha256,
                "media_type": file.media_type,
            }
            for file in published.files
        ],
    }


def _address(release: Release, path: str) -> str:
    return reverse("exports:file", args=[release.dataset.slug, release.version, path])


def _published_of(slug: str) -> list[PublishedRelease]:
    """Return the releases of a dataset, newest first. Raises Http404 where there is none."""
    releases = list_published(slug)
    if not releases:
        raise Http404
    return releases


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with every release of a dataset: files, sizes, rows and checksums."""
    releases = describe_all(_published_of(slug), site=site_of(request))
    answer = {"dataset": slug, "latest": releases[0]["version"], "releases": releases}
    return JsonResponse(answer, headers=_headers())


@require_safe
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with an Atom feed of a dataset's releases."""
    atom = _feed_of(_published_of(slug), site=site_of(request), path=request.path)
    return HttpResponse(atom.writeString("utf-8"), content_type=atom.content_type, headers=_headers())


def _feed_of(releases: list[PublishedRelease], *, site: str, path: str) -> Atom1Feed:
    atom = Atom1Feed(
        title=f"Releases of {releases[0].release.dataset.name}",
        link=f"{site}{reverse('exports:downloads')}",
        description="",
        feed_url=f"{site}{path}",
        language="en",
    )
    for entry, published in zip(describe_all(releases, site=site), releases, strict=True):
        atom.add_item(
            title=str(published.release),
            link=f"{site}{_address(published.release, 'README.md')}",
            unique_id=f"{site}{_address(published.release, 'manifest.json')}",
            description=_what_changed(entry),
            pubdate=_time(published.release),
            updateddate=_time(published.release),
        )
    return atom


def _what_changed(entry: dict[str, Any]) -> str:
    ratings = f"{entry['rating_count']:,} ratings ({entry['ratings_added']:+d})"
    return f"{ratings} of {entry['image_count']:,} images ({entry['images_added']:+d})."


def _time(release: Release) -> datetime:
    return (release.published_at or release.requested_at).astimezone(UTC)


def _headers() -> dict[str, str]:
    return {"Access-Control-Allow-Origin": "*", "Cache-Control": A_WHILE}
