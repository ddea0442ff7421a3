"""A file of ratings through the engine as if they came in one after another: the incremental code, not a shortcut.

The ratings come in batches; the engine is fitted from scratch at the first 500 and whenever they have doubled, as it is
nightly in the service, and at the end, and that last fit is what is told. When a rater was found out is what the
online tests said at the time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ratings.stats.bets import EValues
from ratings.stats.camps import find_camp
from ratings.stats.chain import Chained, check_seeds, compare, solve_chain, with_silent
from ratings.stats.consensus import Draft, describe, solve
from ratings.stats.facts import Facts, find_facts
from ratings.stats.levels import Flags, Floats, Ints, Levels
from ratings.stats.nightly import calibrate
from ratings.stats.online import update
from ratings.stats.parameters import START_RATINGS, Policy
from ratings.stats.ranks import rank_correlation
from ratings.stats.results import Fit, ImageResults, RaterResults
from ratings.stats.rows import Ratings
from ratings.stats.special import sigmoid
from ratings.stats.standing import Standing, Verdicts, excuse_camp, judge, pool_e_values, pool_odds
from ratings.stats.state import Batch, State

BATCH = 1000
CROSSINGS = {
    Standing.CALIBRATED: "calibrated_at",
    Standing.TRUSTED: "trusted_at",
    Standing.WATCHED: "watched_at",
    Standing.QUARANTINED: "quarantined_at",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the file: its scale and an answer for each row, NaN where there is none."""

    levels: Levels
    answers: Floats


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out. `decided_at` is after how many ratings a rater's standing was decided, 0 where nothing was."""

    images: ImageResults
    raters: RaterResults
    verdicts: Verdicts
    decided_at: Ints
    online_correlation: float
    """Rank correlation of the scores online, before the last fit, with those of the last fit."""
    chained: Chained | None


@dataclass(frozen=True, slots=True)
class _Last:
    """The last fit of a question: with the trust chain under alarm."""

    facts: Facts
    draft: Draft
    fit: Fit
    chained: Chained | None
    in_camp: Flags


@dataclass(slots=True)
class _Run:
    """A question on its way through the engine."""

    question: Question
    state: State
    next_fit: int = START_RATINGS


