"""Shared timing: two raters who answer in the same moment, again and again."""

import numpy as np

from ratings.countermeasures.signals.answers import Measured, nothing
from ratings.countermeasures.signals.evidence import log_tail
from ratings.stats.levels import Floats, Ints

KIND = "lockstep"
# In the same moment; and the stretch in which two who are busy at the same time meet by chance.
TOGETHER_MS, NEARBY_MS = 400, 20_000
LEAST_TOGETHER = 8
# So many answers after one are looked at; in a busier service the stretch is shorter.
MOST_AFTER = 400


def measure_lockstep(rater: Ints, answered_ms: Ints) -> Measured:
    """Return for each rater how often another one answered in the same moment, for the likeliest such partner.

    Who rates in the same evening comes near the other's answers by chance, in proportion to the time; so answers that
    coincide are held against those up to twenty seconds apart.
    """
    order = np.argsort(answered_ms, kind="stable")
    who, when = rater[order], answered_ms[order]
    nearby = _stretch(when)
    if len(who) < LEAST_TOGETHER or nearby < 10 * TOGETHER_MS:
        return nothing(KIND)
    first, second, gap = _pairs(who, when, nearby)
    pair, index = np.unique(np.stack([first, second], axis=1), axis=0, return_inverse=True)
    index = index.reshape(-1)
    near = np.bincount(index[gap <= TOGETHER_MS], minlength=len(pair)).astype(float)
    every = np.bincount(index, minlength=len(pair)).astype(float)
    # A rater had as many chances of such a partner as there are others.
    evidence = log_tail(near, every, TOGETHER_MS / nearby) - np.log(max(len(np.unique(who)), 1))
    evidence = np.where(near >= LEAST_TOGETHER, np.maximum(evidence, 0.0), 0.0)
    return _by_rater(pair, near, every, evidence)


def _stretch(when: Ints) -> float:
    """Return how far apart (ms) pairs are looked at."""
    if len(when) <= MOST_AFTER:
        return float(NEARBY_MS)
    return float(min(NEARBY_MS, np.quantile(when[MOST_AFTER:] - when[:-MOST_AFTER], 0.05)))


def _pairs(who: Ints, when: Ints, nearby: float) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of answers of two raters that lie at most ``nearby`` apart, the lower rater first."""
    parts = []
    for step in range(1, min(MOST_AFTER, len(who) - 1) + 1):
        gap = when[step:] - when[:-step]
        found = np.flatnonzero((gap <= nearby) & (who[step:] != who[:-step]))
        if not (gap <= nearby).any():
            break
        a, b = who[found], who[found + step]
        parts.append((np.minimum(a, b), np.maximum(a, b), gap[found]))
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    first, second, gap = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, gap.astype(float)


def _by_rater(pair: Ints, near: Floats, every: Floats, evidence: Floats) -> Measured:
    """Return the strongest pair of each rater."""
    rater, partner = pair.reshape(-1, 2).T.ravel(), pair.reshape(-1, 2)[:, ::-1].T.ravel()
    near, every, evidence = (np.tile(column, 2) for column in (near, every, evidence))
    order = np.lexsort((near, evidence, rater))
    best = order[np.r_[np.diff(rater[order]) != 0, True]] if len(order) else order

    def tell(at: int) -> str:
        together = f"{near[best[at]]:.0f} of {every[best[at]]:.0f} answers"
        return f"{together} near those of rater {partner[best[at]]} came in the same moment."

    return Measured(KIND, rater[best], near[best], evidence[best], every[best].astype(np.int64), tell)
