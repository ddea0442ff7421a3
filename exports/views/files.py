"""The files of published releases over HTTP: immutable, resumable, checked before they are sent.

WhiteNoise's SlicedFile cuts the range; its StaticFile is not used, because it answers one-byte ranges with
416, takes `bytes=--5` for `bytes=5-`, cuts answers to HEAD, and does not know If-Range or lists of ETags.

A slow client keeps one of the server's few threads for as long as it reads, so there are fewer places for
downloads than threads: the API goes on answering.
"""

import threading
import weakref
from datetime import datetime
from io import BufferedIOBase
from typing import BinaryIO

import structlog
from django.conf import settings
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe
from whitenoise.responders import SlicedFile

from exports.models import Release, ReleaseFile
from exports.queries import find_published_file, latest_release_of
from exports.writers.folders import release_folder, state_path
from ratings.ranges import read_range

log = structlog.get_logger(__name__)

MEDIA_TYPE_OF_PARQUET = "application/vnd.apache.parquet"
FOREVER = "public, max-age=31536000, immutable, no-transform"
A_WHILE = "public, max-age=300"
# What is smaller is with the client, or in buffers on the way, before anybody waits for it.
SMALL = 1_000_000
BUSY = "All places for downloads are taken. Try again in a few seconds."

places = threading.BoundedSemaphore(settings.DOWNLOADS_AT_ONCE)


class NoPlaceLeft(Exception):
    """As many downloads are running as may."""


class DownloadResponse(FileResponse):
    """A file in pieces that suit hundreds of megabytes; its headers are set by the view alone."""

    block_size = 256 * 1024
    _give_place_back: weakref.finalize | None = None

    def hold_place(self, taken: threading.BoundedSemaphore) -> None:
        """Give a place back once: when the response is closed or, if nobody closes it, when it is thrown away."""
        self._give_place_back = weakref.finalize(self, taken.release)

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self._give_place_back is not None:
                self._give_place_back()

    def set_headers(self, filelike: BinaryIO) -> None:
        """Leave out what Django would guess."""


@require_safe
def file(request: HttpRequest, slug: str, version: str, path: str) -> HttpResponseBase:
    """Answer with one file of a published release, or the part of it that was asked for.

    Who asks makes no difference, so keys and cookies are not looked at.
    """
    found = find_published_file(slug=slug, version=version, path=path)
    if found is None:
        raise Http404
    try:
        return send_file(request, found, headers_of(found))
    except NoPlaceLeft as refusal:
        return _busy(refusal)


def send_file(request: HttpRequest, found: ReleaseFile, headers: dict[str, str]) -> HttpResponseBase:
    """Return the file, the part of it that was asked for, or that it has not changed. Raises NoPlaceLeft."""
    expected = HttpResponse(headers=headers)
    answer = get_conditional_response(
        request,
        etag=headers["ETag"],
        last_modified=parse_http_date_safe(headers["Last-Modified"]),
        response=expected,
    )
    return _file_response(request, found, headers) if answer is None or answer is expected else answer


@require_safe
def latest_file(request: HttpRequest, slug: str, path: str) -> HttpResponse:
    """Lead to the same file of the newest release."""
    del request
    release = latest_release_of(slug)
    if release is None or not release.files.filter(path=path).exists():
        raise Http404
    address = reverse("exports:file", args=[slug, release.version, path])
    return HttpResponseRedirect(address, headers={"Cache-Control": A_WHILE})


@require_safe
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the newest release of a dataset as the last build wrote it down, after everything else."""
    del request
    path = state_path(slug)
    if latest_release_of(slug) is None or not path.is_file():
        raise Http404
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": A_WHILE}
    return HttpResponse(path.read_bytes(), content_type="application/json", headers=headers)


def headers_of(found: ReleaseFile) -> dict[str, str]:
    release = found.release
    name = f"{release.dataset.slug}-{release.version}-{found.path.replace('/', '-')}"
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": FOREVER,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Type": found.media_type,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{found.sha256}"',
        "Last-Modified": http_date(_published_at(release).timestamp()),
        "X-Content-Type-Options": "nosniff",
    }


def _published_at(release: Release) -> datetime:
    if release.published_at is None:
        raise TypeError("A published release has a time; the database sees to it.")
    return release.published_at


def _file_response(request: HttpRequest, found: ReleaseFile, headers: dict[str, str]) -> HttpResponseBase:
    size = found.byte_count
    wanted = read_range(request, size=size, etag=headers["ETag"], last_modified=headers["Last-Modified"])
    if wanted is not None and not wanted:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Cache-Control": "no-store"})
    opened = _open(found)
    if wanted is None:
        return _download(request, opened, 200, headers | {"Content-Length": str(size)})
    part = {"Content-Range": f"bytes {wanted.start}-{wanted.stop - 1}/{size}", "Content-Length": str(len(wanted))}
    return _download(request, SlicedFile(opened, wanted.start, wanted.stop - 1), 206, headers | part)


def _open(found: ReleaseFile) -> BinaryIO:
    path = release_folder(found.release.dataset.slug, found.release.version) / found.path
    if not path.is_file() or path.stat().st_size != found.byte_count:
        log.error("release_file_is_not_as_published", release=str(found.release), path=found.path)
        raise Http404
    return path.open("rb")


def _download(
    request: HttpRequest, content: BinaryIO | BufferedIOBase, status: int, headers: dict[str, str]
) -> HttpResponseBase:
    if request.method == "HEAD":
        content.close()
        return HttpResponse(status=status, headers=headers)
    is_small = int(headers["Content-Length"]) < SMALL
    if not is_small and not places.acquire(blocking=False):
        content.close()
        raise NoPlaceLeft(BUSY)
    response = DownloadResponse(content, status=status, headers=headers)
    if not is_small:
        response.hold_place(places)
    _give_connection_back()
    return response


def _busy(refusal: NoPlaceLeft) -> HttpResponse:
    headers = {"Retry-After": "5", "Cache-Control": "no-store"}
    return HttpResponse(f"{refusal}\n", status=503, content_type="text/plain; charset=utf-8", headers=headers)


def _give_connection_back() -> None:
    """Return the connection to the pool: all queries are done, and the download may take an hour."""
    if not connection.in_atomic_block:
        connection.close()
