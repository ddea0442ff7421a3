"""Which images could be compared: sets that there are, and open images to draw sets from.

Every query reads a bounded window of an index, whatever the dataset's size, and then probes by key, as those for single
images do (`ratings.queries.candidates`).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.access import Caller
from ratings.queries.candidates import LARGEST_KEY, RATERS, SHARED_RATER, SMALLEST_KEY
from ratings.queries.prepared import fetch_prepared

SKIPPED = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM unnest({RATERS}) p (id) CROSS JOIN LATERAL (
            SELECT FROM ratings_skip s WHERE s.rater_id = p.id AND s.image_id = i.id LIMIT 1
        ) s LIMIT 1
    ) skipped ON true
"""
SHOWN = "i.dataset_id = %(dataset)s AND i.status = 'active' AND i.adult_class = %(adult_class)s"
SETS_FROM = """SELECT id FROM ratings_imageset WHERE dataset_id = %(dataset)s AND id {bound} %(key)s
    ORDER BY id LIMIT %(size)s"""
KNOWN_SETS = f"""
    SELECT s.id, i.id, i.width, i.height
    FROM (({SETS_FROM.format(bound=">=")}) UNION ALL ({SETS_FROM.format(bound="<")}) LIMIT %(size)s) s
    CROSS JOIN LATERAL (
        SELECT i.id, i.width, i.height FROM ratings_imageinset m JOIN ratings_image i ON i.id = m.image_id
        WHERE m.image_set_id = s.id AND {SHOWN} ORDER BY m.position LIMIT %(most)s
    ) i {SKIPPED} WHERE skipped.hit IS NULL
"""
OPEN_FROM = """SELECT id, width, height, group_key FROM ratings_image
    WHERE dataset_id = %(dataset)s AND adult_class = %(adult_class)s AND is_open AND sampling_key {bound} %(key)s
    ORDER BY sampling_key LIMIT %(size)s"""
OPEN_WINDOW = f"""
    SELECT i.id, i.width, i.height, i.group_key
    FROM (({OPEN_FROM.format(bound=">=")}) UNION ALL ({OPEN_FROM.format(bound="<")}) LIMIT %(size)s) i {SKIPPED}
    WHERE skipped.hit IS NULL
"""
OPEN_AMONG = f"""
    SELECT i.id, i.width, i.height, i.group_key
    FROM unnest(%(ids)s::uuid[]) given (id) JOIN ratings_image i ON i.id = given.id {SKIPPED}
    WHERE {SHOWN} AND i.is_open AND skipped.hit IS NULL
"""
# Bounded by pairs and ordered by them, so that no other index than that of groups will do (as for one model's images).
OF_GROUP = f"""
    SELECT given.group_key, i.id, i.width, i.height
    FROM unnest(%(groups)s::bigint[]) given (group_key)
    CROSS JOIN LATERAL (
        SELECT i.id, i.width, i.height FROM ratings_image i
        WHERE i.dataset_id = %(dataset)s AND i.adult_class = %(adult_class)s AND i.is_open
            AND i.group_key IS NOT NULL AND i.perceptual_hash IS NULL
            AND (i.group_key, i.sampling_key) >= (given.group_key, {SMALLEST_KEY})
            AND (i.group_key, i.sampling_key) <= (given.group_key, {LARGEST_KEY})
        ORDER BY i.group_key, i.sampling_key LIMIT %(size)s
    ) i {SKIPPED} WHERE skipped.hit IS NULL
"""
STILL_SHOWN = f"""
    SELECT i.id, i.width, i.height FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY given (id, place)
    JOIN ratings_image i ON i.id = given.id WHERE {SHOWN} ORDER BY given.place
"""
# Skips are forgotten after a while; a comparison is not.
KNOWN = f"""
    SELECT given.images_key FROM unnest(%(keys)s::uuid[], %(sets)s::uuid[]) given (images_key, set_id)
    WHERE EXISTS (
        SELECT FROM unnest({RATERS}) p (id) CROSS JOIN LATERAL (
            (SELECT FROM ratings_comparison c WHERE c.rater_id = p.id AND c.images_key = given.images_key LIMIT 1)
            UNION ALL
            (SELECT FROM ratings_comparison c
                WHERE c.rater_id = p.id AND c.image_set_id = given.set_id AND NOT c.is_shared LIMIT 1)
            UNION ALL
            (SELECT FROM ratings_setskip k WHERE k.rater_id = p.id AND k.images_key = given.images_key
                AND k.created_at > %(skipped_since)s LIMIT 1)
        ) c
    )
"""
SHARED_KNOWN = f"""
    SELECT given.images_key FROM unnest(%(keys)s::uuid[]) given (images_key)
    WHERE EXISTS (
        SELECT FROM ratings_comparison c
        WHERE c.rater_id = {SHARED_RATER} AND c.images_key = given.images_key AND c.address_hash = %(address)s
    )
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where images are picked from: those of one class in a dataset."""

    dataset_id: uuid.UUID
    adult_class: str


