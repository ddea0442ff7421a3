"""What can be counted once, before any score is known: how often, how widely and how uniformly each rater answers."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Flags, Floats, Ints, Levels, counts, sums
from ratings.stats.rows import Ratings
from ratings.stats.weighing import spread_of

# Control answers are taken to correlate this much with the known scores; each speaks, and none decides alone.
CONTROL_CORRELATION = 0.7
MOST_PER_CONTROL, MOST_OF_CONTROLS = 2.5, 12.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Votes as columns in steps, without control answers, and sums of them for each rater."""

    image: Ints
    rater: Ints
    value: Floats
    image_count: int
    rater_count: int
    votes_of_image: Ints
    count: Floats
    total: Floats
    squares: Floats
    spread: Floats
    repeats: Floats
    distance: Floats
    distance_count: Floats
    control_evidence: Floats
    by_rater: Ints
    """Rows by rater and time."""
    start: Ints
    """For each of these, where those of its rater begin."""


def find_facts(ratings: Ratings, levels: Levels, *, control_evidence: Floats | None = None) -> Facts:
    """Return the facts of a set of ratings. Raises NotARating for a value that is not on the scale.

    `control_evidence` is that of control answers which are not among the ratings, for each rater.
    """
    steps = levels.to_steps(ratings.value)
    is_vote = np.ones(len(steps), dtype=np.bool_) if ratings.gold is None else np.isnan(ratings.gold)
    order = (
        np.lexsort((ratings.order, ratings.image))
        if ratings.order is not None
        else np.argsort(ratings.image, kind="stable")
    )
    order = order[is_vote[order]]
    image, rater, value = ratings.image[order], ratings.rater[order], steps[order]
    raters = ratings.rater_count
    count = counts(rater, raters)
    total, squares = sums(rater, value, raters), sums(rater, value * value, raters)
    distance, distance_count = measure_distance(image, rater, value, raters)
    controls = _weigh_controls(ratings, steps, levels, ~is_vote)
    by_rater = order_by_rater(rater, order if ratings.order is None else ratings.order[order])
    return Facts(
        by_rater=by_rater,
        start=first_of_group(rater[by_rater]),
        image=image,
        rater=rater,
        value=value,
        image_count=ratings.image_count,
        rater_count=raters,
        votes_of_image=np.bincount(image, minlength=ratings.image_count),
        count=count,
        total=total,
        squares=squares,
        spread=spread_of(count, total, squares),
        repeats=count_most_frequent(rater, value, raters) - 1.0,
        distance=distance,
        distance_count=distance_count,
        control_evidence=controls if control_evidence is None else controls + control_evidence,
    )


def order_by_rater(rater: Ints, time: Floats | Ints) -> Ints:
    """Return positions of rows by rater and time."""
    return np.lexsort((time, rater))


def first_of_group(group: Ints) -> Ints:
    """Return for each row of a sorted column where its group begins."""
    is_first = np.r_[True, group[1:] != group[:-1]] if len(group) else np.empty(0, dtype=np.bool_)
    return np.maximum.accumulate(np.where(is_first, np.arange(len(group)), 0))


def earlier_mean(image: Ints, value: Floats) -> tuple[Floats, Ints]:
    """Return, for rows sorted by image and time, the mean and the number of the earlier ratings of the image."""
    if not len(image):
        return np.empty(0), np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, image[1:] != image[:-1]])
    lengths = np.diff(np.r_[starts, len(image)])
    before = np.arange(len(image)) - np.repeat(starts, lengths)
    sums = np.cumsum(value) - value
    sums -= np.repeat(sums[starts], lengths)
    return sums / np.maximum(before, 1), before


def measure_distance(image: Ints, rater: Ints, value: Floats, raters: int) -> tuple[Floats, Floats]:
    """Return each rater's root mean square distance to the mean that was visible, and over how many ratings."""
    mean, before = earlier_mean(image, value)
    has_mean = before > 0
    who = rater[has_mean]
    squares = sums(who, (value[has_mean] - mean[has_mean]) ** 2, raters)
    count = counts(who, raters)
    return np.sqrt(squares / np.maximum(count, 1.0)), count


def count_most_frequent(rater: Ints, value: Floats, raters: int) -> Floats:
    """Return how often each rater gave their most frequent answer."""
    result = np.zeros(raters)
    if len(rater):
        level = np.rint(value).astype(np.int64)
        span = int(level.max()) + 1
        pairs, counts = np.unique(rater * span + level, return_counts=True)
        np.maximum.at(result, pairs // span, counts)
    return result


def control_log_ratio(steps: Floats, gold: Floats, mean: float, variance: float) -> Floats:
    """Return ln(honest : blind) of control answers, from their distance to the known score."""
    gold_z = (gold - mean) / np.sqrt(variance)
    answer = (steps - mean) / np.sqrt(variance)
    left = 1.0 - CONTROL_CORRELATION**2
    ratio = -0.5 * np.log(left) - ((answer - CONTROL_CORRELATION * gold_z) ** 2 / left - answer**2) / 2
    return np.asarray(np.clip(ratio, -MOST_PER_CONTROL, MOST_PER_CONTROL))


def _weigh_controls(ratings: Ratings, steps: Floats, levels: Levels, is_control: Flags) -> Floats:
    if ratings.gold is None or not is_control.any():
        return np.zeros(ratings.rater_count)
    gold = (ratings.gold[is_control] - levels.low) / levels.unit
    ratio = control_log_ratio(steps[is_control], gold, float(gold.mean()), max(float(steps.var()), 0.25))
    return np.clip(sums(ratings.rater[is_control], ratio, ratings.rater_count), -MOST_OF_CONTROLS, MOST_OF_CONTROLS)
