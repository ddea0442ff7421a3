"""Every route of the service."""

from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver


def patterns(found: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in found:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns)
        else:
            yield pattern


def routes(found: Iterable[URLPattern | URLResolver], above: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Yield (pattern, name with its namespace) for each; the name is "" or "space:" where there is none."""
    for pattern in found:
        path = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, path, inner)
        else:
            yield path, space + (pattern.name or "")