def replay(
    image: Ints,
    rater: Ints,
    questions: list[Question],
    *,
    batch_size: int = BATCH,
    seeds: Flags | None = None,
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> Replayed:
    """Replay rows in their order; of several questions the first is the one whose scores are told.

    Raises NotARating for an answer that is not on the scale, and RatingsInvalid when none of the seeds has rated.
    """
    image_count, rater_count = int(image.max(initial=-1)) + 1, int(rater.max(initial=-1)) + 1
    runs = [_Run(question, State.empty(question.levels)) for question in questions]
    for start in range(0, len(image), batch_size):
        rows = np.arange(start, min(start + batch_size, len(image)))
        for run in runs:
            _take(run, image, rater, rows)
        on_progress(int(rows[-1]) + 1)
    online = _online_scores(runs[0], image_count)
    lasts = [_fit_last(run.question, image, rater, (image_count, rater_count), seeds) for run in runs]
    return _conclude(runs, lasts, online)


def _take(run: _Run, image: Ints, rater: Ints, rows: Ints) -> None:
    rows = rows[~np.isnan(run.question.answers[rows])]
    update(run.state, Batch(image[rows], rater[rows], run.question.answers[rows]))
    if run.state.rows.size >= run.next_fit:
        calibrate(run.state)
        run.next_fit = 2 * run.state.rows.size


def _online_scores(run: _Run, image_count: int) -> Floats:
    scores = np.full(image_count, np.nan)
    scores[run.state.images.ids[: run.state.images.size]] = run.state.image_results().score
    return scores


def _columns(question: Question, image: Ints, rater: Ints, sizes: tuple[int, int]) -> Ratings:
    rows = np.flatnonzero(~np.isnan(question.answers))
    return Ratings(image[rows], rater[rows], question.answers[rows], *sizes)


def _fit_last(question: Question, image: Ints, rater: Ints, sizes: tuple[int, int], seeds: Flags | None) -> _Last:
    facts = find_facts(_columns(question, image, rater, sizes), question.levels)
    plain = solve(facts, question.levels)
    fit = describe(plain, facts, question.levels)
    if seeds is None:
        return _Last(facts, plain, fit, None, find_camp(plain, facts, question.levels))
    check_seeds(facts, seeds)
    chain = solve_chain(plain, facts, question.levels, seeds=seeds)
    chained = compare(fit, describe(chain, facts, question.levels), facts)
    in_camp = np.zeros_like(seeds) if chained.is_ring else find_camp(plain, facts, question.levels)
    return _Last(facts, chain if chained.is_ring else plain, chained.best, chained, in_camp)


def _conclude(runs: list[_Run], lasts: list[_Last], online: Floats) -> Replayed:
    raters = _pool_results([last.fit.raters for last in lasts])
    e_values, crossings = _pool_e_values(runs, len(raters.count))
    in_camp = np.any([last.in_camp for last in lasts], axis=0)
    verdicts = excuse_camp(_judge(raters, e_values, crossings), in_camp)
    decided = np.zeros(len(verdicts.standing), dtype=np.int64)
    for level, name in CROSSINGS.items():
        chosen = verdicts.standing == level
        decided[chosen] = np.where(crossings[name][chosen] > 0, crossings[name][chosen], raters.count[chosen])
    first, levels = lasts[0], runs[0].question.levels
    is_out = verdicts.standing == Standing.QUARANTINED
    images = describe(with_silent(first.draft, is_out), first.facts, levels).images
    counted = np.bincount(first.facts.image[~is_out[first.facts.rater]], minlength=len(images.count))
    is_rated = (images.count > 0) & ~np.isnan(online)
    correlation = rank_correlation(online[is_rated], first.fit.images.score[is_rated])
    return Replayed(replace(images, counted=counted), raters, verdicts, decided, correlation, first.chained)


def _judge(raters: RaterResults, e_values: EValues, crossings: dict[str, Floats]) -> Verdicts:
    """Return where raters stand in the end; who was held on the way stays so unless the last fit knows better."""
    verdicts = judge(raters, e_values, Policy(), is_nightly=True)
    was_held = (crossings["quarantined_at"] > 0) & (raters.p_honest < 0.5)
    return Verdicts(
        np.where(was_held, int(Standing.QUARANTINED), verdicts.standing),
        np.where(was_held, raters.suspicion.argmax(axis=1), verdicts.kind),
    )


def _pool_results(results: list[RaterResults]) -> RaterResults:
    """Return the results of the first question with p_honest of all: a person looks, or does not."""
    first = results[0]
    if len(results) == 1:
        return first
    count = np.stack([result.count for result in results]).astype(np.float64)
    log_odds = pool_odds(np.stack([result.log_odds for result in results]), count)
    p_honest = sigmoid(-log_odds)
    share = p_honest / np.maximum(first.p_honest, 1e-300)
    worst = np.stack([result.log_odds for result in results]).argmax(axis=0)
    suspicion = np.stack([result.suspicion for result in results])[worst, np.arange(len(worst))]
    return replace(
        first,
        count=count.max(axis=0).astype(np.int64),
        p_honest=p_honest,
        log_odds=log_odds,
        suspicion=suspicion,
        reliability=np.minimum(first.reliability * share, 1.0),
        reliability_low=np.minimum(first.reliability_low * share, 1.0),
        reliability_high=np.minimum(first.reliability_high * share, 1.0),
    )


def _pool_e_values(runs: list[_Run], rater_count: int) -> tuple[EValues, dict[str, Floats]]:
    """Return e-values over all questions, and when each threshold was first reached in any of them."""
    trust, ban, change = (np.zeros((len(runs), rater_count)) for _ in range(3))
    crossings = {name: np.full((len(runs), rater_count), np.inf) for name in CROSSINGS.values()}
    for row, run in enumerate(runs):
        table, size = run.state.raters, run.state.raters.size
        who, values = table.ids[:size], run.state.e_values()
        trust[row, who], ban[row, who], change[row, who] = values.trust, values.ban, values.change
        for name, column in crossings.items():
            reached = getattr(table, name)[:size]
            column[row, who] = np.where(reached > 0, reached, np.inf)
    pooled = EValues(pool_e_values(trust), pool_e_values(ban), change.max(axis=0))
    earliest = {name: column.min(axis=0) for name, column in crossings.items()}
    return pooled, {name: np.where(np.isfinite(column), column, 0.0) for name, column in earliest.items()}
