"""What is known of each image, computed anew for every release: facts are in the other tables."""

import pyarrow as pa

from exports.schema.columns import HISTOGRAM, Column, Table
from exports.schema.tables import IMAGE_ID, IMAGES, RATINGS, SPLIT

METHOD_VERSION = 1


def _counts(answer: str, values: range) -> str:
    return ", ".join(f"count(*) FILTER (WHERE rating.{answer} = {value})::int" for value in values)


IMAGE_SCORES = Table(
    name="image_scores",
    meaning="One row for each row of images: what its ratings say together. Computed anew for each release.",
    columns=(
        IMAGE_ID,
        Column(
            "rating_count", pa.int32(), "coalesce(score.n, 0)", "Ratings of this image that answer how good it looks."
        ),
        Column(
            "mean_aesthetic",
            pa.float64(),
            "score.mean_aesthetic",
            "Plain mean of aesthetic; null without ratings.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "sd_aesthetic",
            pa.float64(),
            "score.sd_aesthetic",
            "Sample standard deviation of aesthetic; null with fewer than two ratings.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "histogram_aesthetic",
            HISTOGRAM,
            "coalesce(score.histogram_aesthetic, array_fill(0, ARRAY[10]))",
            "Ten counts: how often aesthetic was 1, 2, … 10.",
        ),
        Column(
            "artifacts_count",
            pa.int32(),
            "coalesce(score.artifacts_count, 0)",
            "Ratings of this image that answer the question about artifacts.",
        ),
        Column(
            "mean_artifacts",
            pa.float64(),
            "score.mean_artifacts",
            "Plain mean of artifacts, where answered; null where never answered.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "sd_artifacts",
            pa.float64(),
            "score.sd_artifacts",
            "Sample standard deviation of artifacts; null with fewer than two answers.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "histogram_artifacts",
            HISTOGRAM,
            "coalesce(score.histogram_artifacts, array_fill(0, ARRAY[6]))",
            "Six counts: how often artifacts was 0, 1, … 5.",
        ),
        Column("method_version", pa.int16(), f"{METHOD_VERSION}::smallint", "How this was computed; see METHODS.md."),
        SPLIT,
    ),
    rows_from=IMAGES.rows_from,
    described_by=f"""LEFT JOIN (
    SELECT rating.image_id, count(aesthetic)::int AS n, count(artifacts)::int AS artifacts_count,
        avg(aesthetic)::float8 AS mean_aesthetic, stddev_samp(aesthetic)::float8 AS sd_aesthetic,
        avg(artifacts)::float8 AS mean_artifacts, stddev_samp(artifacts)::float8 AS sd_artifacts,
        ARRAY[{_counts("aesthetic", range(1, 11))}] AS histogram_aesthetic,
        ARRAY[{_counts("artifacts", range(6))}] AS histogram_artifacts
    {RATINGS.rows_from} {RATINGS.where} GROUP BY rating.image_id
) score ON score.image_id = image.id""",
    where=IMAGES.where,
    order_by=IMAGES.order_by,
    sorted_by=IMAGES.sorted_by,
    row_group_rows=131_072,
    has_text=True,
)
