"""JSON in and out of the API, whatever a client asks for: old clients send odd Accept headers and types."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        del accepted_media_type, renderer_context
        return orjson.dumps(data)


class RawJsonParser(BaseParser):
    """Never used to parse: views read the bytes with a typed structure. It names the type for the schema."""

    media_type = "application/json"


class AlwaysJson(BaseContentNegotiation):
    """Answer JSON whatever the Accept header says: a 406 would be one more thing an old client cannot read."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        del request
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        del request, format_suffix
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
