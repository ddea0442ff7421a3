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


class Offer(NamedTuple):
    """What a page needs to show an image: whom it is for, and its renditions, (size to ask for, width in px) each."""

    adult_class: str
    renditions: list[tuple[int, int]]


def offers_of(image_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Offer]:
    """Return an offer for each image: its renditions, narrowest first, and of those as wide as another the smallest."""
    rows = fetch_prepared(
        """
        SELECT i.id, i.adult_class, r.size, r.width FROM ratings_image i LEFT JOIN LATERAL (
            SELECT min(size) AS size, width FROM ratings_rendition WHERE image_id = i.id GROUP BY width
        ) r ON true
        WHERE i.id = ANY(%(images)s) ORDER BY r.width
        """,
        {"images": list(image_ids)},
    )
    offers: dict[uuid.UUID, Offer] = {}
    for image_id, adult_class, size, width in rows:
        offer = offers.setdefault(image_id, Offer(adult_class, []))
        if size is not None:
            offer.renditions.append((size, width))
    return offers
