"""What raters found of images that they saw together, in the order in which they saw them."""

from dataclasses import replace

import pyarrow as pa

from exports.schema.columns import IMAGE_IDS, INSTANT, Column, Table, Treatment
from exports.schema.tables import ABOUT_RATER, RATINGS
from ratings.queries.published import IS_PUBLISHED_COMPARISON

_RATING = {column.name: column for column in RATINGS.columns}


def _as_of_rating(name: str, **changes: object) -> Column:
    """Return the column as ratings have it, read from the comparison."""
    column = _RATING[name]
    return replace(column, sql=column.sql.replace("rating.", "comparison."), **changes)  # type: ignore[arg-type]


COMPARISONS = Table(
    name="comparisons",
    meaning=(
        "One row for each comparison that counts: what one rater found of two to four images that they saw together, "
        "or of a whole set, where a relay sent it. Images hidden or withdrawn take their comparisons with them."
    ),
    columns=(
        Column(
            "comparison_id",
            pa.int64(),
            "comparison.id",
            "Number of the comparison, the same in every release.",
            encoding="DELTA_BINARY_PACKED",
            is_repetitive=False,
        ),
        Column(
            "set_id",
            pa.string(),
            "comparison.image_set_id",
            "The set. A set of more than four images is shown in part.",
            treatment=Treatment.UUID_TEXT,
            is_looked_up=True,
        ),
        Column(
            "image_ids",
            IMAGE_IDS,
            "comparison.image_ids::text[]",
            "The images compared, keys of images, in the order in which they were shown, which was shuffled. With "
            "proof relay: all images of the set in the order in which the relay named them.",
        ),
        Column(
            "outcome",
            pa.string(),
            "comparison.outcome",
            "best (one is the best), tie (two or more are equally good), all_bad (all of them are bad).",
        ),
        Column(
            "best_image_id",
            pa.string(),
            "comparison.best_id::text",
            "The best of image_ids; null unless outcome is best.",
            nullable=True,
            is_looked_up=True,
        ),
        Column(
            "best_from",
            pa.string(),
            "comparison.best_from",
            "Where the outcome is known from: given (the rater chose it), or made by a relay out of ratings: only (the "
            "one image rated, with 7 or more), highest (the image rated highest).",
        ),
        Column(
            "is_tied",
            pa.bool_(),
            "comparison.is_tied",
            "Whether a relay took the first of several images that were rated highest.",
        ),
        _as_of_rating("rater"),
        Column(
            "compared_at",
            INSTANT,
            "date_trunc('hour', comparison.created_at, 'UTC')",
            "When it was answered, cut to the full hour, UTC.",
        ),
        Column(
            "revision_count",
            pa.int16(),
            "comparison.revision_count",
            "How often the rater changed it; the last counts.",
        ),
        _as_of_rating("client_agent"),
        _as_of_rating("proof"),
        _as_of_rating("is_late"),
        Column("scale_version", pa.int16(), "comparison.scale_version", "Version of the wording of the question."),
        _as_of_rating(
            "session_position", meaning="Place of the set among those of one visit, from 1; null when not recorded."
        ),
        _as_of_rating("is_warm_up"),
        _as_of_rating("is_before_training"),
        _as_of_rating(
            "decode_ms",
            meaning="From the request for the pictures until all of them could be seen, ms to the nearest 100, at most "
            "10000; null when not recorded.",
        ),
        _as_of_rating("answer_ms"),
        *ABOUT_RATER,
        _as_of_rating("country"),
    ),
    rows_from="""FROM ratings_comparison comparison
JOIN ratings_imageset image_set ON image_set.id = comparison.image_set_id""",
    described_by="",
    where=(
        f"WHERE image_set.dataset_id = {{dataset}} AND comparison.created_at <= {{until}} AND {IS_PUBLISHED_COMPARISON}"
    ),
    order_by="ORDER BY comparison.id",
    sorted_by=("comparison_id",),
    row_group_rows=131_072,
)
