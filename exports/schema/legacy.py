"""The ratings once more, as the one file that programs of 2023 read: `docs/releases.md` says what for.

The columns have the names, the order and the types of that file. What could tell who somebody is has been made
coarse and keeps its type. Whatever `ratings.parquet` has as well is taken from there, so each is described once.
"""

import uuid
from dataclasses import replace

import pyarrow as pa

from exports.queries import LEGACY_PATH
from exports.schema.columns import Column, Table, Treatment, fill, powers_of_ten
from exports.schema.tables import IS_ANONYMOUS, RATINGS

NAIVE_INSTANT = pa.timestamp("us")
# What marked the ratings of people without an account, and what old programs leave out.
ANONYMOUS_KUDOS = -50
AGE_BANDS = (0, 1, 7, 30, 180)
SECONDS_A_DAY = 24 * 3600

_RATING = {column.name: column for column in RATINGS.columns}


def _signed_power_of_ten(number: str) -> str:
    """Return SQL for the power of ten that is not further from 0 than ``number``, with its sign; 0 when unknown."""
    powers = [-(10**exponent) for exponent in range(10)]
    cases = " ".join(f"WHEN {number} <= {power} THEN {power}" for power in reversed(powers))
    return f"coalesce(CASE {cases} ELSE {powers_of_ten(number)} END, 0)::bigint"


def _age_floor(seconds: str) -> str:
    """Return SQL for the lower bound, in seconds, of the band that an age is in; 0 when unknown."""
    floors = [days * SECONDS_A_DAY for days in AGE_BANDS]
    cases = " ".join(f"WHEN {seconds} >= {floor} THEN {floor}" for floor in reversed(floors))
    return f"CASE {cases} ELSE 0 END::bigint"


_POWER = "a power of ten up to 1000000000"
_ANONYMOUS = "all anonymous ratings share one"

LEGACY = Table(
    name=LEGACY_PATH.removesuffix(".parquet"),
    meaning=(
        "The ratings once more, in the fourteen columns of the export that the Stable Horde's ratings service had, for "
        "programs that read that one. The hour, powers of ten and bands stand for exact values, and anonymous ratings "
        f"are marked by kudos of {ANONYMOUS_KUDOS}. For anything new, use ratings.parquet."
    ),
    columns=(
        replace(_RATING["image_id"], name="id"),
        Column(
            "ratings_count",
            pa.int64(),
            "count(*) OVER (PARTITION BY rating.image_id)",
            "Ratings of this image in this file.",
        ),
        replace(_RATING["aesthetic"], name="rating", type=pa.int64()),
        Column(
            "kudos",
            pa.int64(),
            _signed_power_of_ten("rating.rater_kudos"),
            f"Kudos that the rater had, as {_POWER}, with the sign; 0 also when unknown. Exactly {ANONYMOUS_KUDOS} for "
            "a rating without an account, and never otherwise.",
            treatment=Treatment.KUDOS_OR_MARK,
            made_from=("kudos", "user_id"),
        ),
        Column(
            "account_age",
            pa.int64(),
            "",
            "Age of the rater's account when they gave their first rating here, as the lower bound in seconds of one "
            f"of five bands: {', '.join(str(days * SECONDS_A_DAY) for days in AGE_BANDS)} "
            f"({', '.join(map(str, AGE_BANDS))} days). One rater has one band in a release. 0 also when unknown, and "
            "for anonymous ratings.",
            treatment=Treatment.ACCOUNT_AGE,
            made_from=("user_id",),
        ),
        Column(
            "usage_requests",
            pa.int64(),
            f"coalesce({powers_of_ten('rating.rater_images_generated')}, 0)",
            f"Images that the rater had generated elsewhere, as {_POWER}; 0 also when unknown, and for anonymous "
            "ratings.",
            treatment=Treatment.NOTHING_IF_ANONYMOUS,
            made_from=("usage_requests", "user_id"),
        ),
        Column(
            "created_at",
            NAIVE_INSTANT,
            "date_trunc('hour', rating.created_at AT TIME ZONE 'UTC')",
            "When it was answered, cut to the full hour, UTC, without a zone.",
        ),
        replace(
            _RATING["client_agent"],
            meaning="Name of the program that sent the rating, without version and contact; else unknown.",
            nullable=False,
            treatment=Treatment.CLIENT_NAME_OR_UNKNOWN,
        ),
        replace(_RATING["artifacts"], type=pa.float64()),
        Column(
            "user_id",
            pa.string(),
            "rating.rater_id",
            "Pseudonym of the rater, 64 hexadecimal digits, with nothing in common with the one in ratings.parquet; "
            f"{_ANONYMOUS}.",
            treatment=Treatment.USER_ID,
        ),
        replace(
            _RATING["is_trusted"],
            name="trusted",
            sql="coalesce(rating.rater_is_trusted_elsewhere, rating.rater_is_trusted)",
            meaning="Whether the rater was trusted by then: by the AI Horde where they came from there, else here.",
        ),
        Column(
            "validated",
            pa.bool_(),
            "",
            "Whether a moderator has validated the rater, as of this release.",
            treatment=Treatment.IS_VALIDATED,
            made_from=("user_id",),
        ),
        Column(
            "captchas_failed",
            pa.int64(),
            "",
            "Control questions that the rater failed minus those solved, as of this release; negative when more were "
            "solved.",
            treatment=Treatment.CHALLENGES_FAILED,
            made_from=("user_id",),
        ),
        _RATING["country"],
    ),
    rows_from=RATINGS.rows_from,
    described_by="",
    where=RATINGS.where,
    order_by=RATINGS.order_by,
    sorted_by=("id",),
    row_group_rows=RATINGS.row_group_rows,
)

# One band for each rater: two bands an hour apart would tell the hour in which the account was made. That of the first
# rating, because it stays the same from release to release.
_LEGACY_RATERS = f"""
SELECT rater.id, rater.pseudonym_seed, {IS_ANONYMOUS} AS anonymous, rater.is_trusted, rater.challenges_failed,
    {_age_floor("seen.age")} AS account_age
FROM (
    SELECT rater_id, min(rater_account_age) AS age FROM ratings_rating
    WHERE dataset_id = {{dataset}} AND state = 'counted' GROUP BY rater_id
) seen
JOIN ratings_rater rater ON rater.id = seen.rater_id
JOIN accounts_identity identity ON identity.id = rater.identity_id
ORDER BY rater.id
"""


def select_legacy_raters(dataset_id: uuid.UUID) -> str:
    """Return the statement that reads what the file says of each rater of a dataset: 54 bytes of each are kept."""
    return fill(_LEGACY_RATERS, dataset_id)
