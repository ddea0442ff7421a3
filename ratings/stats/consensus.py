"""The honest-rater consensus from scratch: scores of images and reliability of raters, each from the other.

A two-way model of image and rater with shrinkage (Henderson's BLUP), in which a rater weighs as much as it is probable
that they look at the images. That is told by how their ratings vary with those of the others and not by how far they
are from them: who always answers the middle is never far from anybody.
"""

from dataclasses import dataclass, replace

import numpy as np

from ratings.stats.changes import find_changes
from ratings.stats.evidence import Habits, Posterior, conclude, weigh_all
from ratings.stats.facts import Facts, find_facts
from ratings.stats.levels import Flags, Floats, Ints, Levels, counts, sums
from ratings.stats.parameters import KINDS, Parameters
from ratings.stats.population import first_honest_z, fit_distance, fit_population, fit_spread, select
from ratings.stats.results import Fit, ImageResults
from ratings.stats.rows import Ratings
from ratings.stats.sides import Sides
from ratings.stats.weighing import (
    BIAS_PSEUDO,
    bias_parts,
    correlate,
    describe_raters,
    information_weight,
    shrink_z,
    stretch_factor,
)

SWEEPS = 8
# The last of them look for changes of behaviour too, which needs scores that have settled.
CHANGE_SWEEPS = 3
# Share of raters who do not count, at most, the other side included.
MOST_NOT_HONEST = 0.9
# What the model does not know of makes intervals this much wider (measured, docs/quality.md).
ERROR_FACTOR = 1.15
CONFIDENCE_95 = 1.959964


@dataclass(slots=True)
class Draft:
    """What the sweeps improve."""

    parameters: Parameters
    bias: Floats
    stretch: Floats
    p_honest: Floats
    weight: Floats
    """Of each rater; what they weigh is this."""
    habits: Habits
    posterior: Posterior
    voice: Floats
    """1 for raters whose ratings are in the scores that others are compared with, 0 for the others."""


def fit(ratings: Ratings, levels: Levels, *, silent: Flags | None = None) -> Fit:
    """Fit scores and reliability from nothing but the ratings; O(sweeps x ratings).

    Raters who are `silent` are measured and do not vote. Without ratings the result says what `Parameters.start`
    says. Raises NotARating for a value that is not on the scale.
    """
    facts = find_facts(ratings, levels)
    return describe(solve(facts, levels, silent=silent), facts, levels)


def solve(facts: Facts, levels: Levels, *, silent: Flags | None = None, sides: Sides | None = None) -> Draft:
    """Return the draft after all sweeps, in steps; with `sides`, that of those who stand with the seeds."""
    draft = first_draft(facts, Parameters.start(levels))
    if silent is not None:
        draft.voice = (~silent).astype(np.float64)
    if sides is not None:
        draft.p_honest = draft.weight = sides.p_with
    if len(facts.value):
        for sweep in range(SWEEPS):
            improve(draft, facts, levels, Sweep(sweep == 0, sweep >= SWEEPS - CHANGE_SWEEPS, sides))
        draft.parameters = replace(draft.parameters, is_fitted=True)
    return draft


def first_draft(facts: Facts, parameters: Parameters) -> Draft:
    """Return everybody honest and without bias."""
    ones = np.ones(facts.rater_count)
    if len(facts.value):
        variance = max(float(facts.value.var()), 0.05)
        parameters = replace(
            parameters, mean=float(facts.value.mean()), kappa=1.0, within=0.7 * variance, between=0.3 * variance
        )
    habits = Habits(
        count=facts.count,
        information=facts.count,
        z=0.0 * ones,
        spread=facts.spread,
        repeats=facts.repeats,
        distance=facts.distance,
        distance_count=facts.distance_count,
        control_evidence=facts.control_evidence,
        change=0.0 * ones,
    )
    posterior = conclude(np.zeros((len(KINDS), facts.rater_count)), np.array(parameters.shares))
    return Draft(
        parameters,
        bias=0.0 * ones,
        stretch=ones,
        p_honest=ones,
        weight=ones,
        habits=habits,
        posterior=posterior,
        voice=ones,
    )


