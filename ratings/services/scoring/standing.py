"""Raters go from state to state as the evidence about them grows; every step stays on record with its reason.

A person is judged as one: over tasks, datasets and linked identities the mean of the e-values counts, which is an
e-value whatever they have to do with each other. Quarantine is not decided here but found due, because it moves
ratings; `carry_out_quarantines` does it, with the engine as the one who decided.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ratings.models import OUT_OF_COUNT, RaterState
from ratings.queries.evidence import Evidence, find_suspects, read_evidence
from ratings.stats.parameters import Policy

AS_LIKELY_AS_NOT = 0.5

PERSONS_OF_SCORES = """
    WITH touched AS (
        SELECT DISTINCT t.id, i.user_id
        FROM ratings_raterscore s JOIN ratings_rater t ON t.id = s.rater_id
            JOIN accounts_identity i ON i.id = t.identity_id
        WHERE s.id = ANY(%s) AND NOT t.is_shared
    )
    SELECT id FROM touched
    UNION
    SELECT o.id FROM touched t JOIN accounts_identity i ON i.user_id = t.user_id
        JOIN ratings_rater o ON o.identity_id = i.id AND NOT o.is_shared
"""
LOCK = "SELECT id FROM ratings_rater WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
# Whoever changed the state meanwhile knew something else: then nothing is done.
MOVE = """
    WITH step AS (
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[])
            s (rater_id, from_state, to_state, reason, evidence)
    ), moved AS (
        UPDATE ratings_rater t SET state = s.to_state FROM step s WHERE t.id = s.rater_id AND t.state = s.from_state
        RETURNING t.id
    )
    INSERT INTO ratings_ratertransition (rater_id, from_state, to_state, reason, evidence, taken_at)
    SELECT s.rater_id, s.from_state, s.to_state, s.reason, s.evidence, %s FROM step s JOIN moved m ON m.id = s.rater_id
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a rater is to go, and why."""

    to_state: RaterState
    reason: str


def next_step(evidence: Evidence, policy: Policy, *, is_nightly: bool = False) -> Step | None:
    """Return where the evidence leads, or None where the rater stays. Out of quarantine nobody comes by this.

    ``is_nightly`` says that it comes from a fit from scratch, and is looked at once a night.
    """
    if evidence.state in OUT_OF_COUNT:
        return None
    step = _against(evidence, policy, is_nightly=is_nightly) or _for(evidence, policy)
    return step if step is not None and step.to_state != evidence.state else None


def _against(evidence: Evidence, policy: Policy, *, is_nightly: bool) -> Step | None:
    if evidence.has_own_taste:
        return None
    ban_e = evidence.ban_e_since
    so_far = f"e-value against {ban_e:,.0f}, over {evidence.rating_count} ratings; {evidence.reason or 'as a whole'}"
    if ban_e >= policy.quarantined_at and evidence.p_honest < AS_LIKELY_AS_NOT:
        return Step(RaterState.QUARANTINED, f"The answers do not come from looking at the images: {so_far}.")
    if evidence.cleared_ban_e is None and is_improbable(evidence, policy, is_nightly=is_nightly):
        return Step(
            RaterState.QUARANTINED, f"Looks at the images with a probability of {evidence.p_honest:.3f}: {so_far}."
        )
    if ban_e >= policy.watched_at:
        return Step(RaterState.WATCHED, f"Evidence against has grown: {so_far}.")
    if evidence.state == RaterState.WATCHED and ban_e >= policy.gold_at:
        return Step(RaterState.WATCHED, f"Evidence against has not gone yet: {so_far}.")
    return None


def is_improbable(evidence: Evidence, policy: Policy, *, is_nightly: bool = False) -> bool:
    """Return whether somebody is held before the e-value has decided alone; the rules are those of `stats.judge`.

    The probability is looked at after every batch and strays early on, so the e-value has to speak as well. Copiers
    vary with the images, so it knows nothing of them. After a fit from scratch, once a night, the probability decides
    alone: over more than a few ratings, and not by a change that the evidence over all moments does not see.
    """
    count, p_honest, ban_e = evidence.rating_count, evidence.p_honest, evidence.ban_e_since
    is_all_but_sure = p_honest < policy.least_honest_alone
    only_seems_changed = evidence.kind == "changed" and evidence.change <= policy.changed_at
    if is_nightly and count >= policy.least_ratings and is_all_but_sure and not only_seems_changed:
        return True
    if evidence.kind == "copier" and count >= policy.first_ratings and is_all_but_sure:
        return True
    is_early = count >= policy.first_ratings and p_honest < policy.least_honest and ban_e >= policy.watched_at
    is_late = count >= policy.least_ratings and p_honest < policy.least_honest_alone and ban_e >= policy.gold_at
    return is_early or is_late


def _for(evidence: Evidence, policy: Policy) -> Step | None:
    if evidence.is_validated:
        return Step(RaterState.TRUSTED, "A moderator vouches for them.")
    if evidence.rating_count < policy.first_ratings:
        return None
    if evidence.change > policy.changed_at and not evidence.has_own_taste:
        # What they were paid for they have done; what comes now waits until it looks as it did.
        return Step(RaterState.WATCHED, "The answers look different from what they were before.")
    so_far = f"e-value {evidence.trust_e:,.0f} over {evidence.rating_count} ratings"
    if evidence.trust_e >= policy.trusted_at and evidence.ban_e_since < policy.gold_at:
        return Step(RaterState.TRUSTED, f"The answers follow the images: {so_far}.")
    if evidence.state in {RaterState.CALIBRATED, RaterState.TRUSTED}:
        return _lose(evidence, so_far)
    return _calibrate(evidence, policy, so_far)


def _lose(evidence: Evidence, so_far: str) -> Step | None:
    """Return a step back where the bet has lost what it had won: one in 20 of those who never look is ahead once."""
    is_lost = evidence.trust_e < 1 and evidence.p_honest < AS_LIKELY_AS_NOT
    if is_lost and evidence.state == RaterState.CALIBRATED and not evidence.has_own_taste:
        return Step(RaterState.NEW, f"What spoke for them has gone again: {so_far}.")
    return None


def _calibrate(evidence: Evidence, policy: Policy, so_far: str) -> Step | None:
    if evidence.has_own_taste:
        return Step(RaterState.CALIBRATED, "A taste of their own, as an appeal has shown.")
    if evidence.trust_e >= policy.calibrated_at:
        return Step(RaterState.CALIBRATED, f"The answers follow the images: {so_far}.")
    # Many who never look are likely to somewhere on the way: the bet has to agree.
    speaks_for = evidence.p_honest > policy.calibrated_p and evidence.trust_e >= 1
    if speaks_for and evidence.ban_e_since < policy.gold_at and evidence.rating_count >= policy.calibrated_ratings:
        return Step(RaterState.CALIBRATED, f"Nothing speaks against them after {evidence.rating_count} ratings.")
    if evidence.state == RaterState.WATCHED:
        return Step(RaterState.NEW, "The evidence against has gone.")
    return None


def move_raters(*, score_ids: Sequence[int], policy: Policy, now: datetime) -> int:
    """Move the raters of these rows to where the evidence leads, quarantine apart; return how many were looked at."""
    with connection.cursor() as cursor:
        cursor.execute(PERSONS_OF_SCORES, [list(score_ids)])
        rater_ids = [pk for (pk,) in cursor.fetchall()]
    found = [(evidence, next_step(evidence, policy)) for evidence in read_evidence(rater_ids)]
    steps = [(e, step) for e, step in found if step is not None and step.to_state != RaterState.QUARANTINED]
    if steps:
        _write(steps, now)
    return len(steps)


def due_quarantines(*, policy: Policy, is_nightly: bool = False) -> list[tuple[Evidence, Step]]:
    """Return the raters whom the evidence puts into quarantine, and why."""
    suspects = read_evidence(find_suspects())
    found = [(evidence, next_step(evidence, policy, is_nightly=is_nightly)) for evidence in suspects]
    return [(e, step) for e, step in found if step is not None and step.to_state == RaterState.QUARANTINED]


def _write(steps: Sequence[tuple[Evidence, Step]], now: datetime) -> None:
    rater_ids = [evidence.rater_id for evidence, _step in steps]
    columns: list[Any] = [
        rater_ids,
        [evidence.state for evidence, _step in steps],
        [step.to_state.value for _evidence, step in steps],
        [step.reason[:500] for _evidence, step in steps],
        [json.dumps(evidence.as_dict()) for evidence, _step in steps],
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [rater_ids])
        cursor.execute(MOVE, [*columns, now])
