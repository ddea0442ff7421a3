"""The tables that a release is for: what was said, and of which images."""

import pyarrow as pa

from exports.schema.columns import (
    AGE_BANDS,
    BAND,
    HISTOGRAM,
    INSTANT,
    Column,
    Table,
    Treatment,
    coarse_ms,
)
from ratings.models import WARM_UP_COUNT
from ratings.queries.published import IS_PUBLISHED, IS_RELEASED_RATING, IS_UNDER_EMBARGO


def _image_id(sql: str, meaning: str) -> Column:
    """Return the column that tables are sorted by; ids hardly repeat in a row group, and a dictionary only costs."""
    return Column(
        "image_id",
        pa.string(),
        sql,
        meaning,
        treatment=Treatment.UUID_TEXT,
        encoding="DELTA_BYTE_ARRAY",
        is_repetitive=False,
        is_looked_up=True,
    )


# What the rating page measured and other clients need not. Times are told to a tenth of a second and no longer than a
# person looks: enough to leave out who did not look, too little to know a hand or a device by. Which session it was,
# with what it was answered and how wide the picture was does not leave.
ANSWERING = (
    Column(
        "is_artifacts_unsure",
        pa.bool_(),
        "rating.is_artifacts_unsure",
        "Whether the rater said that they could not judge the artifacts; else a null there is no answer.",
    ),
    Column(
        "revision_count",
        pa.int16(),
        "rating.revision_count",
        "How often the rater changed this rating, within a day and before they saw what others said. The values here "
        "are the last ones.",
    ),
    Column(
        "session_position",
        pa.int16(),
        "rating.session_position",
        "Place of the image among those of one visit, from 1; null when not recorded.",
        nullable=True,
    ),
    Column(
        "is_warm_up",
        pa.bool_(),
        f"rating.session_position <= {WARM_UP_COUNT}",
        f"Whether it was among the first {WARM_UP_COUNT} of a visit, which studies leave out; null when not recorded.",
        nullable=True,
    ),
    Column(
        "is_before_training",
        pa.bool_(),
        "rating.is_before_training",
        "Whether the rater had not done the practice images yet; null when not recorded.",
        nullable=True,
    ),
    Column(
        "decode_ms",
        pa.int32(),
        coarse_ms("rating.decode_ms", longest=10_000),
        "From the request for the picture until it could be seen, ms to the nearest 100, at most 10000; null when not "
        "recorded.",
        nullable=True,
    ),
    Column(
        "answer_ms",
        pa.int32(),
        coarse_ms("rating.answer_ms", longest=60_000),
        "From when the picture could be seen to the answer, ms to the nearest 100, at most 60000; null when not "
        "recorded.",
        nullable=True,
    ),
)

WITHHELD = "Withheld, and null, where it would tell one of few raters from the others (PRIVACY.md)."


def _of_rater(name: str, kind: pa.DataType, treatment: Treatment, meaning: str, *, nullable: bool = True) -> Column:
    """Return a column that describes the rater, in the same words in every row of a release."""
    return Column(name, kind, "", meaning, nullable=nullable, treatment=treatment, made_from=("rater",))


# Told once for each rater, as of their first answer in the dataset: two values an hour apart would tell when a band was
# crossed, in one release or from one to the next, and files of one release can be laid side by side, row by row.
ABOUT_RATER = (
    _of_rater(
        "account_age_band",
        pa.string(),
        Treatment.ACCOUNT_AGE_BAND,
        f"Age of the rater's account when they gave their first answer here: {', '.join(AGE_BANDS.values())}; null "
        f"when unknown. {WITHHELD}",
    ),
    _of_rater(
        "images_generated_band",
        pa.int64(),
        Treatment.IMAGES_GENERATED_BAND,
        f"Images the rater had generated elsewhere by then, {BAND}; null when unknown. {WITHHELD}",
    ),
    _of_rater(
        "kudos_band",
        pa.int64(),
        Treatment.KUDOS_BAND,
        f"Kudos the rater had then: at the AI Horde where that is known, else here, {BAND}; 0 also stands for a debt; "
        f"null when neither is known. {WITHHELD}",
    ),
    _of_rater(
        "ratings_given_band",
        pa.int64(),
        Treatment.RATINGS_GIVEN_BAND,
        f"Ratings the rater had given by then, in all datasets, {BAND}. {WITHHELD}",
    ),
    _of_rater(
        "is_trusted",
        pa.bool_(),
        Treatment.TRUST,
        "Whether the rater was trusted when they gave any of their answers here: by the AI Horde where they came from "
        f"there, else by a moderator. {WITHHELD}",
    ),
    _of_rater(
        "anonymous",
        pa.bool_(),
        Treatment.ANONYMITY,
        "Whether the rater has no account. One pseudonym then may be many people (a shared key, here or at the AI "
        "Horde), and one person may have many pseudonyms (browsers).",
        nullable=False,
    ),
)
WHO_RATED = (
    *ABOUT_RATER,
    Column(
        "country",
        pa.string(),
        "nullif(rating.country, '')",
        f"Country the rating came from, ISO 3166-1 alpha-2; null when not recorded. {WITHHELD}",
        nullable=True,
        treatment=Treatment.COUNTRY,
        made_from=("country", "rater"),
    ),
)


