"""The few special functions that NumPy does not have."""

from statistics import NormalDist

import numpy as np

from ratings.stats.levels import Floats

LOG_TWO_PI = float(np.log(2 * np.pi))
_GRID = np.linspace(0.0, 1.0, 8193)[1:-1]
_QUANTILES = np.array([NormalDist().inv_cdf(float(share)) for share in _GRID])


def log_normal(x: Floats, mean: Floats | float, variance: Floats | float) -> Floats:
    """Return the logarithm of the normal density."""
    return np.asarray(-0.5 * ((x - mean) ** 2 / variance + np.log(variance) + LOG_TWO_PI))


def log_gamma(x: Floats) -> Floats:
    """Return ln Gamma(x) for x > 0: Stirling's series after eight steps of the recurrence; error below 1e-11."""
    shifted = x + 8.0
    product = np.ones_like(x)
    for step in range(8):
        product *= x + step
    inverse = 1.0 / shifted
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    stirling = (shifted - 0.5) * np.log(shifted) - shifted + 0.5 * LOG_TWO_PI + series
    return np.asarray(stirling - np.log(product))


def log_beta(a: Floats, b: Floats) -> Floats:
    """Return ln B(a, b)."""
    return np.asarray(log_gamma(a) + log_gamma(b) - log_gamma(a + b))


def log_sum(x: Floats, axis: int = 0) -> Floats:
    """Return ln(sum(exp(x))) along an axis."""
    top = np.max(x, axis=axis, keepdims=True)
    return np.asarray(np.squeeze(top, axis) + np.log(np.sum(np.exp(x - top), axis=axis)))


def sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), exact far out as well."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))


def normal_quantile(share: Floats) -> Floats:
    """Return the normal score of a share between 0 and 1, within +-3.7."""
    return np.asarray(np.interp(share, _GRID, _QUANTILES))