@dataclass(frozen=True, slots=True)
class SetImage:
    """An image that may be shown in a set: its id, and its size in pixels."""

    image_id: uuid.UUID
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OpenImage:
    """An image to draw sets from, and what it belongs together with, if anything."""

    image: SetImage
    group_key: int | None


def sets_from(*, caller: Caller, place: Place, key: uuid.UUID, size: int, most: int) -> dict[uuid.UUID, list[SetImage]]:
    """Return the images, up to ``most``, of the ``size`` sets that follow ``key``, going round at the end.

    Without those that are not shown or that the caller has skipped, so some have too few.
    """
    params = _params(caller, place) | {"key": key, "size": size, "most": most}
    return _grouped(fetch_prepared(KNOWN_SETS, params))


def open_images_from(*, caller: Caller, place: Place, key: int, size: int) -> list[OpenImage]:
    """Return the ``size`` open images that follow ``key`` in the sampling order."""
    rows = fetch_prepared(OPEN_WINDOW, _params(caller, place) | {"key": key, "size": size})
    return [OpenImage(SetImage(*row[:3]), row[3]) for row in rows]


def open_images_among(*, caller: Caller, place: Place, image_ids: Sequence[uuid.UUID]) -> list[OpenImage]:
    """Return those of the given images that are open."""
    rows = fetch_prepared(OPEN_AMONG, _params(caller, place) | {"ids": list(image_ids)})
    return [OpenImage(SetImage(*row[:3]), row[3]) for row in rows]


def open_images_of_groups(
    *, caller: Caller, place: Place, groups: Sequence[int], size: int
) -> dict[int, list[SetImage]]:
    """Return up to ``size`` open images of one prompt or request, for each of the groups that has any."""
    if not groups:
        return {}
    return _grouped(fetch_prepared(OF_GROUP, _params(caller, place) | {"groups": list(groups), "size": size}))


def images_still_shown(*, place: Place, image_ids: Sequence[uuid.UUID]) -> list[SetImage]:
    """Return those of the given images that may be shown, in the order given."""
    params: dict[str, object] = {"dataset": place.dataset_id, "adult_class": place.adult_class, "ids": list(image_ids)}
    return [SetImage(*row) for row in fetch_prepared(STILL_SHOWN, params)]


def known_among(
    *, caller: Caller, sets: Sequence[tuple[uuid.UUID, uuid.UUID]], skipped_since: datetime
) -> set[uuid.UUID]:
    """Return the keys of those sets, (images key, set id), that the caller has compared, or skipped of late."""
    keys, set_ids = [key for key, _ in sets], [set_id for _, set_id in sets]
    if caller.is_shared:
        params: dict[str, object] = {"identity": caller.external_id, "address": caller.address_hash, "keys": keys}
        return {row[0] for row in fetch_prepared(SHARED_KNOWN, params)}
    params = {
        "identity": caller.identity_id or 0,
        "user": caller.user_id,
        "keys": keys,
        "sets": set_ids,
        "skipped_since": skipped_since,
    }
    return {row[0] for row in fetch_prepared(KNOWN, params)}


def _grouped(rows: list[tuple[Any, ...]]) -> dict[Any, list[SetImage]]:
    grouped: dict[Any, list[SetImage]] = {}
    for group, *image in rows:
        grouped.setdefault(group, []).append(SetImage(*image))
    return grouped


def _params(caller: Caller, place: Place) -> dict[str, object]:
    # Of people behind the shared key nobody knows what they skipped.
    return {
        "identity": caller.identity_id or 0,
        "user": caller.user_id,
        "dataset": place.dataset_id,
        "adult_class": place.adult_class,
    }
