"""The fit from scratch over a state, which is authoritative, and how a state is brought back from storage."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratings.stats.arrivals import add_to_images, add_to_raters, as_ids, leave_one_out, take_in
from ratings.stats.consensus import describe, solve
from ratings.stats.facts import find_facts
from ratings.stats.levels import Ints, Levels
from ratings.stats.parameters import Parameters, Policy
from ratings.stats.ranks import rank_correlation
from ratings.stats.results import Fit
from ratings.stats.rows import Ratings, RatingsInvalid
from ratings.stats.sequential import LEAST_RATINGS
from ratings.stats.state import RATER_COLUMNS, Batch, State

# How well scores online and from scratch agree, by the share of ratings that do not count.
LEAST_AGREEMENT, LEAST_AGREEMENT_UNDER_ATTACK = 0.99, 0.96
ATTACK = 0.25
# Fewer images agree or not by chance.
LEAST_IMAGES = 100


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the scores online were from those from scratch."""

    correlation: float
    least: float
    """Below this an alarm is due."""

    @property
    def is_alarming(self) -> bool:
        return self.correlation < self.least


def calibrate(state: State) -> tuple[Fit, Drift]:
    """Fit from scratch, take over parameters, biases and weights, and say how far off the online scores were.

    The online tests and what they have seen stay as they are.
    """
    rows = np.flatnonzero(state.rows.is_live[: state.rows.size])
    facts = find_facts(
        Ratings(
            image=state.rows.image[rows],
            rater=state.rows.rater[rows],
            value=state.levels.from_steps(state.rows.value[rows]),
            image_count=state.images.size,
            rater_count=state.raters.size,
        ),
        state.levels,
        control_evidence=state.raters.control_evidence[: state.raters.size],
    )
    before, was_fitted = state.image_results().score, state.parameters.is_fitted
    size = state.raters.size
    draft = solve(facts, state.levels, silent=state.raters.is_silent[:size])
    state.parameters = draft.parameters
    table = state.raters
    table.bias[:size], table.stretch[:size], table.weight[:size] = draft.bias, draft.stretch, draft.weight
    table.p_honest[:size], table.log_odds[:size] = draft.posterior.p_honest, draft.posterior.log_odds
    rebuild(state)
    result = describe(draft, facts, state.levels)
    spam = 1.0 - float(np.average(draft.p_honest, weights=np.maximum(facts.count, 1e-9))) if size else 0.0
    least = LEAST_AGREEMENT_UNDER_ATTACK if spam > ATTACK else LEAST_AGREEMENT
    # Before the first fit the updates had nothing to go by but guesses.
    has_enough = was_fitted and state.images.size >= LEAST_IMAGES
    return result, Drift(rank_correlation(before, result.images.score) if has_enough else 1.0, least)


def rebuild(state: State) -> None:
    """Reckon all weighted sums and leave-one-out scores anew from the rows."""
    rows = np.flatnonzero(state.rows.is_live[: state.rows.size])
    images, raters = state.images, state.raters
    for column in (
        images.total,
        images.weight,
        images.squares,
        raters.x,
        raters.xx,
        raters.xy,
        raters.share,
        raters.difference,
    ):
        column[:] = 0.0
    add_to_images(state, rows, 1.0)
    kappa, mean = state.parameters.kappa, state.parameters.mean
    images.seen_score[:] = (images.total + kappa * mean) / (images.weight + kappa)
    images.seen_weight[:] = images.weight
    leave_one_out(state, rows)
    add_to_raters(state, rows, 1.0)


def restore(
    levels: Levels,
    *,
    parameters: Parameters,
    policy: Policy,
    rater_ids: Ints,
    rater_columns: dict[str, npt.NDArray[np.generic]],
    batch: Batch,
) -> State:
    """Bring a state back from the columns that were stored of raters and all their counted ratings in id order.

    Raises RatingsInvalid when a column is missing or has another length than the ids.
    """
    ids = as_ids(rater_ids)
    for name, width in RATER_COLUMNS.items():
        shape = (len(ids), width) if width > 1 else (len(ids),)
        if name not in rater_columns or np.shape(rater_columns[name]) != shape:
            raise RatingsInvalid(f"The stored column {name} of raters is missing or is not {shape}.")
    state = State.empty(levels, parameters=parameters, policy=policy)
    places = state.place_raters(ids)
    for name in RATER_COLUMNS:
        getattr(state.raters, name)[places] = rater_columns[name]
    take_in(state, batch)
    rebuild(state)
    _refresh(state)
    return state


def _refresh(state: State) -> None:
    everybody, used = np.arange(state.raters.size), state.rows.size
    if len(everybody):
        posterior = state.posterior(state.habits(everybody))
        state.raters.p_honest[everybody] = posterior.p_honest
        state.raters.log_odds[everybody] = posterior.log_odds
    state.rows.is_judged[:used] = state.images.count[state.rows.image[:used]] >= LEAST_RATINGS
