"""The trust chain, pushes, comparisons, agreement, and the small functions beneath them."""

import math

import numpy as np
import pytest

from ratings.stats.agreement import measure_agreement
from ratings.stats.chain import fit_chain
from ratings.stats.comparisons import LEFT, RIGHT, TIE, Votes, fit_comparisons, make_bad_votes
from ratings.stats.consensus import fit, solve
from ratings.stats.facts import find_facts
from ratings.stats.levels import Levels, NotARating, guess_levels
from ratings.stats.pushing import binomial_tail, find_pushes
from ratings.stats.ranks import rank, rank_correlation
from ratings.stats.rows import RatingsInvalid, make_ratings
from ratings.stats.special import log_gamma, normal_quantile
from tests.quality.measure import auc
from tests.quality.real import load
from tests.quality.scenes import make_scene
from tests.quality.test_tables import get_pool


@pytest.mark.parametrize(("share", "every"), [(0.4, 10), (0.4, 60), (0.6, 20)], ids=["40%", "five seeds", "60%"])
@pytest.mark.parametrize("pool", ["made", "london", "movielens"])
def test_a_ring_raises_the_alarm_and_the_chain_withstands_it(pool, share, every):
    scene = make_scene(get_pool(pool), "ring", share, seed=1, each=60)
    seeds = np.zeros(len(scene.is_spam), dtype=bool)
    seeds[np.flatnonzero(~scene.is_spam)[::every]] = True
    chained = fit_chain(scene.ratings(), scene.levels, seeds=seeds)
    oracle = rank_correlation(fit(scene.ratings(scene.is_honest_row), scene.levels).images.score, scene.truth)
    assert chained.is_ring
    assert rank_correlation(chained.plain.images.score, scene.truth) < 0.5
    assert rank_correlation(chained.best.images.score, scene.truth) > oracle - 0.02
    assert chained.best.raters.p_honest[scene.is_spam].mean() < 0.05


@pytest.mark.parametrize(("kind", "share"), [("none", 0.0), ("mix", 0.4), ("copy", 0.4)])
@pytest.mark.parametrize("pool", ["made", "movielens"])
def test_without_a_ring_there_is_no_alarm(pool, kind, share):
    scene = make_scene(get_pool(pool), kind, share, seed=1)
    seeds = ~scene.is_spam & (np.arange(len(scene.is_spam)) % 10 == 0)
    chained = fit_chain(scene.ratings(), scene.levels, seeds=seeds)
    assert not chained.is_ring
    assert chained.best is chained.plain
    assert chained.correlation > 0.98


def test_without_seeds_there_is_no_chain():
    scene = make_scene(load("made"), "none", 0.0, seed=1, raters=20)
    seeds = np.zeros(len(scene.is_spam), dtype=bool)
    with pytest.raises(RatingsInvalid):
        fit_chain(scene.ratings(), scene.levels, seeds=seeds)


def test_pushed_images_and_who_pushed_them_are_found():
    scene = make_scene(load("made"), "collude", 0.3, seed=3)
    facts = find_facts(scene.ratings(), scene.levels)
    pushes = find_pushes(solve(facts, scene.levels), facts, scene.levels)
    pushed = np.unique(scene.image[~scene.is_honest_row])
    found = np.flatnonzero(pushes.is_pushed)
    assert np.isin(found, pushed).mean() > 0.6
    assert auc(scene.is_spam, pushes.rater_events) > 0.7


def test_binomial_tail_is_that_of_the_definition():
    exact = sum(math.comb(12, k) * 0.1**k * 0.9 ** (12 - k) for k in range(3, 13))
    np.testing.assert_allclose(binomial_tail(np.array([3.0, 0.0]), np.array([12.0, 12.0]), 0.1), [exact, 1.0])


def make_votes(*, spam, seed=0, images=60, raters=60, each=60):
    dice = np.random.default_rng(seed)
    score = dice.normal(0, 1.5, images)
    rater = np.repeat(np.arange(raters), each)
    left = dice.integers(0, images, len(rater))
    right = (left + dice.integers(1, images, len(rater))) % images
    wins = dice.random(len(rater)) < 1 / (1 + np.exp(score[right] - score[left]))
    is_spam = np.arange(raters) < spam * raters
    blind = dice.random(len(rater)) < (0.95 if seed else 0.5)
    outcome = np.where(np.where(is_spam[rater], blind, wins), LEFT, RIGHT)
    return Votes(left, right, rater, outcome, images, raters), score, is_spam


@pytest.mark.parametrize("seed", [0, 1], ids=["random", "one side"])
def test_comparisons_withstand_blind_votes(seed):
    votes, score, is_spam = make_votes(spam=0.4, seed=seed)
    honest = ~is_spam[votes.rater]
    alone = fit_comparisons(
        Votes(votes.left[honest], votes.right[honest], votes.rater[honest], votes.outcome[honest], 60, 60)
    )
    result = fit_comparisons(votes)
    assert rank_correlation(result.score, score) > rank_correlation(alone.score, score) - 0.03
    assert auc(is_spam, result.log_odds) > 0.95
    covered = (result.low <= score - score.mean()) & (score - score.mean() <= result.high)
    assert covered.mean() > 0.85


