"""Raters who looked at first and do not any more: sleepers, drifters, accounts that were sold."""

import numpy as np

from ratings.stats.bets import LEAST_OWN, MOST_OWN, OWN_PSEUDO, log_ratio, running_change
from ratings.stats.evidence import ROUNDING, Habits, weigh_blind
from ratings.stats.facts import Facts, first_of_group
from ratings.stats.levels import Floats, Ints
from ratings.stats.parameters import Parameters
from ratings.stats.special import normal_quantile
from ratings.stats.weighing import shrink_z

# Ratings from which a rater says how far the evidence is to be believed, and raters that its promise counts as.
LEAST_TO_SCALE, SCALE_PSEUDO = 15, 3.0
# Weight of others on an image that says something.
LEAST_WEIGHT = 0.3


def even(others: Floats, weight: Floats, parameters: Parameters) -> Floats:
    """Return leave-one-out scores over their standard deviation: those of few ratings are shrunk to the mean."""
    share = np.maximum(weight, 0.0) / (np.maximum(weight, 0.0) + parameters.kappa)
    return np.asarray((others - parameters.mean) / np.sqrt(np.maximum(share, 1e-3)))


def find_changes(
    habits: Habits, parameters: Parameters, facts: Facts, others: Floats, others_weight: Floats
) -> tuple[Floats, float]:
    """Return ln(looked until some time and not since : looks as ever) of each rater, and the scale of such evidence.

    It is the mean over all times, times the scale. People rate in runs of one kind of thing, in which they differ
    from others in a way of their own, and the evidence then knows less than it claims. How much less is told by the
    same with time running backwards: nobody begins blind and looks later, so what speaks for that is chance.
    """
    x = normal_scores(others, others_weight, parameters)[facts.by_rater]
    rater = facts.rater[facts.by_rater]
    own = np.clip(np.tanh(shrink_z(habits, parameters).z), LEAST_OWN, MOST_OWN)[rater]
    step = np.where(np.isnan(x), 0.0, -log_ratio(x, own_scores(facts)[facts.by_rater], own))
    is_telling = (facts.count >= LEAST_TO_SCALE) & (weigh_blind(habits, parameters) > 0)
    scale = fit_scale(_at_the_end(step[::-1], rater[::-1], facts)[is_telling])
    return scale * _at_the_end(step, rater, facts), scale


def normal_scores(others: Floats, weight: Floats, parameters: Parameters) -> Floats:
    """Return what the others say of the image of each rating as a normal score; NaN where they say hardly anything."""
    result = np.full(len(others), np.nan)
    told = np.flatnonzero(weight > LEAST_WEIGHT)
    order = told[np.argsort(even(others[told], weight[told], parameters), kind="stable")]
    result[order] = normal_quantile((np.arange(len(order)) + 0.5) / max(len(order), 1))
    return result


def _at_the_end(step: Floats, rater: Ints, facts: Facts) -> Floats:
    change = running_change(step, first_of_group(rater), np.full(len(step), -np.inf))
    result = np.zeros(facts.rater_count)
    last = np.flatnonzero(np.r_[rater[1:] != rater[:-1], True])
    result[rater[last]] = change[last] - np.log(facts.count[rater[last]])
    return result


def fit_scale(evidence: Floats) -> float:
    """Return by what evidence, of raters for whom it is false, is multiplied so that it keeps its promise.

    The chance of more than t nats of false evidence is exp(-t) at most, so that what exceeds one nat is one on average.
    """
    excess = evidence[evidence > 1.0] - 1.0
    return min(1.0, (len(excess) + SCALE_PSEUDO) / (float(excess.sum()) + SCALE_PSEUDO))


def own_scores(facts: Facts) -> Floats:
    """Return answers in standard deviations of their rater's, from their mean; both a little drawn to those of all."""
    mean, variance = float(facts.value.mean()), float(facts.value.var())
    count = facts.count + OWN_PSEUDO
    own = (facts.total + OWN_PSEUDO * mean) / count
    squares = (facts.squares + OWN_PSEUDO * (variance + mean**2)) / count
    spread = np.sqrt(np.maximum(squares - own**2, 0.0) + ROUNDING)
    return np.asarray((facts.value - own[facts.rater]) / spread[facts.rater])
