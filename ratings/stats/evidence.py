"""Five ways of not looking at the images, and what a rater's ratings say for and against each.

Each function returns ln(likelihood if honest / likelihood if of that kind), one element a rater; positive is good.
"""

from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Floats
from ratings.stats.parameters import Parameters
from ratings.stats.special import log_beta, log_normal, log_sum, sigmoid

# Under this many ratings a correlation says nothing.
LEAST_FOR_CORRELATION = 6
LEAST_FOR_DISTANCE = 5
# Variance that rounding to whole steps adds.
ROUNDING = 1 / 12
# Someone who always answers the same slips this often.
SLIP = 0.02
# Ratings that the common spread counts as, in how near a rater is to what is shown.
SPREAD_PSEUDO = 15.0
# A copier is this much closer to the mean that is shown than an honest rater.
COPIER_NEARNESS = float(np.log(0.4))
# Nothing contradicts honesty more than this many nats: one kind of evidence alone never makes a probability of 0.
FAR_FROM_COPIER = 5.0


@dataclass(frozen=True, slots=True)
class Habits:
    """What the evidence is reckoned from, one element a rater."""

    count: Floats
    information: Floats
    """Ratings that the correlation rests on."""
    z: Floats
    """Fisher's z of the correlation with the leave-one-out scores."""
    spread: Floats
    """Standard deviation of the ratings in steps, rounding included."""
    repeats: Floats
    """Ratings that equal the rater's most frequent one, less one."""
    distance: Floats
    """Root mean square distance to the mean that was visible when rating, in steps."""
    distance_count: Floats
    control_evidence: Floats
    """ln(honest : blind) from control answers."""
    change: Floats
    """ln(looked until some time and not since : looks as ever), the mean over all times (`bets.running_change`)."""

    @property
    def variance(self) -> Floats:
        """Sampling variance of z."""
        return np.asarray(1.0 / np.maximum(self.information - 3.0, 1.0))


def weigh_blind(habits: Habits, parameters: Parameters) -> Floats:
    """Honest raters vary with the images, and those who do not look do not."""
    variance = habits.variance
    honest = log_normal(habits.z, parameters.honest_z, parameters.honest_z_sd**2 + variance)
    blind = log_normal(habits.z, 0.0, variance + 0.0004)
    return np.where(habits.information >= LEAST_FOR_CORRELATION, honest - blind, 0.0) + habits.control_evidence


def weigh_spread(habits: Habits, parameters: Parameters, levels: int) -> Floats:
    """Who draws all levels alike spreads wider than people do."""
    spread, count = np.log(habits.spread), np.maximum(habits.count, 1.0)
    script = uniform_spread(levels)
    honest = log_normal(spread, parameters.spread, parameters.spread_sd**2 + 0.5 / count)
    uniform = log_normal(spread, script, 0.0009 + 0.2 / count)
    return np.where(habits.count >= LEAST_FOR_CORRELATION, honest - uniform, 0.0)


def uniform_spread(levels: int) -> float:
    """Return ln(standard deviation) of answers drawn evenly from all levels, rounding included."""
    return 0.5 * float(np.log((levels**2 - 1) / 12 + ROUNDING))


def weigh_flat(habits: Habits, parameters: Parameters) -> Floats:
    """Who always answers the same has one level far more often than people do."""
    others = np.maximum(habits.count - 1.0, 0.0)
    repeats = np.clip(habits.repeats, 0.0, others)
    hits, misses = np.array([parameters.mode_hits]), np.array([parameters.mode_misses])
    honest = log_beta(repeats + hits, others - repeats + misses) - log_beta(hits, misses)
    flat = repeats * np.log(1 - SLIP) + (others - repeats) * np.log(SLIP)
    return np.asarray(honest - flat)


def weigh_copier(habits: Habits, parameters: Parameters) -> Floats:
    """Who answers what is shown already is closer to it than people with a taste of their own."""
    distance = nearness(habits, parameters)
    variance = 0.5 / np.maximum(habits.distance_count, 1.0)
    honest = log_normal(distance, parameters.distance, parameters.distance_sd**2 + variance)
    copier = log_normal(distance, parameters.distance + COPIER_NEARNESS, 0.04 + variance)
    evidence = np.where(distance < parameters.distance, honest - copier, FAR_FROM_COPIER)
    return np.where(parameters.has_distance & (habits.distance_count >= LEAST_FOR_DISTANCE), evidence, 0.0)


def nearness(habits: Habits, parameters: Parameters) -> Floats:
    """Return ln of the distance to the mean that was visible, in standard deviations of the rater's own answers.

    In steps, those who use little of the scale would be near to everything. The deviation is drawn to that of all.
    """
    own = np.maximum(habits.count - 1.0, 0.0)
    everybody = np.exp(2 * parameters.spread)
    spread = np.sqrt((own * habits.spread**2 + SPREAD_PSEUDO * everybody) / (own + SPREAD_PSEUDO))
    return np.asarray(np.log(np.maximum(habits.distance, 0.05) / spread))


def weigh_all(habits: Habits, parameters: Parameters, levels: int) -> Floats:
    """Return the evidence against each of `KINDS`, a row for each."""
    blind = weigh_blind(habits, parameters)
    return np.stack(
        [
            blind,
            blind + weigh_spread(habits, parameters, levels),
            blind + weigh_flat(habits, parameters),
            weigh_copier(habits, parameters),
            -habits.change,
        ]
    )


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the evidence comes to: `log_odds` is ln(not honest : honest), `suspicion` has a row for each kind."""

    log_odds: Floats
    p_honest: Floats
    suspicion: Floats


def conclude(evidence: Floats, shares: Floats) -> Posterior:
    """Return the posterior, by Bayes' rule, from the shares of each kind among raters."""
    honest = np.log(1.0 - shares.sum())
    terms = np.log(shares)[:, None] - evidence - honest
    log_odds = log_sum(terms)
    p_honest = sigmoid(-log_odds)
    return Posterior(log_odds, p_honest, np.exp(terms - np.logaddexp(0.0, log_odds)))
