"""Runs: the same value many times in a row, beyond what the rater's own use of the scale brings about."""

import numpy as np

from ratings.countermeasures.signals.answers import Answers, Groups, Measured, nothing
from ratings.stats.levels import Flags, Floats, Ints

KIND = "runs"
LEAST_ANSWERS = 20
# Images of one kind come together by chance, and people have moods: a value is repeated more often than it is given.
MOOD = 0.15


def measure_runs(answers: Answers, groups: Groups) -> Measured:
    """Return each rater's least likely run of one value.

    A value comes again with the share that it has among the rater's answers, or with the share of repetitions that is
    usual in the dataset where that is higher: where nearly all images deserve the same, long runs are honest.
    """
    given = np.flatnonzero(np.isfinite(answers.aesthetic))
    if not len(given):
        return nothing(KIND)
    index, value = groups.index[given], answers.aesthetic[given].astype(np.int64)
    again = np.r_[False, (index[1:] == index[:-1]) & (value[1:] == value[:-1])]
    length = _lengths(again)
    size, width = len(groups.ids), int(value.max()) + 1
    count = np.bincount(index, minlength=size).astype(float)
    share = np.bincount(index * width + value, minlength=size * width)[index * width + value] / count[index]
    rate = np.minimum(np.maximum(share, _usual(again, index, count)) + MOOD, 0.97)
    surprise = np.maximum(-(length - 1) * np.log(rate) - np.log(count[index]), 0.0)
    surprise[count[index] < LEAST_ANSWERS] = 0.0
    best = _best(surprise, length, index, size)
    tell = lambda at: f"{length[best[at]]:.0f} answers in a row are {value[best[at]]}."  # noqa: E731
    return Measured(KIND, groups.ids, length[best], surprise[best], count.astype(np.int64), tell)


def _lengths(again: Flags) -> Floats:
    """Return for each answer how many in a row have been the same."""
    place = np.arange(len(again))
    return (place - np.maximum.accumulate(np.where(again, 0, place)) + 1).astype(float)


def _usual(again: Flags, index: Ints, count: Floats) -> float:
    """Return how often answers of the raters of a dataset are the one before; the middle of all raters."""
    share = np.bincount(index, again, minlength=len(count)) / np.maximum(count - 1, 1.0)
    known = share[count >= LEAST_ANSWERS]
    return float(np.median(known)) if len(known) else 0.0


def _best(surprise: Floats, length: Floats, index: Ints, size: int) -> Ints:
    """Return the place of each rater's most surprising answer; of equals the longest run's."""
    order = np.lexsort((length, surprise, index))
    best = np.zeros(size, np.int64)
    best[index[order]] = order
    return best
