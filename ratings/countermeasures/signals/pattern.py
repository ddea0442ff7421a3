"""Serial correlation: answers that follow from those before, as of a script that counts or alternates."""

import numpy as np

from ratings.countermeasures.signals.answers import Answers, Groups, Measured, nothing
from ratings.stats.levels import Flags, Floats, Ints

KIND = "pattern"
LAGS = 12
LEAST_ANSWERS = 24
# People are drawn to their last answer, and have moods; up to here a correlation is human.
HUMAN = 0.3
# Below this answers do not vary.
NO_VARIANCE = 1e-9


def measure_pattern(answers: Answers, groups: Groups) -> Measured:
    """Return the strongest correlation of each rater's answers with those up to a dozen before.

    What the images explain is taken out first, as far as others have rated them.
    """
    given = np.flatnonzero(np.isfinite(answers.aesthetic))
    if not len(given):
        return nothing(KIND)
    index, size = groups.index[given], len(groups.ids)
    rest = _unexplained(answers.aesthetic[given], answers.others_aesthetic[given], index, size)
    count = np.bincount(index, minlength=size).astype(float)
    square = np.bincount(index, rest**2, minlength=size)
    best, lag_of, evidence = np.zeros(size), np.ones(size, np.int64), np.zeros(size)
    for lag in range(1, LAGS + 1):
        pairs = np.flatnonzero(index[lag:] == index[:-lag])
        together = np.bincount(index[pairs], rest[pairs] * rest[pairs + lag], minlength=size)
        r = np.clip(together / np.maximum(square, NO_VARIANCE) * count / np.maximum(count - lag, 1.0), -0.99, 0.99)
        beyond = np.maximum(np.abs(np.arctanh(r)) - np.arctanh(HUMAN), 0.0)
        found = beyond**2 * np.maximum(count - lag - 3, 0.0) / 2 - np.log(2.0 * LAGS)
        is_more = (found > evidence) & (count >= LEAST_ANSWERS) & (square > NO_VARIANCE)
        best, lag_of = np.where(is_more, r, best), np.where(is_more, lag, lag_of)
        evidence = np.where(is_more, found, evidence)

    def tell(at: int) -> str:
        steps = "the one before" if lag_of[at] == 1 else f"the one {lag_of[at]} before"
        return f"Each answer follows {steps} (r = {best[at]:.2f} over {count[at]:.0f} answers), not the image."

    return Measured(KIND, groups.ids, best, evidence, count.astype(np.int64), tell)


def _unexplained(value: Floats, others: Floats, index: Ints, size: int) -> Floats:
    """Return answers less as much of what the others say of the image as the rater follows them."""
    known = np.isfinite(others)
    shown = np.where(known, others, 0.0)
    shown = np.where(known, _around_mean(shown, known, index, size), 0.0)
    own = _around_mean(value, np.ones(len(value), np.bool_), index, size)
    square = np.bincount(index, shown**2, minlength=size)
    follows = np.bincount(index, shown * own, minlength=size) / np.maximum(square, NO_VARIANCE)
    return np.asarray(own - np.clip(follows, 0.0, 1.0)[index] * shown)


def _around_mean(values: Floats, rows: Flags, index: Ints, size: int) -> Floats:
    """Return values less their rater's mean over these rows."""
    number = np.maximum(np.bincount(index[rows], minlength=size), 1.0)
    return np.asarray(values - (np.bincount(index[rows], values[rows], minlength=size) / number)[index])