RATINGS = Table(
    name="ratings",
    meaning="One row for each rating that counts: what one rater said of one image.",
    columns=(
        Column(
            "rating_id",
            pa.int64(),
            "rating.id",
            "Number of the rating, the same in every release.",
            encoding="DELTA_BINARY_PACKED",
            is_repetitive=False,
        ),
        _image_id("rating.image_id", "The image; key of images."),
        Column(
            "rater",
            pa.string(),
            "rating.rater_id",
            "Pseudonym of the rater: the same within a dataset and major schema version, unlinkable across them. Null "
            "for the few raters of whom it alone would say too much.",
            nullable=True,
            treatment=Treatment.PSEUDONYM,
            is_looked_up=True,
        ),
        Column(
            "aesthetic",
            pa.int8(),
            "rating.aesthetic",
            "How good the image looks, 1 worst to 10 best; null when the rater could not judge.",
            nullable=True,
        ),
        Column(
            "artifacts",
            pa.int8(),
            "rating.artifacts",
            "How flawed the image is, 0 not at all to 5 ruined; null when not answered, or not to be judged.",
            nullable=True,
        ),
        Column(
            "rated_at",
            INSTANT,
            "date_trunc('hour', rating.created_at, 'UTC')",
            "When it was answered, cut to the full hour, UTC.",
        ),
        Column(
            "client_agent",
            pa.string(),
            "rating.client_agent",
            f"Name of the program that sent the rating, without version and contact; null when it has none. {WITHHELD}",
            nullable=True,
            treatment=Treatment.CLIENT_NAME,
            made_from=("client_agent", "rater"),
        ),
        Column(
            "proof",
            pa.string(),
            "rating.proof",
            "How it is known that this image was shown: lease (its signed lease came back), lookup (an older "
            "client; the lease was found by image), hash (the hash of the bytes shown came back), relay "
            "(another service vouches for it), held (accepted later without a lease), import (taken over from an "
            "older export).",
        ),
        Column("is_late", pa.bool_(), "rating.is_late", "Whether it came after the lease had run out."),
        Column("scale_version", pa.int16(), "rating.scale_version", "Version of the wording of the questions."),
        *WHO_RATED,
        *ANSWERING,
    ),
    rows_from="FROM ratings_rating rating JOIN ratings_image image ON image.id = rating.image_id",
    described_by="",
    where=f"WHERE rating.dataset_id = {{dataset}} AND rating.created_at <= {{until}} AND {IS_RELEASED_RATING}",
    order_by="ORDER BY rating.image_id, rating.id",
    sorted_by=("image_id", "rating_id"),
    row_group_rows=131_072,
    has_text=True,
)

IMAGE_ID = _image_id("image.id", "The image, as in the API.")

# The same in every release, and on every machine: whoever has the prompts can compute it again.
SPLIT = Column(
    "split",
    pa.string(),
    """CASE WHEN ('x' || left(md5(coalesce(nullif(image.prompt, ''), image.id::text)), 8))::bit(32)::bigint % 100 < 90
        THEN 'train'
        WHEN ('x' || left(md5(coalesce(nullif(image.prompt, ''), image.id::text)), 8))::bit(32)::bigint % 100 < 95
        THEN 'validation' ELSE 'test' END""",
    "train (90 in 100), validation (5) or test (5); images of one prompt are together, and it never changes. It is the "
    "first 8 hexadecimal digits of the MD5 of the prompt, or of image_id where there is none, modulo 100: under 90, "
    "under 95, or not.",
)

