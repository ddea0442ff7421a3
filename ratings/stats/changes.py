"""Raters who looked at first and do not any more: sleepers, drifters, accounts that were sold."""

import numpy as np

from ratings.stats.bets import LEAST_OWN, MOST_OWN, OWN_PSEUDO, log_ratio, running_change
from ratings.stats.evidence import ROUNDING, Habits
from ratings.stats.facts import Facts
from ratings.stats.levels import Floats
from ratings.stats.parameters import Parameters
from ratings.stats.special import normal_quantile
from ratings.stats.weighing import shrink_z


def even(others: Floats, weight: Floats, parameters: Parameters) -> Floats:
    """Return leave-one-out scores over their standard deviation: those of few ratings are shrunk to the mean."""
    share = np.maximum(weight, 0.0) / (np.maximum(weight, 0.0) + parameters.kappa)
    return np.asarray((others - parameters.mean) / np.sqrt(np.maximum(share, 1e-3)))


def find_changes(habits: Habits, parameters: Parameters, facts: Facts, others: Floats, others_weight: Floats) -> Floats:
    """Return ln(looked until some time and not since : looks as ever) of each rater, the mean over all times."""
    scores = even(others, others_weight, parameters)
    place = np.empty(len(scores))
    place[np.argsort(scores, kind="stable")] = np.arange(len(scores))
    x = normal_quantile((place + 0.5) / len(scores))[facts.by_rater]
    rater = facts.rater[facts.by_rater]
    own = np.clip(np.tanh(shrink_z(habits, parameters).z), LEAST_OWN, MOST_OWN)[rater]
    step = -log_ratio(x, own_scores(facts)[facts.by_rater], own)
    change = running_change(step, facts.start, np.full(len(x), -np.inf))
    result = np.zeros(facts.rater_count)
    last = np.flatnonzero(np.r_[rater[1:] != rater[:-1], True])
    result[rater[last]] = change[last] - np.log(facts.count[rater[last]])
    return result


def own_scores(facts: Facts) -> Floats:
    """Return answers in standard deviations of their rater's, from their mean; both a little drawn to those of all."""
    mean, variance = float(facts.value.mean()), float(facts.value.var())
    count = facts.count + OWN_PSEUDO
    own = (facts.total + OWN_PSEUDO * mean) / count
    squares = (facts.squares + OWN_PSEUDO * (variance + mean**2)) / count
    spread = np.sqrt(np.maximum(squares - own**2, 0.0) + ROUNDING)
    return np.asarray((facts.value - own[facts.rater]) / spread[facts.rater])
