"""Repeats: what somebody says of an image a second time, held against what they said the first time.

Honest people correlate about .9 with themselves, whatever their taste, and who does not look correlates with nothing.
Deviations are from the rater's own mean in their own standard deviations, so always saying the same gains next to
nothing. Scripts that answer by the image's number do gain: gold and the others find those.
"""

import numpy as np

from ratings.stats.bets import log_ratio
from ratings.stats.evidence import ROUNDING
from ratings.stats.levels import Floats

RETEST_CORRELATION = 0.7
# What one pair can add or take: a slip of the hand does not outweigh all others.
MOST_FOR, MOST_AGAINST = 2.5, -4.0


def repeat_log_e(
    first: Floats,
    second: Floats,
    *,
    mean: Floats | float,
    variance: Floats | float,
    correlation: float = RETEST_CORRELATION,
) -> Floats:
    """Return ln(looks : does not) of each pair of answers by one rater, whose ratings have this mean and variance."""
    sd = np.sqrt(np.asarray(variance, dtype=np.float64) + ROUNDING)
    x, y = (np.asarray(first) - mean) / sd, (np.asarray(second) - mean) / sd
    return np.asarray(np.clip(log_ratio(x, y, np.asarray(correlation)), MOST_AGAINST, MOST_FOR))
