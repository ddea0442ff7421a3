"""Signals about how answers come about: measured of those who have answered since, and kept beside their raters.

Nobody's state is moved by it: what the answers themselves say decides, and moderators read both.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from ratings.countermeasures.signals.address import measure_address
from ratings.countermeasures.signals.answers import Answers, Groups, Measured
from ratings.countermeasures.signals.change import measure_change
from ratings.countermeasures.signals.lockstep import measure_lockstep
from ratings.countermeasures.signals.no_damage import measure_no_damage
from ratings.countermeasures.signals.pace import measure_pace
from ratings.countermeasures.signals.pattern import measure_pattern
from ratings.countermeasures.signals.pushing import measure_pushing
from ratings.countermeasures.signals.runs import measure_runs
from ratings.countermeasures.signals.sameness import measure_sameness
from ratings.models import RaterScore, ScoreCursor, Task
from ratings.queries.signals import (
    Columns,
    find_reference,
    find_touched,
    known_signals,
    read_changes,
    read_last_answers,
    read_recent,
)
from ratings.services.scoring import memory, rows

# Of each rater so many last answers are looked at, and so many raters at once beside those who tell what is usual.
LAST_ANSWERS = 300
AT_ONCE, REFERENCES = 200, 200
RECENT_ANSWERS = 50_000
# Natural logarithms: from 1 in 20 on a signal is kept, from 1 in 10,000 on moderators are to look at it.
NOTEWORTHY, STRIKING = 3.0, 9.2
BY_ANSWERS = (measure_pace, measure_runs, measure_sameness, measure_no_damage, measure_pattern)
SENTENCE_LENGTH = 300
KEPT_BEFORE = 19

UPSERT = """
    INSERT INTO ratings_ratersignal AS s (
        rater_id, dataset_id, kind, value, log_evidence, answer_count, sentence, is_striking, struck_at, measured_at,
        past_evidence, past_at
    )
    SELECT f.rater_id, %(dataset)s, f.kind, f.value, f.log_evidence, f.answer_count, f.sentence,
        f.log_evidence >= %(striking)s, CASE WHEN f.log_evidence >= %(striking)s THEN %(now)s END, %(now)s,
        ARRAY[f.log_evidence], ARRAY[%(now)s]
    FROM unnest(%(rater)s::bigint[], %(kind)s::text[], %(value)s::float8[], %(evidence)s::float8[], %(count)s::int[],
        %(sentence)s::text[]) f (rater_id, kind, value, log_evidence, answer_count, sentence)
    ORDER BY f.rater_id, f.kind
    ON CONFLICT (rater_id, dataset_id, kind) DO UPDATE SET
        value = excluded.value, log_evidence = excluded.log_evidence, answer_count = excluded.answer_count,
        sentence = excluded.sentence, is_striking = excluded.is_striking, measured_at = excluded.measured_at,
        struck_at = coalesce(s.struck_at, excluded.struck_at),
        past_evidence = CASE WHEN {has_moved}
            THEN s.past_evidence[cardinality(s.past_evidence) - {before} + 1:] || excluded.past_evidence
            ELSE s.past_evidence END,
        past_at = CASE WHEN {has_moved}
            THEN s.past_at[cardinality(s.past_at) - {before} + 1:] || excluded.past_at ELSE s.past_at END
