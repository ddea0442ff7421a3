"""Reads about renditions."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from ratings.queries.prepared import fetch_prepared


class ShownRendition(NamedTuple):
    """A rendition that may be shown: its name in storage and the hash of its bytes."""

    file: str
    sha256: str


def find_shown_rendition(*, image_id: uuid.UUID, size: int) -> ShownRendition | None:
    """Return the rendition of an image that anybody may see: active, and classified as safe; else None."""
    rows = fetch_prepared(
        """
        SELECT r.file, r.sha256 FROM ratings_rendition r JOIN ratings_image i ON i.id = r.image_id
        WHERE r.image_id = %(image)s AND r.size = %(size)s AND i.status = 'active'
            AND i.adult_class = 'safe'
        """,
        {"image": image_id, "size": size},
    )
    return ShownRendition(*rows[0]) if rows else None


def find_adult_rendition(*, image_id: uuid.UUID, size: int, classes: Sequence[str]) -> ShownRendition | None:
    """Return the rendition of an active image of one of these classes, which somebody asked for; else None."""
    rows = fetch_prepared(
        """
        SELECT r.file, r.sha256 FROM ratings_rendition r JOIN ratings_image i ON i.id = r.image_id
        WHERE r.image_id = %(image)s AND r.size = %(size)s AND i.status = 'active'
            AND i.adult_class = ANY(%(classes)s)
        """,
        {"image": image_id, "size": size, "classes": list(classes)},
    )
    return ShownRendition(*rows[0]) if rows else None
