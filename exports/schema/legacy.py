"""The ratings once more, as the one file that programs of 2023 read: `docs/releases.md` says what for.

The columns have the names, the order and the types of that file. What could tell who somebody is has been made
coarse and keeps its type. Whatever `ratings.parquet` has as well is taken from there, so each is described once.
"""

from dataclasses import replace

import pyarrow as pa

from exports.queries import LEGACY_PATH
from exports.schema.columns import (
    AGE_BANDS,
    AGE_FLOORS,
    Column,
    Table,
    Treatment,
    powers_of_ten,
    signed_powers_of_ten,
)
from exports.schema.tables import RATINGS
from ratings.importers.legacy import ANONYMOUS_KUDOS

NAIVE_INSTANT = pa.timestamp("us")

_RATING = {column.name: column for column in RATINGS.columns}

_POWER = "a power of ten up to 1000000000"
_ANONYMOUS = "All anonymous ratings share one"

LEGACY = Table(
    name=LEGACY_PATH.removesuffix(".parquet"),
    meaning=(
        "The ratings once more, in the fourteen columns of the export that the Stable Horde's ratings service had, for "
        "programs that read that one. The hour, powers of ten and bands stand for exact values, and anonymous ratings "
        f"are marked by kudos of {ANONYMOUS_KUDOS}. Ratings that do not say how good the image looks are left "
        "out: that file had none. For anything new, use the table ratings."
    ),
    columns=(
        replace(_RATING["image_id"], name="id"),
        Column(
            "ratings_count",
            pa.int64(),
            "count(*) OVER (PARTITION BY rating.image_id)",
            "Ratings of this image in this file.",
        ),
        replace(
            _RATING["aesthetic"],
            name="rating",
            type=pa.int64(),
            meaning="How good the image looks, 1 worst to 10 best.",
            nullable=False,
        ),
        Column(
            "kudos",
            pa.int64(),
            signed_powers_of_ten("rating.rater_kudos"),
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
            f"of five bands: {', '.join(map(str, AGE_FLOORS))} "
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
            "Pseudonym of the rater, 64 hexadecimal digits. Other digits than in ratings, and the same rater: "
            f"the rows that both files have are in one order. {_ANONYMOUS}.",
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
    where=f"{RATINGS.where} AND rating.aesthetic IS NOT NULL",
    order_by=RATINGS.order_by,
    sorted_by=("id",),
    row_group_rows=RATINGS.row_group_rows,
    single_path=LEGACY_PATH,
)
