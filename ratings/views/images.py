"""The pictures themselves, for pages of any origin and for clients that check the bytes they show.

Safe ones are for everybody, whoever asks. Those of another class are for a signed-in person who asked for that class,
and for nobody else, not even from a cache; 32 pixels of them stand in until they are revealed.
"""

import uuid
from collections.abc import Callable

import structlog
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from ratings.media import BLURRED_SIZE, RENDITION_SIZES, blur_picture
from ratings.queries.preferences import adult_classes_of
from ratings.queries.renditions import find_adult_rendition, find_shown_rendition
from ratings.ranges import read_range

log = structlog.get_logger(__name__)

# A day, because a picture that is taken down has to leave the caches too; unaltered, because clients hash it.
CACHE_CONTROL = "public, max-age=86400, no-transform"
PRIVATE_CACHE_CONTROL = "private, max-age=3600, no-transform"
OF_THE_FILE = {200, 206, 304}
SMALLEST_SIZE = min(RENDITION_SIZES)


@require_safe
def image_file(request: HttpRequest, image_id: uuid.UUID, size: int = max(RENDITION_SIZES)) -> HttpResponse:
    """Answer with one rendition of an image that the caller may see, byte for byte as `Rendition.sha256` has it.

    For a safe image who asks makes no difference, so keys and cookies are not looked at.
    """
    rendition = find_shown_rendition(image_id=image_id, size=size) if size in RENDITION_SIZES else None
    if rendition is None:
        return _adult_image(request, image_id, size)
    etag = f'"{rendition.sha256}"'
    return _for_any_origin(_answer(request, rendition.file, etag, cache_control=CACHE_CONTROL))


def _adult_image(request: HttpRequest, image_id: uuid.UUID, size: int) -> HttpResponse:
    classes = adult_classes_of(user_id=request.user.pk) if size in {*RENDITION_SIZES, BLURRED_SIZE} else ()
    is_blurred = size == BLURRED_SIZE
    kept_size = SMALLEST_SIZE if is_blurred else size
    rendition = find_adult_rendition(image_id=image_id, size=kept_size, classes=classes) if classes else None
    if rendition is None:
        return _for_any_origin(_not_found())
    alter = blur_picture if is_blurred else bytes
    etag = f'"{rendition.sha256}-{size}"' if is_blurred else f'"{rendition.sha256}"'
    response = _answer(request, rendition.file, etag, cache_control=PRIVATE_CACHE_CONTROL, alter=alter)
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _answer(
    request: HttpRequest, name: str, etag: str, *, cache_control: str, alter: Callable[[bytes], bytes] = bytes
) -> HttpResponse:
    response = get_conditional_response(request, etag=etag) or _file_response(request, name, etag, alter)
    if response.status_code in OF_THE_FILE:
        response["ETag"] = etag
        response["Cache-Control"] = cache_control
    return response


def _file_response(request: HttpRequest, name: str, etag: str, alter: Callable[[bytes], bytes]) -> HttpResponse:
    """Return the file, or the part of it that was asked for. It is small, so it is read in one piece.

    Reading through the storage serves local and remote ones alike.
    """
    try:
        with default_storage.open(name) as file:
            body = alter(file.read())
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
    return JsonResponse({"message": message}, status=404, headers={"Cache-Control": "no-store"})


def _for_any_origin(response: HttpResponse) -> HttpResponse:
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
