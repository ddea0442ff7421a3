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
            "",
            f"Kudos that the rater had at their first answer here, as {_POWER}; 0 also for a debt, when unknown or "
            f"withheld. Exactly {ANONYMOUS_KUDOS} for a rating without an account, and never otherwise.",
            treatment=Treatment.KUDOS_OR_MARK,
            made_from=("user_id",),
        ),
        Column(
            "account_age",
            pa.int64(),
            "",
            "Age of the rater's account when they gave their first answer here, as the lower bound in seconds of one "
            f"of five bands: {', '.join(map(str, AGE_FLOORS))} "
            f"({', '.join(map(str, AGE_BANDS))} days). 0 also when unknown or withheld, and for anonymous ratings.",
            treatment=Treatment.ACCOUNT_AGE,
            made_from=("user_id",),
        ),
        Column(
            "usage_requests",
            pa.int64(),
            "",
            f"Images that the rater had generated elsewhere by then, as {_POWER}; 0 also when unknown or withheld, and "
            "for anonymous ratings.",
            treatment=Treatment.USAGE_REQUESTS,
            made_from=("user_id",),
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
            made_from=("client_agent", "user_id"),
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
            meaning="Whether the rater was trusted when they gave any of their answers here: by the AI Horde where "
            "they came from there, else by a moderator; false also when withheld.",
            nullable=False,
            treatment=Treatment.IS_TRUSTED,
            made_from=("user_id",),
        ),
        Column(
            "validated",
            pa.bool_(),
            "",
            "Whether a moderator has validated the rater, as of this release; false also when withheld.",
            treatment=Treatment.IS_VALIDATED,
            made_from=("user_id",),
        ),
        Column(
            "captchas_failed",
            pa.int64(),
            "",
            f"Control questions that the rater failed minus those solved, as of this release, as {_POWER}, with the "
            "sign; 0 also when withheld.",
            treatment=Treatment.CHALLENGES_FAILED,
            made_from=("user_id",),
        ),
        replace(_RATING["country"], made_from=("country", "user_id")),
    ),
    rows_from=RATINGS.rows_from,
    described_by="",
    where=f"{RATINGS.where} AND rating.aesthetic IS NOT NULL",
    order_by=RATINGS.order_by,
    sorted_by=("id",),
    row_group_rows=RATINGS.row_group_rows,
    single_path=LEGACY_PATH,
)