""".format(
    before=KEPT_BEFORE,
    has_moved="abs(excluded.log_evidence - coalesce(s.past_evidence[cardinality(s.past_evidence)], 0)) >= 1",
)
# Whoever measured the same answers meanwhile has written it down.
GO_ON = """
    UPDATE ratings_scorecursor SET signals_rating_id = %(up_to)s
    WHERE dataset_id = %(dataset)s AND signals_rating_id = %(after)s
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal of one rater, to be kept."""

    rater_id: int
    kind: str
    value: float
    log_evidence: float
    answer_count: int
    sentence: str


def measure_signals(*, dataset_id: uuid.UUID, now: datetime) -> int:
    """Measure the raters who have answered since the last time; return how many signals were written."""
    cursor = ScoreCursor.objects.filter(pk=dataset_id).first()
    if cursor is None or cursor.rating_id <= cursor.signals_rating_id:
        return 0
    after, up_to = cursor.signals_rating_id, cursor.rating_id
    touched = find_touched(dataset_id=dataset_id, after=after, up_to=up_to)
    known = known_signals(dataset_id=dataset_id)
    findings = [
        finding
        for measured in _measure(dataset_id, touched, up_to)
        for finding in _worth_keeping(measured, set(touched), known)
    ]
    with transaction.atomic(), connection.cursor() as db:
        db.execute(GO_ON, {"dataset": dataset_id, "after": after, "up_to": up_to})
        if db.rowcount == 0:
            return 0
        return _write(dataset_id, findings, now)


def measure_pushes(*, dataset_id: uuid.UUID, now: datetime) -> int:
    """Look for images that several raters push, over all answers of a dataset; return how many signals were written."""
    cursor = ScoreCursor.objects.filter(pk=dataset_id).first()
    if cursor is None:
        return 0
    stretch = rows.Stretch(dataset_id, 0, cursor.rating_id, has_controls=False)
    answers = rows.read_answers(stretch, Task.AESTHETIC)
    measured = measure_pushing(answers.rater, answers.image, answers.value, memory.LEVELS[Task.AESTHETIC])
    scores = RaterScore.objects.filter(dataset=dataset_id, task=Task.AESTHETIC, rater__is_shared=False)
    rater_of = dict(scores.values_list("id", "rater_id"))
    is_known = np.array([pk in rater_of for pk in measured.rater.tolist()], dtype=bool)
    raters = np.array([rater_of.get(pk, 0) for pk in measured.rater.tolist()], dtype=np.int64)
    renamed = Measured(
        measured.kind,
        raters,
        measured.value,
        np.where(is_known, measured.log_evidence, 0.0),
        measured.count,
        measured.tell,
    )
    among = set(raters[is_known].tolist())
    findings = list(_worth_keeping(renamed, among, known_signals(dataset_id=dataset_id)))
    with transaction.atomic():
        return _write(dataset_id, findings, now)


def _measure(dataset_id: uuid.UUID, touched: Sequence[int], up_to: int) -> Iterable[Measured]:
    reference = find_reference(dataset_id=dataset_id, limit=REFERENCES)
    usual = read_last_answers(dataset_id=dataset_id, rater_ids=reference, limit=LAST_ANSWERS)
    for start in range(0, len(touched), AT_ONCE):
        some = touched[start : start + AT_ONCE]
        own = read_last_answers(dataset_id=dataset_id, rater_ids=sorted(set(some) - set(reference)), limit=LAST_ANSWERS)
        answers = _as_answers(np.concatenate([usual, own]))
        groups = Groups.of(answers.rater)
        yield from (measure(answers, groups) for measure in BY_ANSWERS)
        changes = read_changes(dataset_id=dataset_id, rater_ids=some)
        yield measure_change(changes[:, 0].astype(np.int64), changes[:, 1], changes[:, 2].astype(np.int64))
    if touched:
        recent = read_recent(dataset_id=dataset_id, up_to=up_to, limit=RECENT_ANSWERS)
        yield measure_address(recent.rater[recent.is_new], recent.address[recent.is_new])
        yield measure_lockstep(recent.rater, recent.answered_ms)


def _as_answers(table: Columns) -> Answers:
    rater, aesthetic, artifacts, answer_ms, elapsed_ms, kind, others_aesthetic, others_artifacts = table.T
    return Answers(
        rater=rater.astype(np.int64),
        aesthetic=aesthetic,
        artifacts=artifacts,
        answer_ms=answer_ms,
        elapsed_ms=elapsed_ms,
        input=kind.astype(np.int64),
        others_aesthetic=others_aesthetic,
        others_artifacts=others_artifacts,
    )


def _worth_keeping(measured: Measured, among: set[int], known: set[tuple[int, str]]) -> Iterable[Finding]:
    """Yield what stands out, and what stood out before, of the raters who are looked at."""
    for at, (rater_id, evidence) in enumerate(
        zip(measured.rater.tolist(), measured.log_evidence.tolist(), strict=True)
    ):
        if rater_id in among and (evidence >= NOTEWORTHY or (rater_id, measured.kind) in known):
            known.add((rater_id, measured.kind))
            sentence = measured.tell(at)[:SENTENCE_LENGTH]
            yield Finding(
                rater_id, measured.kind, float(measured.value[at]), evidence, int(measured.count[at]), sentence
            )


def _write(dataset_id: uuid.UUID, findings: Sequence[Finding], now: datetime) -> int:
    # A rater who tells what is usual is measured with every part: the last one holds.
    once = {(finding.rater_id, finding.kind): finding for finding in findings}
    kept = list(once.values())
    params: dict[str, Any] = {
        "dataset": dataset_id,
        "now": now,
        "striking": STRIKING,
        "rater": [finding.rater_id for finding in kept],
        "kind": [finding.kind for finding in kept],
        "value": [finding.value for finding in kept],
        "evidence": [finding.log_evidence for finding in kept],
        "count": [finding.answer_count for finding in kept],
        "sentence": [finding.sentence for finding in kept],
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, params)
        return int(cursor.rowcount)
