"""Pushing: several raters who lift (or sink) the same images to an end of the scale, and are honest elsewhere."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.consensus import Draft, reach_consensus
from ratings.stats.facts import Facts
from ratings.stats.levels import Flags, Floats, Levels, counts, sums
from ratings.stats.special import log_gamma

# Standard deviations above the lower half of the image's ratings from which an answer is extreme.
EXTREME = 2.2
# Chance below which so many extreme answers on one image are no chance.
IMPROBABLE = 1e-3
LEAST_EXTREME = 2
FEW_RATINGS = 4
# Terms of a binomial tail; later ones are too small to matter.
TERMS = 60


@dataclass(frozen=True, slots=True)
class Pushes:
    """Images to be asked about again, by trusted raters, and how often each rater took part in such events."""

    is_pushed: Flags
    tail: Floats
    """Chance of as many extreme answers, for each image."""
    rater_events: Floats


def find_pushes(draft: Draft, facts: Facts, levels: Levels, *, is_up: bool = True) -> Pushes:
    """Return pushes to the upper (or lower) end of the scale; O(ratings log ratings)."""
    sign = 1.0 if is_up else -1.0
    consensus = reach_consensus(draft, facts)
    value = sign * consensus.corrected
    base = _lower_half(facts, value, sign * consensus.mean)
    end = levels.count - 1.0 if is_up else 0.0
    distance = (value - base[facts.image]) / np.sqrt(draft.parameters.within)
    is_extreme = (distance > EXTREME) & (np.abs(facts.value - end) < 0.5)
    extreme = counts(facts.image[is_extreme], facts.image_count)
    rate = max(float(is_extreme.mean()) if len(is_extreme) else 0.0, 1e-3)
    tail = binomial_tail(extreme, facts.votes_of_image.astype(np.float64), rate)
    company = np.where(is_extreme, np.maximum(extreme[facts.image] - 1.0, 0.0), 0.0)
    return Pushes(
        is_pushed=(tail < IMPROBABLE) & (extreme >= LEAST_EXTREME),
        tail=tail,
        rater_events=sums(facts.rater, company, facts.rater_count),
    )


def _lower_half(facts: Facts, value: Floats, mean: float) -> Floats:
    """Return the mean of the lower half of each image's answers; with few, their median drawn to the mean of all."""
    order = np.lexsort((value, facts.image))
    image, sorted_value = facts.image[order], value[order]
    number = facts.votes_of_image
    start = np.cumsum(number) - number
    place = np.arange(len(order)) - start[image]
    half = np.maximum(2, (number + 1) // 2)
    is_lower = place < half[image]
    lower = sums(image[is_lower], sorted_value[is_lower], facts.image_count) / np.maximum(np.minimum(half, number), 1)
    middle = (place == (number[image] - 1) // 2) | (place == number[image] // 2)
    median = sums(image[middle], sorted_value[middle], facts.image_count) / np.maximum(
        counts(image[middle], facts.image_count), 1.0
    )
    return np.where(number < FEW_RATINGS, (2 * median + mean) / 3, lower)


def binomial_tail(least: Floats, trials: Floats, rate: float) -> Floats:
    """Return the chance of at least so many successes; 1 where none are asked for."""
    result = np.ones(len(least))
    asked = least > 0
    successes = least[asked][:, None] + np.arange(TERMS)[None, :]
    n = trials[asked][:, None]
    is_possible = successes <= n
    k = np.minimum(successes, n)
    choose = log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0)
    terms = np.where(is_possible, np.exp(choose + k * np.log(rate) + (n - k) * np.log1p(-rate)), 0.0)
    result[asked] = np.minimum(terms.sum(axis=1), 1.0)
    return result
