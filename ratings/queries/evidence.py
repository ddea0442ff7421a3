"""What is known of the person behind a rater: over questions, datasets and linked identities together.

The mean of their e-values counts, which is an e-value whatever they have to do with each other.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import connection

# Where nearly every image has the same artifacts, answering as everybody does looks like not looking: the question
# says something of raters only once a fit has found that it tells images apart.
LEAST_AGREEMENT = 0.2

# Whom the evidence may speak against; an index holds nobody else.
SUSPECTS = """
    SELECT DISTINCT s.rater_id FROM ratings_raterscore s JOIN ratings_rater t ON t.id = s.rater_id
    WHERE (s.ban_log_e >= 4 OR s.p_honest < 0.1) AND NOT t.is_shared AND NOT t.has_own_taste
        AND t.state NOT IN ('quarantined', 'voided')
"""
# One row for each rater: all raters of a person see the same evidence. ``cleared`` is the evidence that a person knew
# when they let the rater back in: from there it has to grow anew.
EVIDENCE = f"""
    WITH chosen AS (
        SELECT t.id, t.state, t.is_trusted, t.has_own_taste, i.user_id
        FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id WHERE t.id = ANY(%s)
    ), person AS (
        SELECT c.id AS rater_id, c.id AS other_id FROM chosen c
        UNION
        SELECT c.id, o.id FROM chosen c JOIN accounts_identity s ON s.user_id = c.user_id
            JOIN ratings_rater o ON o.identity_id = s.id AND NOT o.is_shared
    ), known AS (
        SELECT p.rater_id,
            avg(exp(least(s.trust_log_e, 690))) AS trust_e, avg(exp(least(s.ban_log_e, 690))) AS ban_e,
            sum(s.rating_count * (1 - s.p_honest) / greatest(s.p_honest, 1e-12)) / nullif(sum(s.rating_count), 0)
                AS odds_against,
            max(s.rating_count) AS n, max(s.change) AS change,
            (array_agg(s.reason ORDER BY s.ban_log_e DESC, s.p_honest))[1] AS reason,
            (array_agg(s.kind ORDER BY s.p_honest, s.ban_log_e DESC))[1] AS kind
        FROM person p JOIN ratings_raterscore s ON s.rater_id = p.other_id
            LEFT JOIN ratings_taskparameters q ON q.dataset_id = s.dataset_id AND q.task = s.task
        WHERE s.task = 'aesthetic' OR (q.values ->> 'agreement')::float8 >= {LEAST_AGREEMENT}
        GROUP BY 1
    )
    SELECT c.id, c.state, c.is_trusted, c.has_own_taste, k.trust_e, k.ban_e, 1 / (1 + coalesce(k.odds_against, 0)),
        k.n, k.change, k.reason, (
            SELECT coalesce((h.evidence ->> 'ban_e')::float8, 1) FROM ratings_ratertransition h
            WHERE h.rater_id = c.id AND h.from_state IN ('quarantined', 'voided') ORDER BY h.id DESC LIMIT 1
        ), k.kind
    FROM chosen c JOIN known k ON k.rater_id = c.id
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the person behind a rater. E-values are capped far beyond every threshold."""

    rater_id: int
    state: str
    is_validated: bool
    has_own_taste: bool
    trust_e: float
    ban_e: float
    p_honest: float
    rating_count: int
    change: float
    reason: str
    cleared_ban_e: float | None
    kind: str = ""
    """How they do not look, if they do not: one of ratings.stats.parameters.KINDS, or "" where nothing says so."""

    @property
    def ban_e_since(self) -> float:
        """The e-value against, counted from where a person last let the rater back in."""
        return self.ban_e / max(self.cleared_ban_e or 1.0, 1.0)

    def as_dict(self) -> dict[str, float | int]:
        kept = ("trust_e", "ban_e", "p_honest", "rating_count", "change")
        return {name: value for name, value in asdict(self).items() if name in kept}


def find_suspects() -> list[int]:
    """Return the raters whom the evidence may put into quarantine."""
    with connection.cursor() as cursor:
        cursor.execute(SUSPECTS)
        return [pk for (pk,) in cursor.fetchall()]


def read_evidence(rater_ids: Iterable[int]) -> list[Evidence]:
    """Return what is known of these raters, of whom something is."""
    with connection.cursor() as cursor:
        cursor.execute(EVIDENCE, [list(rater_ids)])
        return [Evidence(*row) for row in cursor.fetchall()]
