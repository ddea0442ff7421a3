"""The bets behind the online tests: how much one rating speaks for looking, and for each way of not looking.

Against "does not look at the images": under random assignment the normal score x of the image is standard normal and
independent of the answer y, so that exp(l(r)) has the mean 1 for every y and every r: the running product is a test
martingale, and its chance of ever reaching 1/alpha is alpha at most (Ville; Shafer 2021; Ramdas et al. 2023). A mean
of such products is one again, so several r are tried at once.

Against "honest": the inverse of the likelihood under the fitted honest population (seven Gauss-Hermite nodes), and the
same times the likelihood of a script that draws all levels alike or repeats one level, over what the rater's own
habits predict. Those who use all levels alike and look are allowed for.
"""

from dataclasses import dataclass

import numpy as np

from ratings.stats.evidence import SLIP
from ratings.stats.levels import Floats, Ints
from ratings.stats.parameters import Parameters
from ratings.stats.special import log_sum
from ratings.stats.tables import CORRELATIONS, NODES

_POINTS, _MASSES = np.polynomial.hermite_e.hermegauss(NODES)
_LOG_MASSES = np.log(_MASSES / _MASSES.sum())
LEAST_CORRELATION = 0.02
# Ratings that the task's mean and variance count as, where a rater's own are used.
OWN_PSEUDO = 5.0
FAR = 1e4
# Honest raters who use all levels about alike: one in a hundred. It bounds what the histogram alone can say.
BROAD = 1 / 100
# Correlations that a rater is held to when a change is looked for.
LEAST_OWN, MOST_OWN = 0.10, 0.80


def log_ratio(x: Floats, y: Floats, correlation: Floats) -> Floats:
    """Return l(r), ln(bivariate normal of correlation r : independent), for broadcastable arrays."""
    left = 1.0 - correlation**2
    return np.asarray(-0.5 * np.log(left) - ((y - correlation * x) ** 2 / left - y**2) / 2)


def honest_correlations(parameters: Parameters) -> Floats:
    """Return the correlations of the nodes of the honest population."""
    return np.tanh(np.maximum(parameters.honest_z + parameters.honest_z_sd * _POINTS, LEAST_CORRELATION))


def bet(x: Floats, y: Floats, parameters: Parameters) -> tuple[Floats, Floats]:
    """Return what ratings add to `trust` and `looking`: a row each, a column for each correlation."""
    trust = log_ratio(x[:, None], y[:, None], np.array(CORRELATIONS)[None, :])
    looking = log_ratio(x[:, None], y[:, None], honest_correlations(parameters)[None, :])
    return trust, looking


def bet_on_flat(is_hit: Floats, hits: Floats, trials: Floats, parameters: Parameters) -> Floats:
    """Return ln(always the same : this rater's habit) for answers that equal the level guessed, or do not."""
    chance = (parameters.mode_hits + hits) / (parameters.mode_hits + parameters.mode_misses + trials)
    return np.where(is_hit > 0, np.log((1 - SLIP) / chance), np.log(SLIP / (1.0 - chance)))


def running_sum(values: Floats, start: Ints, before: Floats | float = 0.0) -> Floats:
    """Return running sums within groups of rows, of which `start` is the first row, on top of what was before."""
    total = np.cumsum(values, axis=0)
    return np.asarray(before + total - (total[start] - values[start]))


def running_change(steps: Floats, start: Ints, before: Floats) -> Floats:
    """Return ln R within groups, R = (1 + R before) exp(step), a step being ln(does not look : looks as ever).

    The sum of Shiryaev and Roberts over all times at which the change may have been; as long as nothing has changed,
    R less the number of steps is a martingale (Shin, Ramdas, Rinaldo 2023).
    """
    total = running_sum(steps, start)
    is_first = np.arange(len(steps)) == start
    earlier = np.where(is_first, np.logaddexp(before, 0.0), steps - total)
    # Each group is lifted far above the one before it, which so drops out of the sum.
    lift = np.cumsum(is_first) * FAR
    return np.asarray(total + np.logaddexp.accumulate(earlier + lift) - lift)


@dataclass(frozen=True, slots=True)
class EValues:
    """Natural logarithms of the e-values of raters, and of the odds of a change of behaviour (`change`)."""

    trust: Floats
    ban: Floats
    change: Floats


def trust_value(trust: Floats) -> Floats:
    """Return ln E_trust from the bets in the last axis."""
    return np.asarray(log_sum(trust, axis=-1) - np.log(trust.shape[-1]))


def ban_value(looking: Floats, uniform: Floats, flat: Floats) -> Floats:
    """Return ln E_ban: half on not looking, a quarter each on drawing all levels alike and on always the same."""
    blind = -log_sum(looking + _LOG_MASSES, axis=-1)
    uniform = -np.logaddexp(np.log1p(-BROAD) - uniform, np.log(BROAD))
    return log_sum(np.stack([blind + np.log(0.5), blind + uniform + np.log(0.25), flat + np.log(0.25)]))