@dataclass(frozen=True, slots=True)
class Consensus:
    """Weighted sums of each image, and what the others say of the image of each rating."""

    corrected: Floats
    """Ratings without bias and stretch."""
    row_weight: Floats
    total: Floats
    weight: Floats
    mean: float
    others: Floats
    """Leave-one-out posterior mean of the image of each rating."""
    others_weight: Floats


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where the sweeps are: in the first there is no p_honest yet, in the late ones the scores have settled."""

    is_first: bool
    is_late: bool
    sides: Sides | None


def reach_consensus(draft: Draft, facts: Facts) -> Consensus:
    """Return sums of images and leave-one-out scores of ratings."""
    middle, kappa = draft.parameters.mean, draft.parameters.kappa
    rater, image = facts.rater, facts.image
    corrected = middle + (facts.value - draft.bias[rater] - middle) * draft.stretch[rater]
    row_weight = (draft.weight * draft.voice)[rater]
    weighted = row_weight * corrected
    total = sums(image, weighted, facts.image_count)
    weight = sums(image, row_weight, facts.image_count)
    mean = float(total.sum() / max(float(weight.sum()), 1e-9))
    others_weight = np.maximum(weight[image] - row_weight, 0.0)
    others = (total[image] - weighted + kappa * mean) / (others_weight + kappa)
    return Consensus(corrected, row_weight, total, weight, mean, others, others_weight)


def improve(draft: Draft, facts: Facts, levels: Levels, sweep: Sweep) -> None:
    """Improve everything once: consensus, biases, correlations, honesty, variances, weights, stretch."""
    consensus = reach_consensus(draft, facts)
    draft.parameters = replace(draft.parameters, mean=consensus.mean)
    draft.bias = estimate_bias(draft, facts, consensus)
    draft.habits = replace(draft.habits, z=correlations(facts, consensus.others))
    if sweep.is_late:
        change, scale = find_changes(draft.habits, draft.parameters, facts, consensus.others, consensus.others_weight)
        draft.habits = replace(draft.habits, change=change)
        draft.parameters = replace(draft.parameters, change_scale=scale)
    judge_honesty(draft, levels, sweep)
    draft.parameters = estimate_variances(draft, facts, consensus)
    draft.weight = draft.p_honest * information_weight(shrink_z(draft.habits, draft.parameters), draft.parameters)
    draft.stretch = stretch_factor(facts.count, facts.spread, draft.parameters.total)


def estimate_bias(draft: Draft, facts: Facts, consensus: Consensus) -> Floats:
    """Return how much higher than the others each rater answers, shrunk to the mean of all."""
    share, difference = bias_parts(consensus.others, consensus.others_weight, facts.value, draft.parameters)
    raters = facts.rater_count
    bias = sums(facts.rater, difference, raters) / (sums(facts.rater, share, raters) + BIAS_PSEUDO)
    weight = facts.count * np.maximum(draft.p_honest, 1e-3)
    return np.asarray(bias - np.average(bias, weights=weight))


def correlations(facts: Facts, others: Floats) -> Floats:
    """Return Fisher's z of each rater with what the others say."""
    rater, raters = facts.rater, facts.rater_count
    return correlate(
        facts.count,
        sums(rater, others, raters),
        facts.total,
        sums(rater, others * others, raters),
        facts.squares,
        sums(rater, others * facts.value, raters),
    )


def judge_honesty(draft: Draft, levels: Levels, sweep: Sweep) -> None:
    """Fit the population, and with it the probability that each rater looks."""
    habits, parameters, sides = draft.habits, draft.parameters, sweep.sides
    people = habits if sides is None else select(habits, sides.p_with > 0.5)
    parameters = fit_spread(habits, parameters, draft.p_honest, levels.count)
    if sweep.is_first:
        parameters = replace(parameters, honest_z=first_honest_z(people.z, people.information, parameters.honest_z))
    else:
        parameters = fit_distance(habits, parameters, draft.p_honest)
    draft.parameters = parameters = fit_population(people, parameters, levels.count)
    evidence, shares = weigh_all(habits, parameters, levels.count), np.array(parameters.shares)
    if sides is None:
        draft.posterior = conclude(evidence, shares)
    else:
        evidence, shares = np.vstack([evidence, sides.evidence + evidence[0]]), np.append(shares, sides.share)
        draft.posterior = sides.join(conclude(evidence, shares * min(1.0, MOST_NOT_HONEST / shares.sum())))
    draft.p_honest = draft.posterior.p_honest


def estimate_variances(draft: Draft, facts: Facts, consensus: Consensus) -> Parameters:
    """Return parameters with variances from products of ratings that different raters gave one image."""
    weight = (draft.p_honest * draft.voice)[facts.rater]
    deviation = consensus.corrected - consensus.mean
    weighted = weight * deviation
    image, images = facts.image, facts.image_count
    products = sums(image, weighted, images) ** 2 - sums(image, weighted * weighted, images)
    pairs = sums(image, weight, images) ** 2 - sums(image, weight * weight, images)
    everything = weight + 1e-9
    total = max(float(np.average(deviation * deviation, weights=everything)), 1e-3)
    between = max(float(products.sum()) / max(float(pairs.sum()), 1e-9), 0.03 * total)
    within = max(total - between, 0.05 * total)
    kappa = within / between
    share = consensus.others_weight / (consensus.others_weight + kappa)
    return replace(
        draft.parameters,
        between=between,
        within=within,
        kappa=kappa,
        agreement=float(np.average(share, weights=everything)),
    )


def describe(draft: Draft, facts: Facts, levels: Levels) -> Fit:
    """Return the draft as it is published."""
    consensus = reach_consensus(draft, facts)
    images = describe_images(
        facts.votes_of_image,
        sums(facts.image, facts.value, facts.image_count),
        counts(facts.image[(draft.p_honest * draft.voice)[facts.rater] >= 0.5], facts.image_count),
        consensus.total,
        consensus.weight,
        sums(facts.image, consensus.row_weight**2, facts.image_count),
        replace(draft.parameters, mean=consensus.mean),
        levels,
    )
    raters = describe_raters(
        draft.habits, draft.posterior, draft.parameters, levels, bias=draft.bias, stretch=draft.stretch
    )
    return Fit(images, raters, draft.parameters)


def describe_images(
    count: Ints,
    plain: Floats,
    counted: Floats,
    total: Floats,
    weight: Floats,
    squares: Floats,
    parameters: Parameters,
    levels: Levels,
) -> ImageResults:
    """Return what is told of images from their sums, in units of the scale."""
    kappa = parameters.kappa
    score = (total + kappa * parameters.mean) / (weight + kappa)
    error = ERROR_FACTOR * np.sqrt(parameters.within / (weight + kappa))
    return ImageResults(
        count=count,
        counted=counted.astype(np.int64),
        mean=levels.from_steps(np.divide(plain, count, out=np.full(len(count), np.nan), where=count > 0)),
        score=levels.from_steps(score),
        standard_error=error * levels.unit,
        low=levels.from_steps(score - CONFIDENCE_95 * error),
        high=levels.from_steps(score + CONFIDENCE_95 * error),
        effective_count=np.divide(weight**2, squares, out=np.zeros_like(weight), where=squares > 0),
    )
