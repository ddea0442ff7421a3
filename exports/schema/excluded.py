"""The ratings that do not count, for research into spam: why, in one word, and not who decided or what they wrote."""

import pyarrow as pa

from exports.schema.columns import Column, Table
from exports.schema.tables import RATINGS
from ratings.queries.published import IS_UNDER_EMBARGO

# A rating that another of the same person replaced is not here: with the one that counts, it would tell which two
# raters are one person. One of an image that is hidden or withdrawn leaves with its image.
REASONS = {
    "voided": "a moderator found it worthless",
    "quarantined": "its rater is under suspicion",
    "held": "not proven yet that the image was shown",
}
_STATES = ", ".join(f"'{state}'" for state in REASONS)
IS_EXCLUDED = f"(rating.state IN ({_STATES}) AND image.status = 'active' AND NOT {IS_UNDER_EMBARGO})"

RATINGS_EXCLUDED = Table(
    name="ratings_excluded",
    meaning=(
        "One row for each rating that does not count, of images that are in images: for research into spam, and to see "
        "what was left out. Never add these rows to ratings."
    ),
    columns=(
        *RATINGS.columns,
        Column(
            "reason",
            pa.string(),
            "rating.state",
            f"Why it does not count: {'; '.join(f'{code} ({meaning})' for code, meaning in REASONS.items())}.",
        ),
        Column(
            "decided_on",
            pa.date32(),
            "(action.taken_at AT TIME ZONE 'UTC')::date",
            "Day on which a moderator decided, UTC; null where none has.",
            nullable=True,
        ),
    ),
    rows_from=RATINGS.rows_from,
    described_by="LEFT JOIN ratings_moderationaction action ON action.id = rating.moderation_action_id",
    where=f"WHERE rating.dataset_id = {{dataset}} AND rating.created_at <= {{until}} AND {IS_EXCLUDED}",
    order_by=RATINGS.order_by,
    sorted_by=RATINGS.sorted_by,
    row_group_rows=RATINGS.row_group_rows,
)
