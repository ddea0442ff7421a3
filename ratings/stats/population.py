"""Who rates here: how many look, how well they agree, how widely they spread; fitted from all raters at once."""

from dataclasses import replace
from typing import Any

import numpy as np

from ratings.stats.evidence import (
    LEAST_FOR_CORRELATION,
    Habits,
    conclude,
    nearness,
    uniform_spread,
    weigh_all,
    weigh_blind,
)
from ratings.stats.levels import Flags, Floats
from ratings.stats.parameters import KINDS, Parameters

INNER_STEPS = 15
# Ratings from which a rater tells how honest raters agree.
LEAST_TO_TELL = 8
# What the shares are before anybody has rated: these many raters of each kind among ten.
PSEUDO = np.array([1.0, 0.5, 0.2, 0.2, 0.2])
PSEUDO_TOTAL = 10.0
LEAST_SHARE = np.array([0.01, 0.005, 0.002, 0.002, 0.02])
MOST_SHARE, MOST_TOGETHER = 0.45, 0.75
LEAST_RATERS = 10
# The most frequent answer is at least this share of an honest rater's answers, however many levels there are.
MODE_SHARE = 0.375, 0.75
# Ratings that the prior of the most frequent answer counts as, at least and at most: people are not all alike.
MODE_PSEUDO = 4.0, 8.0


def first_honest_z(z: Floats, information: Floats, before: float) -> float:
    """Return where honest raters lie: high in the distribution, because the blind are around 0."""
    is_known = information >= LEAST_TO_TELL
    return max(0.15, float(np.quantile(z[is_known], 0.7))) if is_known.sum() > LEAST_RATERS else before


def fit_population(habits: Habits, parameters: Parameters, levels: int) -> Parameters:
    """Return parameters with shares and agreement fitted by expectation-maximization.

    Efron's two-groups model (2008) with six groups. The upper bound of the honest spread stops that class from
    swallowing those around z = 0. Raters with hardly any ratings say nothing of the population and are left out.
    """
    is_telling = habits.count >= LEAST_FOR_CORRELATION
    if not is_telling.any():
        return parameters
    known = select(habits, is_telling)
    evidence = weigh_all(known, parameters, levels)
    beside_blind = evidence[:3] - weigh_blind(known, parameters)
    variance = known.variance
    for _ in range(INNER_STEPS):
        evidence[:3] = weigh_blind(known, parameters) + beside_blind
        posterior = conclude(evidence, np.array(parameters.shares))
        parameters = _with_shares(parameters, posterior.suspicion)
        parameters = _with_agreement(parameters, known, posterior.p_honest, variance)
    return parameters


def _with_shares(parameters: Parameters, suspicion: Floats) -> Parameters:
    counted = suspicion.copy()
    counted[3] *= counted[3] > 0.8  # Many are a little like a copier; only sure ones tell how many there are.
    shares = (counted.sum(axis=1) + PSEUDO) / (suspicion.shape[1] + PSEUDO_TOTAL)
    shares = np.clip(shares, LEAST_SHARE, MOST_SHARE)
    shares *= min(1.0, MOST_TOGETHER / float(shares.sum()))
    found: dict[str, Any] = {f"share_{kind}": float(share) for kind, share in zip(KINDS, shares, strict=True)}
    return replace(parameters, **found)


def _with_agreement(parameters: Parameters, habits: Habits, p_honest: Floats, variance: Floats) -> Parameters:
    weight = p_honest * (habits.information >= LEAST_TO_TELL) / (parameters.honest_z_sd**2 + variance)
    total = float(weight.sum())
    if total <= 1e-6:
        return parameters
    middle = float(np.clip((weight * habits.z).sum() / total, 0.12, 1.5))
    excess = float((weight * ((habits.z - middle) ** 2 - variance)).sum() / total)
    return replace(
        parameters,
        honest_z=middle,
        honest_z_sd=float(np.sqrt(np.clip(excess, (0.2 * middle) ** 2, (0.45 * middle) ** 2))),
    )


def fit_spread(habits: Habits, parameters: Parameters, p_honest: Floats, levels: int) -> Parameters:
    """Return parameters with the spread of honest raters' answers, and how often they give the same one."""
    is_known = (habits.count >= 15) & (p_honest > 0.5)
    if is_known.sum() < LEAST_RATERS:
        return parameters
    spreads = np.log(habits.spread[is_known])
    middle = min(float(np.median(spreads)), uniform_spread(levels) - 0.15)
    parameters = replace(parameters, spread=middle, spread_sd=_robust_sd(spreads, middle, 0.15, 0.3))
    return _with_mode(parameters, habits.repeats[is_known], habits.count[is_known] - 1.0)


def _with_mode(parameters: Parameters, repeats: Floats, others: Floats) -> Parameters:
    """Return parameters with how often honest raters give their most frequent answer: the fewer levels, the oftener."""
    share = repeats / others
    middle = float(np.clip(np.median(share), *MODE_SHARE))
    chance = middle * (1.0 - middle)
    between = max(_robust_sd(share, middle, 0.0, 1.0) ** 2 - float(np.mean(chance / others)), 1e-6)
    pseudo = float(np.clip(chance / between - 1.0, *MODE_PSEUDO))
    return replace(parameters, mode_hits=pseudo * middle, mode_misses=pseudo * (1.0 - middle))


def fit_distance(habits: Habits, parameters: Parameters, p_honest: Floats) -> Parameters:
    """Return parameters with the distance of honest raters to the mean that was visible to them."""
    is_known: Flags = (habits.distance_count >= LEAST_TO_TELL) & (p_honest > 0.3)
    if is_known.sum() < LEAST_RATERS:
        return replace(parameters, has_distance=False)
    distances = nearness(habits, parameters)[is_known]
    middle = float(np.quantile(distances, 0.6))
    spread = _robust_sd(distances, middle, 0.15, 0.25)
    return replace(parameters, distance=middle, distance_sd=spread, has_distance=True)


def _robust_sd(values: Floats, middle: float, least: float, most: float) -> float:
    return float(np.clip(1.4826 * np.median(np.abs(values - middle)), least, most))


def select(habits: Habits, chosen: Flags) -> Habits:
    """Return the habits of some raters."""
    return Habits(
        count=habits.count[chosen],
        information=habits.information[chosen],
        z=habits.z[chosen],
        spread=habits.spread[chosen],
        repeats=habits.repeats[chosen],
        distance=habits.distance[chosen],
        distance_count=habits.distance_count[chosen],
        control_evidence=habits.control_evidence[chosen],
        change=habits.change[chosen],
    )
