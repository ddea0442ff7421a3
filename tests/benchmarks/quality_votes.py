"""Comparisons: which of two is better, of real raters' own scores, with votes among them that are not honest."""

import numpy as np

from ratings.stats.comparisons import LEFT, RIGHT, Votes, fit_comparisons
from ratings.stats.ranks import rank_correlation
from tests.quality.measure import auc
from tests.quality.real import load

RATERS, EACH, ITEMS, SEEDS = 200, 40, 300, range(3)
CASES = (
    ("none", 0.0), ("random", 0.2), ("random", 0.4), ("left", 0.2), ("left", 0.4), ("reverse", 0.2), ("reverse", 0.4),
)  # fmt: skip


def run():
    """Aim 6."""
    for name in ("london", "movielens", "made"):
        pool = load(name)
        if pool is None:
            continue
        for kind, share in CASES:
            figures = np.array([measure_votes(*make_votes(pool, kind, share, seed=seed)) for seed in SEEDS])
            found, alone, plain, apart = figures.mean(axis=0)
            aim = ("pass" if alone - found <= 0.03 else "MISS") if share == 0.4 and kind != "reverse" else ""
            yield (
                f"{name}: {share:.0%} {kind} | {found:.3f}, honest votes alone {alone:.3f}, all alike {plain:.3f}, "
                f"AUC {apart:.3f} {aim}"
            )


def make_votes(pool, kind, share, *, seed):
    """Return votes, the true scores, and who of the raters is not honest. Each votes for what they rated higher."""
    dice = np.random.default_rng([seed, 6])
    chosen = dice.permutation(len(pool.truth))[:ITEMS]
    honest = dice.permutation(pool.honest)[:RATERS]
    spam = dice.choice(pool.honest, round(RATERS * share / (1 - share)))
    parts, is_spam = [], []
    for who, is_bot in [*((who, False) for who in honest), *((who, True) for who in spam)]:
        known = np.isin(pool.items[who], chosen)
        items, values = pool.items[who][known], pool.values[who][known]
        if len(items) < 5:
            continue
        left, right = dice.integers(0, len(items), (2, EACH * 6))
        differ = np.flatnonzero(values[left] != values[right])[:EACH]
        left, right = left[differ], right[differ]
        wins = values[left] > values[right]
        if is_bot:
            wins = {"random": dice.random(len(left)) < 0.5, "left": dice.random(len(left)) < 0.95, "reverse": ~wins}[
                kind
            ]
        parts.append((items[left], items[right], np.full(len(left), len(is_spam)), np.where(wins, LEFT, RIGHT)))
        is_spam.append(is_bot)
    left, right, rater, outcome = (np.concatenate(column) for column in zip(*parts, strict=True))
    used, places = np.unique(np.r_[left, right], return_inverse=True)
    left, right = places[: len(left)], places[len(left) :]
    return Votes(left, right, rater, outcome, len(used), len(is_spam)), pool.truth[used], np.array(is_spam)


def measure_votes(votes, truth, is_spam):
    """Return rank correlations of all votes, of the honest alone, and unweighed; and how well raters are told apart."""
    keep = ~is_spam[votes.rater]
    alone = Votes(
        votes.left[keep],
        votes.right[keep],
        votes.rater[keep],
        votes.outcome[keep],
        votes.image_count,
        votes.rater_count,
    )
    result = fit_comparisons(votes)
    same = fit_comparisons(
        Votes(votes.left, votes.right, np.arange(len(keep)), votes.outcome, votes.image_count, len(keep))
    )
    scores = (result.score, fit_comparisons(alone).score, same.score)
    return *(rank_correlation(score, truth) for score in scores), auc(is_spam, result.log_odds)