_HISTOGRAM_COUNTS = ", ".join(f"count(*) FILTER (WHERE aesthetic = {value})::int" for value in range(1, 11))

IMAGES = Table(
    name="images",
    meaning="One row for each image that is not hidden or withdrawn, rated or not; one that never arrived is here if "
    "ratings of it were taken over from an older export. The picture itself is not inside.",
    columns=(
        IMAGE_ID,
        Column(
            "source_id",
            pa.string(),
            "image.source_id",
            "What the image is called where it came from.",
            is_repetitive=False,
        ),
        Column(
            "source_url",
            pa.string(),
            "nullif(image.source_url, '')",
            "Where the image was found; null when not recorded, and it may have moved since.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "sha256",
            pa.string(),
            "nullif(image.sha256, '')",
            "SHA-256 of the original file, to prove that you have the same picture; null when not recorded.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "width",
            pa.int32(),
            "nullif(image.width, 0)",
            "Width of the original in pixels; null when the picture has never been here.",
            nullable=True,
        ),
        Column(
            "height",
            pa.int32(),
            "nullif(image.height, 0)",
            "Height of the original in pixels; null when the picture has never been here.",
            nullable=True,
        ),
        Column(
            "mime",
            pa.string(),
            "nullif(image.mime, '')",
            "Media type of the original file; null when the picture has never been here.",
            nullable=True,
        ),
        Column(
            "model_name",
            pa.string(),
            "nullif(image.model_name, '')",
            "Model that made the image; null when not recorded.",
            nullable=True,
        ),
        Column(
            "prompt",
            pa.string(),
            "nullif(image.prompt, '')",
            "Prompt the image was made from; null when not recorded.",
            nullable=True,
        ),
        Column(
            "licence",
            pa.string(),
            "coalesce(nullif(image.licence, ''), dataset.licence)",
            "Licence of the image, an SPDX identifier.",
        ),
        Column(
            "adult_class", pa.string(), "image.adult_class", "safe, suggestive, adult, or unknown (not classified)."
        ),
        Column(
            "rating_count",
            pa.int32(),
            "coalesce(score.rating_count, 0)",
            "Ratings of this image in this release that say how good it looks: those of histogram and mean_aesthetic.",
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
            "mean_artifacts",
            pa.float64(),
            "score.mean_artifacts",
            "Plain mean of artifacts, where answered; null where never answered.",
            nullable=True,
            is_repetitive=False,
        ),
        Column(
            "histogram",
            HISTOGRAM,
            "coalesce(score.histogram, array_fill(0, ARRAY[10]))",
            "Ten counts: how often aesthetic was 1, 2, … 10.",
        ),
        Column(
            "is_complete",
            pa.bool_(),
            f"(NOT image.is_open AND NOT {IS_UNDER_EMBARGO})",
            "Whether the image had all its ratings and was retired.",
        ),
        Column("added_on", pa.date32(), "(image.created_at AT TIME ZONE 'UTC')::date", "Day the image was added, UTC."),
        SPLIT,
    ),
    rows_from="FROM ratings_image image",
    described_by=f"""JOIN ratings_dataset dataset ON dataset.id = image.dataset_id
LEFT JOIN (
    SELECT rating.image_id, count(aesthetic)::int AS rating_count, avg(aesthetic)::float8 AS mean_aesthetic,
        avg(artifacts)::float8 AS mean_artifacts, ARRAY[{_HISTOGRAM_COUNTS}] AS histogram
    {RATINGS.rows_from} {RATINGS.where} GROUP BY rating.image_id
) score ON score.image_id = image.id""",
    where=f"WHERE image.dataset_id = {{dataset}} AND {IS_PUBLISHED}",
    order_by="ORDER BY image.id",
    sorted_by=("image_id",),
    # Prompts are long, and a row group is held in memory whole, here and by whoever reads it.
    row_group_rows=32_768,
)
