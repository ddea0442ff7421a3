"""Byte ranges (RFC 9110, section 14), for pictures and for files of releases.

Django's FileResponse does not know them; WhiteNoise's StaticFile answers one-byte ranges with 416 and does not
know If-Range.
"""

import re

from django.http import HttpRequest
from django.utils.http import parse_http_date_safe

ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def read_range(request: HttpRequest, *, size: int, etag: str, last_modified: str = "") -> range | None:
    """Return which bytes were asked for: None for all of them, an empty range where there are none (416).

    Several ranges, and what cannot be read, are passed over, as the standard allows; so is a range of something
    else than the client has begun (If-Range, by entity tag or by date).
    """
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if request.method != "GET" or asked is None or asked[0] == "bytes=-":
        return None
    if not _is_same(request.headers.get("If-Range"), etag, last_modified):
        return None
    first, last = asked.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _is_same(condition: str | None, etag: str, last_modified: str) -> bool:
    if condition is None or condition == etag:
        return True
    moment = parse_http_date_safe(condition)
    return moment is not None and moment == parse_http_date_safe(last_modified)
