"""From counts to evidence, in natural logarithms. All are bounds from below: rather too little than too much."""

import numpy as np

from ratings.stats.levels import Floats
from ratings.stats.special import log_beta

# Who always answers the same does so in some 98 of 100 cases.
ALWAYS = (60.0, 1.0)


def log_tail(successes: Floats, trials: Floats, rate: Floats | float) -> Floats:
    """Return -ln of a bound on the chance of so many successes or more (Chernoff); 0 for no more than usual."""
    share = successes / np.maximum(trials, 1.0)
    rate = np.clip(rate, 1e-9, 1 - 1e-9)
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    distance = inside * np.log(inside / rate) + (1 - inside) * np.log((1 - inside) / (1 - rate))
    return np.where(share > rate, trials * distance, 0.0)


def log_ratio_of_always(hits: Floats, trials: Floats, honest: tuple[float, float]) -> Floats:
    """Return ln(always does it : does it as often as people do), at least 0; ``honest`` are a and b of a beta."""
    misses = trials - hits
    (a, b), (c, d) = ALWAYS, honest
    one, other = np.array([a]), np.array([b])
    always = log_beta(hits + a, misses + b) - log_beta(one, other)
    people = log_beta(hits + c, misses + d) - log_beta(np.array([c]), np.array([d]))
    return np.where(trials > 0, np.maximum(always - people, 0.0), 0.0)


def beta_of(shares: Floats, *, least_spread: float, most: float) -> tuple[float, float]:
    """Return a and b of a beta that lies where most of these shares do.

    By the median and the lower quartile alone, so that those who always answer the same do not move it.
    """
    if not len(shares):
        return 1.0, 1.0
    low, middle = np.quantile(shares, [0.25, 0.5])
    spread = max(float(middle - low) / 0.675, least_spread)
    mean = float(np.clip(middle, 0.02, most))
    strength = max(mean * (1 - mean) / spread**2 - 1, 2.0)
    return mean * strength, (1 - mean) * strength
