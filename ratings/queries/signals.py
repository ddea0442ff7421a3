"""What signals are measured on: the last answers of some raters, and the last answers of a dataset, as columns."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from ratings.models import RaterSignal

Columns = npt.NDArray[np.float64]

WAS_LEASED = "r.proof NOT IN ('relay', 'import')"
TOUCHED = f"""
    SELECT DISTINCT r.rater_id FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
    WHERE r.dataset_id = %(dataset)s AND r.id > %(after)s AND r.id <= %(up_to)s AND NOT t.is_shared AND {WAS_LEASED}
    ORDER BY 1
"""
# Those of whom it is most certain that they look: what is usual is told by them.
REFERENCE = """
    SELECT s.rater_id FROM ratings_raterscore s JOIN ratings_rater t ON t.id = s.rater_id
    WHERE s.dataset_id = %(dataset)s AND s.task = 'aesthetic' AND NOT s.is_silent AND NOT t.is_shared
        AND s.rating_count >= 20
    ORDER BY s.trust_log_e DESC, s.rater_id LIMIT %(limit)s
"""
ANSWERS = f"""
    SELECT r.rater_id, r.aesthetic, r.artifacts, r.answer_ms,
        extract(epoch FROM r.created_at - r.issued_at) * 1000,
        coalesce(array_position(ARRAY['', 'keyboard', 'pointer', 'touch', 'pen', 'mixed'], r.input_kind) - 1, 0),
        CASE WHEN i.rating_count - own.aesthetic >= 2
            THEN (i.aesthetic_sum - own.aesthetic * coalesce(r.aesthetic, 0))::float8
                / (i.rating_count - own.aesthetic) END,
        CASE WHEN i.artifacts_count - own.artifacts >= 2
            THEN (i.artifacts_sum - own.artifacts * coalesce(r.artifacts, 0))::float8
                / (i.artifacts_count - own.artifacts) END
    FROM unnest(%(raters)s::bigint[]) chosen (id) CROSS JOIN LATERAL (
        SELECT r.* FROM ratings_rating r WHERE r.rater_id = chosen.id AND r.dataset_id = %(dataset)s AND {WAS_LEASED}
        ORDER BY r.id DESC LIMIT %(limit)s
    ) r JOIN ratings_image i ON i.id = r.image_id CROSS JOIN LATERAL (
        SELECT (r.state = 'counted' AND r.aesthetic IS NOT NULL)::int AS aesthetic,
            (r.state = 'counted' AND r.artifacts IS NOT NULL)::int AS artifacts
    ) own
    ORDER BY r.rater_id, r.id
"""
ANSWER_WIDTH = 8
RECENT = f"""
    SELECT r.rater_id, (extract(epoch FROM r.created_at) * 1000)::bigint, r.address_hash,
        t.created_at > r.created_at - interval '30 days'
    FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
    WHERE r.dataset_id = %(dataset)s AND r.id <= %(up_to)s AND NOT t.is_shared AND {WAS_LEASED}
    ORDER BY r.id DESC LIMIT %(limit)s
"""
CHANGED = """
    SELECT s.rater_id, s.change, s.rating_count FROM ratings_raterscore s
    WHERE s.dataset_id = %(dataset)s AND s.task = 'aesthetic' AND s.rater_id = ANY(%(raters)s) AND s.address_hash = ''
        AND EXISTS (SELECT FROM ratings_ratertransition h WHERE h.rater_id = s.rater_id AND h.to_state = 'trusted')
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Recent:
    """The last answers of a dataset by columns: whose, when (ms), from which address (numbered; -1 unknown).

    ``is_new`` says that the rater had been known for less than a month.
    """

    rater: npt.NDArray[np.int64]
    answered_ms: npt.NDArray[np.int64]
    address: npt.NDArray[np.int64]
    is_new: npt.NDArray[np.bool_]


def find_touched(*, dataset_id: uuid.UUID, after: int, up_to: int) -> list[int]:
    """Return the raters of the answers with numbers in (after, up_to]; the shared one is nobody in particular."""
    return [pk for (pk,) in _fetch(TOUCHED, {"dataset": dataset_id, "after": after, "up_to": up_to})]


def find_reference(*, dataset_id: uuid.UUID, limit: int) -> list[int]:
    """Return raters of a dataset who tell what is usual."""
    return [pk for (pk,) in _fetch(REFERENCE, {"dataset": dataset_id, "limit": limit})]


def read_last_answers(*, dataset_id: uuid.UUID, rater_ids: Sequence[int], limit: int) -> Columns:
    """Return the last answers of each of these raters, as rows of the columns of `Answers`; what is unknown is NaN."""
    params = {"dataset": dataset_id, "raters": list(rater_ids), "limit": limit}
    return np.array(_fetch(ANSWERS, params), dtype=np.float64).reshape(-1, ANSWER_WIDTH)


def read_recent(*, dataset_id: uuid.UUID, up_to: int, limit: int) -> Recent:
    """Return the last ``limit`` answers of a dataset up to a number."""
    rows = _fetch(RECENT, {"dataset": dataset_id, "up_to": up_to, "limit": limit})
    names = np.array([row[2] for row in rows], dtype=np.str_)
    address = np.unique(names, return_inverse=True)[1].astype(np.int64) if rows else np.zeros(0, np.int64)
    address[names == ""] = -1
    return Recent(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        address,
        np.array([row[3] for row in rows], dtype=np.bool_),
    )


def read_changes(*, dataset_id: uuid.UUID, rater_ids: Sequence[int]) -> Columns:
    """Return (rater, ln odds of a change, answers) of those among these raters who were trusted once."""
    rows = _fetch(CHANGED, {"dataset": dataset_id, "raters": list(rater_ids)})
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def known_signals(*, dataset_id: uuid.UUID) -> set[tuple[int, str]]:
    """Return the (rater, kind) of which there is a row."""
    return set(RaterSignal.objects.filter(dataset=dataset_id).values_list("rater_id", "kind"))


def _fetch(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
