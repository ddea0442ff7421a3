"""Who answered: what every file of a release says of a rater, and the table that says how well they judge."""

from dataclasses import replace

import pyarrow as pa

from exports.schema.columns import BAND, SCHEMA_VERSION, Column, Scope, Table, fill
from exports.schema.comparisons import COMPARISONS
from exports.schema.excluded import IS_EXCLUDED, RATINGS_EXCLUDED
from exports.schema.tables import ABOUT_RATER, RATINGS
from ratings.queries.published import IS_PUBLISHED_COMPARISON, IS_RELEASED_RATING

# Who has no account: here, or where ratings came from (`ratings.importers.legacy`). Ratings that were taken over
# without a name share a rater as well, and had accounts.
IS_ANONYMOUS = """CASE identity.kind WHEN 'import' THEN identity.external_id LIKE '%:anonymous'
    ELSE rater.is_shared OR identity.kind IN ('shared_key', 'browser') END"""


# Who the raters are is looked up batch by batch, not joined: PostgreSQL need not hash them once for each table, and
# a pseudonym is computed once for each rater.
#
# A rater is described as of their first answer, counted or not: that is the least of what grows, it stays the same from
# release to release, also when that answer is voided, and it costs no sorting. Countries and clients are those of all
# answers, since one who resembles nobody in them must not be told. Only who has a row in the release is here: a cell is
# as large as it looks from outside.
def _answers(answer: str, *, rows_from: str, of_dataset: str, is_told: str) -> str:
    return f"""
SELECT {answer}.rater_id, {answer}.client_agent, {answer}.country, min({answer}.rater_account_age) AS age,
    min({answer}.rater_images_generated) AS images, min({answer}.rater_kudos) AS kudos,
    min({answer}.rater_rating_count) AS given,
    bool_or(coalesce({answer}.rater_is_trusted_elsewhere, {answer}.rater_is_trusted)) AS is_trusted,
    bool_or({answer}.created_at <= {{until}} AND {is_told}) AS is_told
{rows_from} WHERE {of_dataset} GROUP BY 1, 2, 3
"""


_ANSWERED = " UNION ALL ".join(
    (
        _answers(
            "rating",
            rows_from=RATINGS.rows_from,
            of_dataset="rating.dataset_id = {dataset}",
            is_told=f"({IS_RELEASED_RATING} OR {IS_EXCLUDED})",
        ),
        _answers(
            "comparison",
            rows_from=COMPARISONS.rows_from,
            of_dataset="image_set.dataset_id = {dataset}",
            is_told=IS_PUBLISHED_COMPARISON,
        ),
    )
)
_RATERS = f"""
SELECT rater.id, rater.pseudonym_seed AS seed, {IS_ANONYMOUS} AS anonymous, rater.challenges_failed,
    coalesce(seen.age, -1)::bigint AS account_age, coalesce(seen.images, -1)::bigint AS images_generated,
    CASE WHEN seen.kudos IS NULL THEN -1 ELSE greatest(seen.kudos, 0) END::bigint AS kudos,
    seen.given::bigint AS ratings_given,
    rater.is_trusted::int * 2 + seen.is_trusted::int AS trust,
    seen.countries, seen.clients
FROM (
    SELECT rater_id, min(age) AS age, min(images) AS images, min(kudos) AS kudos, min(given) AS given,
        bool_or(is_trusted) AS is_trusted, array_agg(DISTINCT nullif(country, '')) AS countries,
        array_agg(DISTINCT client_agent) AS clients
    FROM ({_ANSWERED}) answers GROUP BY rater_id HAVING bool_or(is_told)
) seen
JOIN ratings_rater rater ON rater.id = seen.rater_id
JOIN accounts_identity identity ON identity.id = rater.identity_id
ORDER BY rater.id
"""


def select_raters(scope: Scope) -> str:
    """Return the statement that reads what every file of a release says of each rater who has a row in it."""
    return fill(_RATERS, scope)


LEAST_RATINGS = 20
_RATING_COLUMNS = {column.name: column for column in RATINGS.columns}
_MEASURES = {
    "reliability": "How well the rater's answers tell the score, 0 not at all to 1",
    "reliability_low": "Lower end of the 95 % interval of the reliability",
    "reliability_high": "Upper end of the 95 % interval of the reliability",
    "bias": "How much higher than the score the rater answers, in levels",
    "noise": "Standard deviation of what is neither score nor bias, in levels",
    "p_honest": "Probability that the rater looks at the images",
}


def _measures(task: str, question: str) -> list[Column]:
    return [
        Column(
            f"{name}_{task}",
            pa.float64(),
            f"CASE WHEN {task}.rating_count >= {LEAST_RATINGS} THEN round({task}.{name}::numeric, 2)::float8 END",
            f"{meaning}: of {question}. Null with fewer than {LEAST_RATINGS} answers, and where many share one rater.",
            nullable=True,
        )
        for name, meaning in _MEASURES.items()
    ]


def _scores_of(task: str) -> str:
    return (
        f"LEFT JOIN ratings_raterscore {task} ON {task}.rater_id = rater.id AND {task}.dataset_id = {{dataset}} "
        f"AND {task}.task = '{task}' AND {task}.address_hash = '' AND NOT rater.is_shared"
    )


_COUNTED = f"SELECT rating.rater_id, 1 AS counted {RATINGS.rows_from} {RATINGS.where}"
_APPEARING = " UNION ALL ".join(
    (
        _COUNTED,
        f"SELECT rating.rater_id, 0 {RATINGS_EXCLUDED.rows_from} {RATINGS_EXCLUDED.where}",
        f"SELECT comparison.rater_id, 0 {COMPARISONS.rows_from} {COMPARISONS.where}",
    )
)

RATERS = Table(
    name="raters",
    meaning=(
        "One row for each rater who has a pseudonym in ratings, ratings_excluded or comparisons: what is known of "
        "them, and how well they judge, computed anew for each release."
    ),
    columns=(
        replace(_RATING_COLUMNS["rater"], sql="rater.id", nullable=False),
        *ABOUT_RATER,
        Column(
            "rating_count_band",
            pa.int64(),
            "CASE WHEN seen.counted = 0 THEN 0 ELSE (10 ^ floor(log(seen.counted)))::bigint END",
            f"Ratings of theirs in ratings, {BAND}.",
        ),
        *_measures("aesthetic", "how good the image looks"),
        *_measures("artifacts", "artifacts"),
    ),
    rows_from=f"""FROM (
    SELECT rater_id, sum(counted) AS counted FROM ({_APPEARING}) answers
    WHERE NOT rater_id = ANY({{nameless}}) GROUP BY rater_id
) seen JOIN ratings_rater rater ON rater.id = seen.rater_id""",
    described_by=f"{_scores_of('aesthetic')}\n{_scores_of('artifacts')}",
    where="",
    # By sign-up, or by the seed alone, rows would tell who came first, and who is who in two datasets.
    order_by=f"ORDER BY md5('{SCHEMA_VERSION.partition('.')[0]}' || {{dataset}} || rater.pseudonym_seed)",
    sorted_by=(),
    row_group_rows=131_072,
)
