"""Which images a rater could be given: index ranges with a fixed number of rows, whatever the dataset's size.

Every query reads a bounded window of the partial index of open images (or of given ids) and then probes,
by primary key or unique index, what this rater has rated or skipped. The probes are LATERAL with LIMIT 1,
which the planner cannot turn into a join that reads everything the rater ever did.

Images of one model have an index of their own, and its windows are ordered by (model, key) and bounded by pairs:
no other index has that order, so the planner cannot take the index of all open images and pass over millions of
other models' on its way to the first of this one.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from accounts.access import Caller
from ratings.models import AdultClass, OrderPolicy
from ratings.queries.prepared import fetch_prepared

SMALLEST_KEY, LARGEST_KEY = -(2**31), 2**31 - 1

# The caller's rater, and those of the identities that are linked to the same account: a handful, read once. They are
# probed one by one: given all at once, the planner reads every rating of the image instead.
RATERS = """ARRAY(
    SELECT id FROM ratings_rater WHERE identity_id = %(identity)s
    UNION ALL
    SELECT t.id FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id WHERE s.user_id = %(user)s
)"""
SHARED_RATER = """(
    SELECT t.id FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
    WHERE s.kind = 'shared_key' AND s.external_id = %(identity)s
)"""
PROBES = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM unnest({RATERS}) p (id) CROSS JOIN LATERAL (
            SELECT FROM ratings_rating r WHERE r.rater_id = p.id AND r.image_id = i.id AND NOT r.is_shared LIMIT 1
        ) r LIMIT 1
    ) rated ON true
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM unnest({RATERS}) p (id) CROSS JOIN LATERAL (
            SELECT FROM ratings_skip s WHERE s.rater_id = p.id AND s.image_id = i.id
                AND s.created_at > now() - interval '30 days' LIMIT 1
        ) s LIMIT 1
    ) skipped ON true
"""
SHARED_PROBES = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM ratings_rating r
        WHERE r.rater_id = {SHARED_RATER} AND r.image_id = i.id AND r.address_hash = %(address)s AND r.is_shared LIMIT 1
    ) rated ON true
    LEFT JOIN LATERAL (SELECT 1 AS hit WHERE false) skipped ON true
"""
COLUMNS = "id, sampling_key, rating_count, wanted_count, width, height, group_key"
FOUND = "i.id, coalesce(i.wanted_count, %(target)s::int) - i.rating_count, i.width, i.height, i.group_key, {rank}"
# Which of the images at hand go first, lowest first: for who is trusted, by the policy of the dataset; for all others
# there is no such order, because what tells whether they look rests on images that come by chance.
IS_TRUSTED = f"EXISTS (SELECT FROM ratings_rater t WHERE t.id = ANY({RATERS}) AND t.state = 'trusted')"
RANKS = {
    OrderPolicy.RANDOM: "0",
    OrderPolicy.BREADTH: "i.rating_count",
    OrderPolicy.DEPTH: "coalesce(i.wanted_count, %(target)s::int) - i.rating_count",
    # A rating moves a score the more, the worse it is known; of contested images it is known worse than it should be.
    OrderPolicy.UNCERTAINTY: """CASE WHEN i.rating_count >= %(target)s::int THEN -2000 ELSE 0 END - coalesce((
        SELECT s.standard_error FROM ratings_imagescore s WHERE s.image_id = i.id AND s.task = 'aesthetic'
    ), 1000)""",
}
OPEN = f"""
    SELECT {COLUMNS} FROM ratings_image WHERE dataset_id = %(dataset)s AND adult_class = %(adult_class)s AND is_open
"""
WINDOW = """
    SELECT {found}
    FROM (({from_key}) UNION ALL ({before_key}) LIMIT %(size)s) i {probes}
    WHERE rated.hit IS NULL AND skipped.hit IS NULL
"""
SCAN = """
    WITH stretch AS MATERIALIZED ({after_key})
    SELECT {found},
        (SELECT count(*) FROM stretch), (SELECT max(sampling_key) FROM stretch)
    FROM (SELECT 1) one LEFT JOIN (
        SELECT i.* FROM stretch i {probes}
        WHERE rated.hit IS NULL AND skipped.hit IS NULL ORDER BY i.sampling_key LIMIT %(limit)s
    ) i ON true
"""
GIVEN = """
    SELECT {found}
    FROM unnest(%(ids)s::uuid[]) given (id) JOIN ratings_image i ON i.id = given.id {probes}
    WHERE i.is_open AND i.adult_class = %(adult_class)s AND i.dataset_id = %(dataset)s
        AND (%(model)s::text = '' OR i.model_name = %(model)s::text) AND rated.hit IS NULL AND skipped.hit IS NULL
