"""Sudden change: who was trusted, and answers otherwise since. The engine's odds, said as a signal."""

import numpy as np

from ratings.countermeasures.signals.answers import Measured
from ratings.stats.levels import Floats, Ints

KIND = "change"


def measure_change(rater: Ints, log_odds: Floats, count: Ints) -> Measured:
    """Return the odds that each of these raters, all of whom were trusted once, does not look any more."""

    def tell(at: int) -> str:
        odds = f"{np.exp(min(log_odds[at], 50.0)):,.0f} to 1"
        return f"Was trusted; the answers look like those of somebody who stopped looking, at odds of {odds}."

    return Measured(KIND, rater, log_odds, np.maximum(log_odds, 0.0), count, tell)
