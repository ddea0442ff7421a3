"""Figures: how close scores are to the truth, and how well raters are told apart."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.consensus import fit
from ratings.stats.ranks import rank, rank_correlation
from tests.quality.scenes import KINDS, make_scene

# Kinds over which the tables take the mean: not those that attack single images or conspire.
TABLE_KINDS = (*(kind for kind in KINDS if kind != "collude"), "mix")
FALSE_POSITIVES = 0.01


@dataclass
class Figures:
    correlation: float
    error: float
    auc: float
    recall: float
    oracle: float
    """Rank correlation of the same engine that is shown the honest rows alone."""
    covered: float
    effective: float
    """Effective number of ratings over that of honest rows."""


def auc(is_spam, suspicion):
    """Return the chance that a spammer looks worse than an honest rater."""
    places = rank(suspicion)
    spam, honest = is_spam.sum(), (~is_spam).sum()
    return float((places[is_spam].sum() - spam * (spam + 1) / 2) / (spam * honest)) if spam and honest else float("nan")


def recall(is_spam, suspicion):
    """Return the share of spammers above the threshold that at most 1 % of honest raters are above."""
    if not is_spam.any():
        return float("nan")
    honest = np.sort(suspicion[~is_spam])[::-1]
    return float((suspicion[is_spam] > honest[int(FALSE_POSITIVES * len(honest))]).mean())


def measure(scene, *, with_oracle=False):
    result = fit(scene.ratings(), scene.levels)
    error = result.images.score - scene.truth
    oracle = float("nan")
    if with_oracle:
        oracle = rank_correlation(fit(scene.ratings(scene.is_honest_row), scene.levels).images.score, scene.truth)
    odds = result.raters.log_odds
    return Figures(
        correlation=rank_correlation(result.images.score, scene.truth),
        error=float(np.sqrt(np.mean(error**2))),
        auc=auc(scene.is_spam, odds),
        recall=recall(scene.is_spam, odds),
        oracle=oracle,
        covered=float(np.mean((result.images.low <= scene.truth) & (scene.truth <= result.images.high))),
        effective=float(result.images.effective_count.sum() / scene.is_honest_row.sum()),
    )


def measure_kinds(pool, share, *, seeds, kinds=TABLE_KINDS, each=None, with_oracle=False):
    """Return figures for each kind, the mean over seeds."""
    found = {}
    for kind in kinds if share else ("none",):
        runs = [measure(make_scene(pool, kind, share, seed=seed, each=each), with_oracle=with_oracle) for seed in seeds]
        found[kind] = Figures(*np.mean([list(vars(run).values()) for run in runs], axis=0).tolist())
    return found


def mean_of(found, name):
    known = [value for figures in found.values() if not np.isnan(value := getattr(figures, name))]
    return float(np.mean(known)) if known else float("nan")
