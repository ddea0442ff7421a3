"""Reads of images that look alike, by 64 bits that say where a small picture gets brighter (a difference hash).

Two such hashes that differ in at most three bits agree in at least one of four bands of 16; each band has an index. So
a look-up reads four short ranges, bounded however many images share a band (blank pictures do).
"""

import uuid
from collections.abc import Sequence

from ratings.queries.prepared import fetch_prepared

BANDS = 4
BAND_BITS = 16
MOST_BITS_APART = 5
MOST_IN_A_BAND = 200


def band_of(looks: int, band: int) -> int:
    """Return one band of a hash, as the indexes have it."""
    return (looks >> (BAND_BITS * band)) & 0xFFFF


def _shelf(band: int) -> str:
    """Return the images that share a band with one that is looked for."""
    shift = BAND_BITS * band
    return f"""(
        SELECT i.group_key, i.perceptual_hash FROM ratings_image i
        WHERE i.dataset_id = %(dataset)s AND i.perceptual_hash IS NOT NULL
            AND ((i.perceptual_hash >> {shift}) & 65535) = ((wanted.looks >> {shift}) & 65535)
        LIMIT {MOST_IN_A_BAND}
    )"""


FIND = f"""
SELECT alike.group_key FROM unnest(%(hashes)s::bigint[]) WITH ORDINALITY wanted (looks, place)
LEFT JOIN LATERAL (
    SELECT shelf.group_key, bit_count((shelf.perceptual_hash # wanted.looks)::bit(64)) AS apart
    FROM ({" UNION ALL ".join(map(_shelf, range(BANDS)))}) shelf
    WHERE shelf.group_key IS NOT NULL
        AND bit_count((shelf.perceptual_hash # wanted.looks)::bit(64)) <= {MOST_BITS_APART}
    ORDER BY apart LIMIT 1
) alike ON true
ORDER BY wanted.place
"""


def find_lookalikes(*, dataset_id: uuid.UUID, hashes: Sequence[int]) -> list[int | None]:
    """Return for each hash the group of the image in the dataset that looks most like it, or None."""
    return [row[0] for row in fetch_prepared(FIND, {"dataset": dataset_id, "hashes": list(hashes)})]