"""


def _ranges_of_all() -> dict[str, str]:
    def those(bound: str) -> str:
        return f"{OPEN} AND sampling_key {bound} %(key)s ORDER BY sampling_key LIMIT %(size)s"

    return {"from_key": those(">="), "before_key": those("<"), "after_key": those(">")}


def _ranges_of_model() -> dict[str, str]:
    def those(lower: str, upper: str) -> str:
        pair = "(model_name, sampling_key)"
        # The index leaves out images without a model; said outright, because a planner who does not know the name
        # that is asked for could not conclude it.
        return (
            f"{OPEN} AND model_name <> '' AND {pair} {lower} AND {pair} {upper} "
            "ORDER BY model_name, sampling_key LIMIT %(size)s"
        )

    first, here, last = (f"(%(model)s, {key})" for key in (SMALLEST_KEY, "%(key)s", LARGEST_KEY))
    return {
        "from_key": those(f">= {here}", f"<= {last}"),
        "before_key": those(f">= {first}", f"< {here}"),
        "after_key": those(f"> {here}", f"<= {last}"),
    }


def _found(policy: OrderPolicy) -> str:
    rank = RANKS[policy]
    if policy != OrderPolicy.RANDOM:
        rank = f"CASE WHEN {IS_TRUSTED} THEN {rank} ELSE 0 END"
    return FOUND.format(rank=f"({rank})::float8 AS rank")


# Each text with each kind of probe, and for all images or one model's, made once: a prepared statement is known by its
# text. The keys are (is the caller shared, is one model asked for, in which order the trusted get images).
WINDOWS, SCANS, GIVENS = (
    {
        (is_shared, is_of_model, policy.value): sql.format(found=_found(policy), probes=probes, **ranges)
        for is_shared, probes in ((False, PROBES), (True, SHARED_PROBES))
        for is_of_model, ranges in ((False, _ranges_of_all()), (True, _ranges_of_model()))
        for policy in RANKS
    }
    for sql in (WINDOW, SCAN, GIVEN)
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What images are picked from: those of a dataset that need up to ``target`` ratings, or one model's among them.

    ``model_name`` is "" for all. Only images of one class are on a shelf: an index range has one.
    """

    dataset_id: uuid.UUID
    target: int
    model_name: str = ""
    adult_class: str = AdultClass.SAFE.value
    order_policy: str = OrderPolicy.RANDOM.value

    @property
    def name(self) -> str:
        """Return what tells this shelf from others of its dataset; "" for all safe images."""
        return self.model_name if self.is_safe else f"{self.adult_class}\0{self.model_name}"

    @property
    def is_safe(self) -> bool:
        return self.adult_class == AdultClass.SAFE


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open image that the caller has neither rated nor skipped; ``need`` ratings are still missing.

    Images of one ``group`` are kept apart; None where it is not known. The lowest ``rank`` goes first.
    """

    image_id: uuid.UUID
    need: int
    width: int
    height: int
    group: int | None
    rank: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one stretch of a scan found, where it ended, and whether it reached the end of the index."""

    candidates: list[Candidate]
    last_key: int
    is_last: bool


def candidates_from(*, caller: Caller, shelf: Shelf, key: int, size: int) -> list[Candidate]:
    """Return the candidates among the ``size`` open images that follow ``key``, going round at the end."""
    params = _params(caller, shelf) | {"key": key, "size": size}
    return [Candidate(*row) for row in fetch_prepared(WINDOWS[_kind(caller, shelf)], params)]


def scan_candidates(*, caller: Caller, shelf: Shelf, after: int, size: int, limit: int) -> Stretch:
    """Return up to ``limit`` candidates among the ``size`` open images after key ``after``."""
    params = _params(caller, shelf) | {"key": after, "size": size, "limit": limit}
    rows = fetch_prepared(SCANS[_kind(caller, shelf)], params)
    found = [Candidate(*row[:6]) for row in rows if row[0] is not None]
    read_count, last_key = rows[0][6], rows[0][7]
    return Stretch(found, LARGEST_KEY if last_key is None else last_key, read_count < size)


def candidates_among(*, caller: Caller, shelf: Shelf, image_ids: Sequence[uuid.UUID]) -> list[Candidate]:
    """Return the candidates among the given images."""
    params = _params(caller, shelf) | {"ids": list(image_ids)}
    return [Candidate(*row) for row in fetch_prepared(GIVENS[_kind(caller, shelf)], params)]


def last_open_images(*, dataset_id: uuid.UUID, limit: int) -> list[uuid.UUID]:
    """Return the ids of the open images, or of ``limit`` of them when there are more."""
    sql = """
        SELECT id FROM ratings_image
        WHERE dataset_id = %(dataset)s AND adult_class = 'safe' AND is_open ORDER BY sampling_key LIMIT %(limit)s
    """
    return [row[0] for row in fetch_prepared(sql, {"dataset": dataset_id, "limit": limit})]


def _kind(caller: Caller, shelf: Shelf) -> tuple[bool, bool, str]:
    policy = OrderPolicy.RANDOM.value if caller.is_shared else shelf.order_policy
    return caller.is_shared, bool(shelf.model_name), policy


def _params(caller: Caller, shelf: Shelf) -> dict[str, object]:
    return {
        "identity": caller.external_id if caller.is_shared else caller.identity_id or 0,
        "user": caller.user_id,
        "address": caller.address_hash,
        "dataset": shelf.dataset_id,
        "target": shelf.target,
        "model": shelf.model_name,
        "adult_class": shelf.adult_class,
    }
