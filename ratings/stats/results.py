"""What the engine says of images and raters, in units of the scale; one element an image or a rater."""

from dataclasses import dataclass

from ratings.stats.levels import Floats, Ints
from ratings.stats.parameters import Parameters


@dataclass(frozen=True, slots=True)
class ImageResults:
    """Consensus of each image.

    `score` is the posterior mean, shrunk to the mean of all images the more the fewer ratings there are: publish and
    rank by it. An image without counted ratings has the mean of all images. [`low`, `high`] covers the score that
    endless honest ratings would give with a probability of .95. `effective_count` is how many full ratings the
    weights come to (Kish 1965).
    """

    count: Ints
    counted: Ints
    """Ratings of raters whose p_honest is at least one half."""
    mean: Floats
    """Plain mean of all ratings; NaN without any."""
    score: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    effective_count: Floats


@dataclass(frozen=True, slots=True)
class RaterResults:
    """Reliability of each rater.

    `reliability` is p_honest times the squared correlation of the rater with the true scores, 0 to 1, between
    `reliability_low` and `reliability_high` with a probability of .95. `suspicion` has four columns, the probabilities
    of the kinds of not looking in `parameters.KINDS`; with p_honest they sum to 1.
    """

    count: Ints
    bias: Floats
    """How much higher than others the rater answers, in units of the scale."""
    stretch: Floats
    """Over 1 the rater uses more of the scale than others, under 1 less."""
    noise: Floats
    """Standard deviation of what in the rater's answers is not the image (inconsistency), in units of the scale."""
    correlation: Floats
    """With the score that the others give the same images; 0 where there is nothing to reckon with."""
    correlation_error: Floats
    reliability: Floats
    reliability_low: Floats
    reliability_high: Floats
    p_honest: Floats
    log_odds: Floats
    """ln((1 - p_honest) / p_honest): orders raters where p_honest is close to 0 or 1."""
    suspicion: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit from scratch."""

    images: ImageResults
    raters: RaterResults
    parameters: Parameters
