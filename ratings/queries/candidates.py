"""Which images a rater could be given: index ranges with a fixed number of rows, whatever the dataset's size.

Every query reads a bounded window of the partial index of open images (or of given ids) and then probes,
by primary key or unique index, what this rater has rated or skipped. The probes are LATERAL with LIMIT 1,
which the planner cannot turn into a join that reads everything the rater ever did.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.access import Caller
from ratings.queries.prepared import fetch_prepared

SMALLEST_KEY, LARGEST_KEY = -(2**31), 2**31 - 1

RATER = "(SELECT id FROM ratings_rater WHERE identity_id = %(identity)s)"
SHARED_RATER = """(
    SELECT t.id FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
    WHERE s.kind = 'shared_key' AND s.external_id = %(identity)s
)"""
PROBES = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM ratings_rating r
        WHERE r.rater_id = {RATER} AND r.image_id = i.id AND NOT r.is_shared LIMIT 1
    ) rated ON true
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM ratings_skip s WHERE s.rater_id = {RATER} AND s.image_id = i.id LIMIT 1
    ) skipped ON true
"""
SHARED_PROBES = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM ratings_rating r
        WHERE r.rater_id = {SHARED_RATER} AND r.image_id = i.id AND r.address_hash = %(address)s AND r.is_shared LIMIT 1
    ) rated ON true
    LEFT JOIN LATERAL (SELECT 1 AS hit WHERE false) skipped ON true
"""
COLUMNS = "id, sampling_key, rating_count, width, height"
WINDOW = f"""
    SELECT i.id, %(target)s::int - i.rating_count, i.width, i.height
    FROM (
        (SELECT {COLUMNS} FROM ratings_image
         WHERE dataset_id = %(dataset)s AND adult_class = 'safe' AND is_open AND sampling_key >= %(key)s
         ORDER BY sampling_key LIMIT %(size)s)
        UNION ALL
        (SELECT {COLUMNS} FROM ratings_image
         WHERE dataset_id = %(dataset)s AND adult_class = 'safe' AND is_open AND sampling_key < %(key)s
         ORDER BY sampling_key LIMIT %(size)s)
        LIMIT %(size)s
    ) i {{probes}}
    WHERE rated.hit IS NULL AND skipped.hit IS NULL
"""
SCAN = f"""
    WITH stretch AS MATERIALIZED (
        SELECT {COLUMNS} FROM ratings_image
        WHERE dataset_id = %(dataset)s AND adult_class = 'safe' AND is_open AND sampling_key > %(key)s
        ORDER BY sampling_key LIMIT %(size)s
    )
    SELECT i.id, %(target)s::int - i.rating_count, i.width, i.height,
        (SELECT count(*) FROM stretch), (SELECT max(sampling_key) FROM stretch)
    FROM (SELECT 1) one LEFT JOIN (
        SELECT i.* FROM stretch i {{probes}}
        WHERE rated.hit IS NULL AND skipped.hit IS NULL ORDER BY i.sampling_key LIMIT %(limit)s
    ) i ON true
"""
GIVEN = """
    SELECT i.id, %(target)s::int - i.rating_count, i.width, i.height
    FROM unnest(%(ids)s::uuid[]) given (id) JOIN ratings_image i ON i.id = given.id {probes}
    WHERE i.is_open AND i.adult_class = 'safe' AND i.dataset_id = %(dataset)s
        AND rated.hit IS NULL AND skipped.hit IS NULL
"""
# Each text with each kind of probe, made once: a prepared statement is known by its text.
WINDOWS, SCANS, GIVENS = (
    {False: sql.format(probes=PROBES), True: sql.format(probes=SHARED_PROBES)} for sql in (WINDOW, SCAN, GIVEN)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open image that the caller has neither rated nor skipped; ``need`` ratings are still missing."""

    image_id: uuid.UUID
    need: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one stretch of a scan found, where it ended, and whether it reached the end of the index."""

    candidates: list[Candidate]
    last_key: int
    is_last: bool


def candidates_from(*, caller: Caller, dataset_id: uuid.UUID, target: int, key: int, size: int) -> list[Candidate]:
    """Return the candidates among the ``size`` open images that follow ``key``, going round at the end."""
    params = _params(caller, dataset_id, target) | {"key": key, "size": size}
    return [Candidate(*row) for row in fetch_prepared(WINDOWS[caller.is_shared], params)]


def scan_candidates(
    *, caller: Caller, dataset_id: uuid.UUID, target: int, after: int, size: int, limit: int
) -> Stretch:
    """Return up to ``limit`` candidates among the ``size`` open images after key ``after``."""
    params = _params(caller, dataset_id, target) | {"key": after, "size": size, "limit": limit}
    rows = fetch_prepared(SCANS[caller.is_shared], params)
    found = [Candidate(*row[:4]) for row in rows if row[0] is not None]
    read_count, last_key = rows[0][4], rows[0][5]
    return Stretch(found, LARGEST_KEY if last_key is None else last_key, read_count < size)


def candidates_among(
    *, caller: Caller, dataset_id: uuid.UUID, target: int, image_ids: Sequence[uuid.UUID]
) -> list[Candidate]:
    """Return the candidates among the given images."""
    params = _params(caller, dataset_id, target) | {"ids": list(image_ids)}
    return [Candidate(*row) for row in fetch_prepared(GIVENS[caller.is_shared], params)]


def last_open_images(*, dataset_id: uuid.UUID, limit: int) -> list[uuid.UUID]:
    """Return the ids of the open images, or of ``limit`` of them when there are more."""
    sql = """
        SELECT id FROM ratings_image
        WHERE dataset_id = %(dataset)s AND adult_class = 'safe' AND is_open ORDER BY sampling_key LIMIT %(limit)s
    """
    return [row[0] for row in fetch_prepared(sql, {"dataset": dataset_id, "limit": limit})]


def _params(caller: Caller, dataset_id: uuid.UUID, target: int) -> dict[str, object]:
    return {
        "identity": caller.external_id if caller.is_shared else caller.identity_id or 0,
        "address": caller.address_hash,
        "dataset": dataset_id,
        "target": target,
    }
