"""Ranks and their correlation."""

import numpy as np

from ratings.stats.levels import Floats


def rank(values: Floats) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[inverse])


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation; 1 when the ranks of one are all the same."""
    x, y = rank(a) - (len(a) + 1) / 2, rank(b) - (len(b) + 1) / 2
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else 1.0
