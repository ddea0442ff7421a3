"""From what is known of a rater to their weight and their reliability."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.evidence import LEAST_FOR_CORRELATION, ROUNDING, Habits, Posterior
from ratings.stats.levels import Floats, Levels
from ratings.stats.parameters import Parameters
from ratings.stats.results import RaterResults

LEAST_WEIGHT, MOST_WEIGHT = 0.4, 1.2
LEAST_Z, MOST_CORRELATION, LEAST_AGREEMENT = 0.03, 0.95, 0.2
# Ratings that "no bias" counts as, and the weight of others that a difference needs.
BIAS_PSEUDO, LEAST_OTHERS = 2.0, 0.2
# Ratings that the common spread counts as, in the scale of a rater.
STRETCH_PSEUDO = 8.0


@dataclass(frozen=True, slots=True)
class Trait:
    """Fisher's z of each rater, shrunk to the population, and its standard deviation."""

    z: Floats
    sd: Floats


def shrink_z(habits: Habits, parameters: Parameters) -> Trait:
    """Return the posterior of each rater's agreement with the others."""
    prior = 1.0 / parameters.honest_z_sd**2
    own = np.where(habits.count >= LEAST_FOR_CORRELATION, 1.0 / habits.variance, 0.0)
    precision = prior + own
    return Trait((parameters.honest_z * prior + habits.z * own) / precision, 1.0 / np.sqrt(precision))


def true_correlation(z: Floats, parameters: Parameters) -> Floats:
    """Return the correlation with the true scores: the others' score is itself only so reliable."""
    attenuation = np.sqrt(max(parameters.agreement, LEAST_AGREEMENT))
    return np.asarray(np.minimum(np.tanh(np.maximum(z, LEAST_Z)) / attenuation, MOST_CORRELATION))


def information_weight(trait: Trait, parameters: Parameters) -> Floats:
    """Return each rater's Fisher information over that of the average honest one, between .4 and 1.2.

    The cap takes the gain out of looking better than people do, as copiers try to.
    """
    squared = true_correlation(trait.z, parameters) ** 2
    average = float(true_correlation(np.array([parameters.honest_z]), parameters)[0]) ** 2
    ratio = squared / (1.0 - squared) / (average / (1.0 - average))
    return np.clip(ratio, LEAST_WEIGHT, MOST_WEIGHT)


def bias_parts(others: Floats, weight: Floats, value: Floats, parameters: Parameters) -> tuple[Floats, Floats]:
    """Return, for ratings, what each tells of its rater's bias: how much it weighs, and that times the difference.

    The difference is to what the others say before it is shrunk to the mean. Shrunk, the images of somebody who
    chooses good ones would look worse than they are, and the rater lenient (measured: +.04 rank correlation where
    people choose what they rate). A difference to few others is noisy, and weighs less.
    """
    kappa = parameters.kappa
    mean = (others * (weight + kappa) - kappa * parameters.mean) / np.maximum(weight, LEAST_OTHERS)
    share = np.where(weight > LEAST_OTHERS, weight / (weight + 1.0), 0.0)
    return share, np.asarray(share * (value - mean))


def stretch_factor(count: Floats, spread: Floats, total: float) -> Floats:
    """Return by what a rater's distance from the mean is multiplied, so that all use the scale alike."""
    freedom = np.maximum(count - 1.0, 0.0)
    variance = (freedom * spread**2 + STRETCH_PSEUDO * total) / (freedom + STRETCH_PSEUDO)
    return np.clip(np.sqrt(total / variance), 0.5, 2.0)


def spread_of(count: Floats, total: Floats, squares: Floats) -> Floats:
    """Return the standard deviation of each rater's ratings from their sums, rounding included."""
    deviations = np.maximum(squares - total * total / np.maximum(count, 1.0), 0.0)
    return np.asarray(np.sqrt(deviations / np.maximum(count - 1.0, 1.0) + ROUNDING))


def correlate(count: Floats, x: Floats, y: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    """Return Fisher's z of the correlation from six sums, with the variance of rounding in y."""
    n = np.maximum(count, 1.0)
    variance_x = np.maximum(xx / n - (x / n) ** 2, 1e-6)
    variance_y = np.maximum(yy / n - (y / n) ** 2, 0.0) + ROUNDING
    covariance = xy / n - x * y / n**2
    return np.asarray(np.arctanh(np.clip(covariance / np.sqrt(variance_x * variance_y), -0.99, 0.99)))


def describe_raters(
    habits: Habits, posterior: Posterior, parameters: Parameters, levels: Levels, *, bias: Floats, stretch: Floats
) -> RaterResults:
    """Return what is told of each rater, in units of the scale."""
    trait = shrink_z(habits, parameters)
    correlation = true_correlation(trait.z, parameters)
    low, high = (true_correlation(trait.z + sign * 1.96 * trait.sd, parameters) for sign in (-1, 1))
    p_honest = posterior.p_honest
    return RaterResults(
        count=habits.count.astype(np.int64),
        bias=bias * levels.unit,
        stretch=1.0 / stretch,
        noise=habits.spread * np.sqrt(1.0 - correlation**2) * levels.unit,
        correlation=np.where(habits.information >= LEAST_FOR_CORRELATION, np.tanh(habits.z), 0.0),
        correlation_error=np.sqrt(habits.variance),
        reliability=p_honest * correlation**2,
        reliability_low=p_honest * low**2,
        reliability_high=p_honest * high**2,
        p_honest=p_honest,
        log_odds=posterior.log_odds,
        suspicion=posterior.suspicion.T,
        weight=p_honest * information_weight(trait, parameters),
    )
