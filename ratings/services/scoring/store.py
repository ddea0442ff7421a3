"""Results on their way into the tables: one COPY and one UPDATE each, however many rows."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection
from psycopg import Cursor

from ratings.models import RaterScore, Task, TaskParameters
from ratings.stats.levels import Ints
from ratings.stats.parameters import KINDS, Parameters, Policy
from ratings.stats.standing import judge, reason_of
from ratings.stats.state import RATER_COLUMNS, State

IMAGE_COLUMNS = {
    "id": "bigint",
    "rating_count": "int",
    "counted_count": "int",
    "score": "float8",
    "standard_error": "float8",
    "low": "float8",
    "high": "float8",
    "effective_count": "float8",
}
RATER_TABLE_COLUMNS = {
    "id": "bigint",
    "rating_count": "int",
    "numbers": "float8[]",
    "weight": "float8",
    "bias": "float8",
    "noise": "float8",
    "p_honest": "float8",
    "reliability": "float8",
    "reliability_low": "float8",
    "reliability_high": "float8",
    "trust_log_e": "float8",
    "ban_log_e": "float8",
    "change": "float8",
    "kind": "text",
    "reason": "text",
}
REASON_LENGTH = 300


def save_images(*, state: State, indexes: Ints, now: datetime) -> None:
    """Write the scores of these images of a state."""
    found = state.image_results(indexes)
    columns = [
        state.images.ids[indexes],
        found.count,
        found.counted,
        found.score,
        found.standard_error,
        # Rounding must not put a score outside of its own interval.
        np.minimum(found.low, found.score),
        np.maximum(found.high, found.score),
        found.effective_count,
    ]
    _write("ratings_imagescore", IMAGE_COLUMNS, zip(*(column.tolist() for column in columns), strict=True), now)


def save_raters(*, state: State, indexes: Ints, policy: Policy, now: datetime) -> None:
    """Write what is known of these raters of a state."""
    found, e_values = state.rater_results(indexes), state.e_values(indexes)
    verdicts = judge(found, e_values, policy)
    columns = [
        state.raters.ids[indexes],
        found.count,
        _flatten(state.save_raters(indexes), len(indexes)),
        found.weight,
        found.bias,
        found.noise,
        np.clip(found.p_honest, 0, 1),
        np.clip(found.reliability, 0, 1),
        found.reliability_low,
        found.reliability_high,
        e_values.trust,
        e_values.ban,
        e_values.change,
    ]
    kinds = verdicts.kind.tolist()
    names = [KINDS[kind] if kind >= 0 else "" for kind in kinds]
    reasons = [reason_of(found, index, kind)[:REASON_LENGTH] if kind >= 0 else "" for index, kind in enumerate(kinds)]
    lines = zip(*(column.tolist() for column in columns), names, reasons, strict=True)
    _write("ratings_raterscore", RATER_TABLE_COLUMNS, lines, now)


def load_raters(*, dataset_id: uuid.UUID, task: Task) -> tuple[Ints, dict[str, Any]]:
    """Return the numbers of all raters of a dataset whom the engine has looked at, as `State.restore` takes them."""
    width = sum(RATER_COLUMNS.values())
    # Numbers of another make of the mathematics say nothing to this one: such raters begin anew.
    found = RaterScore.objects.filter(dataset=dataset_id, task=task, numbers__len=width).order_by("id")
    pairs = list(found.values_list("id", "numbers"))
    ids = np.array([pk for pk, _ in pairs], dtype=np.int64)
    flat = np.array([numbers for _, numbers in pairs], dtype=np.float64).reshape(len(pairs), width)
    columns: dict[str, Any] = {}
    start = 0
    for name, width in RATER_COLUMNS.items():
        part = flat[:, start : start + width]
        columns[name] = part[:, 0] if width == 1 else part
        start += width
    return ids, columns


def silent_raters(*, dataset_id: uuid.UUID, task: Task) -> Ints:
    """Return the numbers of the raters who do not vote."""
    found = RaterScore.objects.filter(dataset=dataset_id, task=task, is_silent=True)
    return np.array(list(found.values_list("id", flat=True)), dtype=np.int64)


def load_parameters(*, dataset_id: uuid.UUID, task: Task) -> Parameters | None:
    """Return what the last fit found, or None before the first."""
    values = TaskParameters.objects.filter(dataset=dataset_id, task=task).values_list("values", flat=True).first()
    return Parameters(**values) if values else None


def _flatten(saved: Mapping[str, Any], count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    columns = RATER_COLUMNS.items()
    parts = [np.asarray(saved[name], dtype=np.float64).reshape(count, width) for name, width in columns]
    return np.concatenate(parts, axis=1)


def _write(table: str, columns: Mapping[str, str], lines: Iterable[Sequence[Any]], now: datetime) -> None:
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    sets = ", ".join(f"{name} = fresh.{name}" for name in columns if name != "id")
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.fresh; CREATE TEMPORARY TABLE fresh ({typed}) ON COMMIT DROP")
        with cursor.copy(f"COPY fresh ({', '.join(columns)}) FROM STDIN") as copy:
            for line in lines:
                copy.write_row(line)
        cursor.execute("ANALYZE fresh")
        cursor.execute(f"UPDATE {table} t SET {sets}, updated_at = %s FROM fresh WHERE t.id = fresh.id", [now])
