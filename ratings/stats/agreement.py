"""How well raters agree on a set of images: Krippendorff's alpha and intraclass correlations."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Floats, Ints, Levels, counts, sums
from ratings.stats.rows import Ratings


@dataclass(frozen=True, slots=True)
class Agreement:
    """1 is perfect agreement, 0 what chance gives; NaN where it is not defined (no image with two ratings, or no
    variation at all).

    `alpha_interval` and `alpha_ordinal` are Krippendorff's, which needs no complete design. `icc_single` is ICC(1) of
    one rating, `icc_average` that of the mean of as many ratings as an image has (Shrout and Fleiss 1979; with
    unequal numbers by the harmonic-like n0 of the analysis of variance).
    """

    alpha_interval: float
    alpha_ordinal: float
    icc_single: float
    icc_average: float
    image_count: int
    """Images with two ratings or more, which alone say something."""
    rating_count: int


def measure_agreement(ratings: Ratings, levels: Levels) -> Agreement:
    """Return the agreement of raters. Raises NotARating for a value that is not on the scale.

    Krippendorff, K. (2018): Content Analysis, 4th ed., chapter 12. Shrout, P. E. and Fleiss, J. L. (1979):
    Intraclass correlations: uses in assessing rater reliability, Psychological Bulletin 86.
    """
    steps = levels.to_steps(ratings.value)
    number = counts(ratings.image, ratings.image_count)
    pairable = number[ratings.image] >= 2
    image, value = ratings.image[pairable], steps[pairable]
    number = np.where(number >= 2, number, 0.0)
    single, average = _intraclass(image, value, number)
    return Agreement(
        alpha_interval=_alpha(image, value, number),
        alpha_ordinal=_alpha(image, _ordinal_places(value, levels), number),
        icc_single=single,
        icc_average=average,
        image_count=int((number > 0).sum()),
        rating_count=len(value),
    )


def _alpha(image: Ints, value: Floats, number: Floats) -> float:
    """Return 1 - observed / expected disagreement, the squared difference over pairs of ratings.

    The sum over all pairs within an image follows from sums and squares, so that it is linear in the ratings.
    """
    if len(value) < 2:
        return float("nan")
    value = value - value.mean()
    total, squares = sums(image, value, len(number)), sums(image, value * value, len(number))
    pairs = number * squares - total**2
    observed = float((pairs[number > 0] / (number[number > 0] - 1)).sum()) / len(value)
    everything = len(value) * float((value * value).sum()) - float(value.sum()) ** 2
    expected = everything / (len(value) * (len(value) - 1))
    return 1.0 - observed / expected if expected > 1e-12 else float("nan")


def _ordinal_places(value: Floats, levels: Levels) -> Floats:
    """Return where levels lie when their distance is the number of ratings between them.

    Krippendorff's ordinal metric is the squared difference of these places: (sum of n_g from c to k, the ends half)^2.
    """
    level = np.rint(value).astype(np.int64)
    frequency = counts(level, levels.count)
    place = np.cumsum(frequency) - frequency / 2
    return np.asarray(place[level])


def _intraclass(image: Ints, value: Floats, number: Floats) -> tuple[float, float]:
    groups, size = int((number > 0).sum()), len(value)
    if groups < 2 or size <= groups:
        return float("nan"), float("nan")
    value = value - value.mean()
    total, squares = sums(image, value, len(number)), float((value * value).sum())
    between = float((total[number > 0] ** 2 / number[number > 0]).sum()) / (groups - 1)
    within = (squares - between * (groups - 1)) / (size - groups)
    per_image = (size - float((number**2).sum()) / size) / (groups - 1)
    scale = between + (per_image - 1) * within
    if scale <= 1e-12:
        return float("nan"), float("nan")
    return (between - within) / scale, (between - within) / between if between > 1e-12 else float("nan")
