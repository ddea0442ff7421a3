"""The engine while ratings come in: micro-batches, each a few array operations whatever it holds.

An image is reckoned anew only when its score or its weight has moved enough since the last time, so that images with
thousands of ratings cost no more than thin ones; a rater's bias, stretch and weight go into the sums of images only
when they have moved enough.
"""

import numpy as np

from ratings.stats.arrivals import add_to_images, add_to_raters, count_rows, find_rows, leave_one_out, rows_of, take_in
from ratings.stats.levels import Floats, Ints, distinct
from ratings.stats.sequential import judge_online, note_controls
from ratings.stats.standing import is_held
from ratings.stats.state import Batch, Changes, State
from ratings.stats.weighing import BIAS_PSEUDO, information_weight, shrink_z, stretch_factor

# How far a rater's weight, bias (in standard deviations of ratings) and stretch may be from what is in the sums.
WEIGHT_SLACK, BIAS_SLACK, STRETCH_SLACK = 0.1, 0.15, 0.1
# How far the score of an image (in standard deviations of scores) and its weight (as a ratio) may move unseen.
SCORE_SLACK, GROWTH_SLACK = 0.02, 1.05


def update(state: State, batch: Batch) -> Changes:
    """Take in new ratings and return what changed by them.

    1. Check everything; a value off the scale raises NotARating and nothing is changed. 2. Ratings that are known
    already are revisions, or nothing. 3. Sums of images. 4. Leave-one-out scores where images moved. 5. Online tests.
    6. Honesty and weight of the raters concerned. 7. Their weights into the sums of images, where they moved.
    """
    arrivals = take_in(state, batch)
    note_controls(state, arrivals.controls)
    if not len(arrivals.rows) and not len(arrivals.revised):
        return Changes(np.empty(0, dtype=np.int64), np.unique(arrivals.controls.rater))
    touched = distinct(state.rows.image[np.r_[arrivals.rows, arrivals.revised]], state.images.size)
    raters = rescore(state, touched, arrivals.rows)
    judge_online(state, arrivals.rows)
    concerned = np.r_[raters, state.rows.rater[arrivals.revised], arrivals.controls.rater]
    raters = distinct(concerned, state.raters.size)
    images = settle_raters(state, raters)
    return Changes(np.union1d(touched, images), raters)


def rescore(state: State, images: Ints, new_rows: Ints) -> Ints:
    """Reckon leave-one-out scores of new rows, and those of images that moved anew. Return the raters concerned."""
    table, rows = state.images, state.rows
    parameters = state.parameters
    score = (table.total[images] + parameters.kappa * parameters.mean) / (table.weight[images] + parameters.kappa)
    has_moved = np.abs(score - table.seen_score[images]) > SCORE_SLACK * np.sqrt(parameters.between)
    ratio = (table.weight[images] + parameters.kappa) / (table.seen_weight[images] + parameters.kappa)
    has_moved |= (ratio > GROWTH_SLACK) | (ratio < 1 / GROWTH_SLACK)
    moved = images[has_moved]
    table.seen_score[moved], table.seen_weight[moved] = score[has_moved], table.weight[moved]
    chosen = rows_of(state, moved, rows.image, table.size)
    is_new = np.zeros(rows.size, dtype=np.bool_)
    is_new[new_rows] = True
    chosen = chosen[~is_new[chosen]]
    add_to_raters(state, chosen, -1.0)
    chosen = np.r_[chosen, new_rows]
    leave_one_out(state, chosen)
    add_to_raters(state, chosen, 1.0)
    return distinct(rows.rater[chosen], state.raters.size)


def settle_raters(state: State, raters: Ints) -> Ints:
    """Reckon honesty and weights of raters anew, and put into the images what has moved. Return those images."""
    bias, stretch, weight = propose(state, raters)
    table = state.raters
    has_moved = np.abs(weight - table.weight[raters]) > WEIGHT_SLACK
    has_moved |= np.abs(bias - table.bias[raters]) > BIAS_SLACK * np.sqrt(state.parameters.total)
    has_moved |= np.abs(stretch - table.stretch[raters]) > STRETCH_SLACK
    moved = raters[has_moved]
    rows = rows_of(state, moved, state.rows.rater, table.size)
    add_to_images(state, rows, -1.0)
    table.bias[moved], table.stretch[moved], table.weight[moved] = (
        bias[has_moved],
        stretch[has_moved],
        weight[has_moved],
    )
    add_to_images(state, rows, 1.0)
    images = distinct(state.rows.image[rows], state.images.size)
    propose(state, rescore(state, images, np.empty(0, dtype=np.int64)))
    return images


def propose(state: State, raters: Ints) -> tuple[Floats, Floats, Floats]:
    """Reckon p_honest of raters anew, and return the bias, stretch and weight that they should have."""
    table, parameters = state.raters, state.parameters
    habits = state.habits(raters)
    posterior = state.posterior(habits)
    table.p_honest[raters], table.log_odds[raters] = posterior.p_honest, posterior.log_odds
    ban, count, held_at = state.e_values(raters).ban, table.count[raters], table.quarantined_at[raters]
    is_out = is_held(count, posterior.p_honest, posterior.suspicion.T, ban, state.policy)
    # Who crossed the threshold of the e-value alone and is probably honest is not held.
    is_taken_back = (held_at > 0) & (posterior.p_honest >= 0.5)
    table.quarantined_at[raters] = np.where(is_taken_back, 0.0, np.where(is_out & (held_at == 0), count, held_at))
    weight = posterior.p_honest * information_weight(shrink_z(habits, parameters), parameters)
    bias = table.difference[raters] / (table.share[raters] + BIAS_PSEUDO)
    return bias, stretch_factor(habits.count, habits.spread, parameters.total), weight


def silence(state: State, raters: Ints, *, is_silent: bool = True) -> Changes:
    """Take raters (by id) out of all scores, or let them in again; their ratings stay. Unknown raters are ignored."""
    places = state.rater_index.find(np.asarray(raters, dtype=np.int64))
    places = places[places >= 0]
    places = np.unique(places[state.raters.is_silent[places] != is_silent])
    rows = rows_of(state, places, state.rows.rater, state.raters.size)
    add_to_images(state, rows, -1.0)
    state.raters.is_silent[places] = is_silent
    add_to_images(state, rows, 1.0)
    return _spread(state, np.unique(state.rows.image[rows]), places)


def withdraw(state: State, image: Ints, rater: Ints) -> Changes:
    """Take single ratings out for good, as when they are voided. Unknown ones are ignored."""
    rows = find_rows(state, state.image_index.find(image), state.rater_index.find(rater))
    rows = np.unique(rows[rows >= 0])
    add_to_images(state, rows, -1.0)
    count_rows(state, rows, -1.0)
    add_to_raters(state, rows, -1.0)
    state.rows.is_live[rows] = False
    return _spread(state, np.unique(state.rows.image[rows]), np.unique(state.rows.rater[rows]))


def _spread(state: State, images: Ints, raters: Ints) -> Changes:
    concerned = np.union1d(raters, rescore(state, images, np.empty(0, dtype=np.int64)))
    return Changes(np.union1d(images, settle_raters(state, concerned)), concerned)
