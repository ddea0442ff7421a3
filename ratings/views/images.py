"""The pictures themselves, for pages of any origin and for clients that check the bytes they show."""

import uuid

import structlog
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from ratings.media import RENDITION_SIZES
from ratings.queries.renditions import find_shown_rendition
from ratings.ranges import read_range

log = structlog.get_logger(__name__)

# A day, because a picture that is taken down has to leave the caches too; unaltered, because clients hash it.
CACHE_CONTROL = "public, max-age=86400, no-transform"
OF_THE_FILE = {200, 206, 304}


@require_safe
def image_file(request: HttpRequest, image_id: uuid.UUID, size: int = max(RENDITION_SIZES)) -> HttpResponse:
    """Answer with one rendition of an image that anybody may see, byte for byte as `Rendition.sha256` has it.

    Who asks makes no difference, so keys and cookies are not looked at.
    """
    rendition = find_shown_rendition(image_id=image_id, size=size) if size in RENDITION_SIZES else None
    if rendition is None:
        return _not_found()
    etag = f'"{rendition.sha256}"'
    response = get_conditional_response(request, etag=etag) or _file_response(request, rendition.file, etag)
    if response.status_code in OF_THE_FILE:
        response["ETag"] = etag
        response["Cache-Control"] = CACHE_CONTROL
    return _for_any_origin(response)


def _file_response(request: HttpRequest, name: str, etag: str) -> HttpResponse:
    """Return the file, or the part of it that was asked for. It is small, so it is read in one piece.

    Reading through the storage serves local and remote ones alike.
    """
    try:
        with default_storage.open(name) as file:
            body = file.read()
    except FileNotFoundError:
        log.exception("rendition_file_missing", file=name)
        return _not_found()
    response = HttpResponse(body, content_type="image/webp", headers={"Accept-Ranges": "bytes"})
    wanted = read_range(request, size=len(body), etag=etag)
    if wanted is None:
        return response
    if not wanted:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(body)}", "Cache-Control": "no-store"})
    response.status_code = 206
    response.content = body[wanted.start : wanted.stop]
    response["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(body)}"
    return response


def _not_found() -> HttpResponse:
    message = "There is no such image, or it is not shown any more."
    return _for_any_origin(JsonResponse({"message": message}, status=404, headers={"Cache-Control": "no-store"}))


def _for_any_origin(response: HttpResponse) -> HttpResponse:
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