def test_ties_pull_together_and_all_bad_pulls_down():
    left, right = np.tile([0, 0, 1], 20), np.tile([1, 2, 2], 20)
    rater = np.repeat(np.arange(10), 6)
    tied = fit_comparisons(Votes(left, right, rater, np.full(60, TIE), 3, 10))
    np.testing.assert_allclose(tied.score, 0, atol=1e-6)
    bad = make_bad_votes(np.array([0, 1] * 10), np.repeat(np.arange(10), 2), threshold=3)
    columns = [np.r_[a, b] for a, b in zip((left, right, rater, np.full(60, TIE)), bad, strict=True)]
    result = fit_comparisons(Votes(*columns, 4, 10))
    assert result.score[3] > result.score[2] > result.score[:2].max()


def test_votes_that_make_no_sense_are_refused():
    one = np.array([0])
    for left, right, outcome in ((0, 0, LEFT), (0, 5, LEFT), (0, 1, 7), (-1, 1, TIE)):
        with pytest.raises(RatingsInvalid):
            Votes(np.array([left]), np.array([right]), one, np.array([outcome]), 2, 1)
    empty = np.array([], dtype=int)
    assert np.isfinite(fit_comparisons(Votes(empty, empty, empty, empty, 3, 2)).score).all()


def long(table):
    rows = [(unit, rater, v) for rater, values in enumerate(table) for unit, v in enumerate(values) if v is not None]
    image, rater, value = (np.array(column) for column in zip(*rows, strict=True))
    return make_ratings(image, rater, value)


def test_alpha_is_that_of_krippendorffs_example():
    """Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section D: four observers, twelve units."""
    _ = None
    table = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
    agreement = measure_agreement(long(table), Levels(1, 5))
    assert agreement.alpha_interval == pytest.approx(0.849, abs=5e-4)
    assert agreement.alpha_ordinal == pytest.approx(0.815, abs=5e-4)
    assert (agreement.image_count, agreement.rating_count) == (11, 40)


def test_intraclass_correlation_is_that_of_shrout_and_fleiss():
    judges = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    agreement = measure_agreement(long(judges), Levels(1, 10))
    assert agreement.icc_single == pytest.approx(0.17, abs=5e-3)
    assert agreement.icc_average == pytest.approx(0.44, abs=5e-3)


@pytest.mark.parametrize("table", [[[1, 2, 3]], [[2, 2], [2, 2]]], ids=["one rater", "no variation"])
def test_agreement_that_is_not_defined_is_nan(table):
    agreement = measure_agreement(long(table), Levels(1, 5))
    assert math.isnan(agreement.alpha_interval)
    assert math.isnan(agreement.icc_single)


def test_scales_are_guessed():
    many = np.tile([1.0, 2, 3, 4, 5], 100)
    assert guess_levels(many) == Levels(1, 5)
    assert guess_levels(many / 2) == Levels(0.5, 2.5, 0.5)
    assert guess_levels(np.array([3.0, 4.0])) == Levels(1, 5)
    assert guess_levels(np.linspace(0, 100, 1001)).count == 101
    assert guess_levels(np.full(1000, 3.0)) == Levels(1, 5)
    with pytest.raises(NotARating):
        guess_levels(np.full(1000, 1e7))
    with pytest.raises(NotARating):
        Levels(5, 1)
    with pytest.raises(RatingsInvalid):
        make_ratings([0, 1], [0, 0], [1.0])


def test_special_functions_are_exact():
    x = np.array([0.5, 1.0, 2.0, 3.7, 40.0, 1e5])
    np.testing.assert_allclose(log_gamma(x), [math.lgamma(value) for value in x], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(normal_quantile(np.array([0.025, 0.5, 0.975])), [-1.95996, 0, 1.95996], atol=1e-3)
    np.testing.assert_allclose(rank(np.array([3.0, 1, 3, 2])), [3.5, 1, 3.5, 2])


@pytest.mark.parametrize("levels", [Levels(1, 5), Levels(0.5, 5, 0.5), Levels(0, 100), Levels(-10, 10, 0.1)])
def test_the_scale_does_not_matter(levels):
    """The same scene on other scales: coarse, half stars, sliders."""
    scene = make_scene(load("made"), "mix", 0.2, seed=7)
    share = (scene.value - 1) / 6
    value = levels.low + np.rint(share * (levels.count - 1)) * levels.unit
    columns = make_ratings(
        scene.image, scene.rater, value, image_count=len(scene.truth), rater_count=len(scene.is_spam)
    )
    result = fit(columns, levels)
    assert rank_correlation(result.images.score, scene.truth) > 0.75
    assert auc(scene.is_spam, result.raters.log_odds) > 0.8
