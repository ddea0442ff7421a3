"""Datasets unlike those the method was made on: nobody who looks is called garbage, and who does not look is found."""

import numpy as np
import pytest

from ratings.stats.levels import guess_levels
from ratings.stats.ranks import rank_correlation
from ratings.stats.replay import Question, replay
from ratings.stats.standing import CAMP, Standing, reason_of
from tests.quality.measure import auc
from tests.quality.real import load
from tests.quality.scenes import make_scene
from tests.quality.worlds import WORLDS, populate


def run(population):
    levels = guess_levels(population.value)
    return replay(population.image, population.rater, [Question(levels, population.value)])


def is_held(result):
    return result.verdicts.standing == Standing.QUARANTINED


@pytest.mark.parametrize("name", WORLDS)
def test_where_everybody_looks_hardly_anybody_is_held(name):
    world = WORLDS[name]
    population = populate(world, seed=1)
    result = run(population)
    # Of a camp some agree too little with each other to be told from bots.
    assert is_held(result).sum() <= world.raters // (40 if world.camps else 100)
    if not world.camps:
        assert (result.verdicts.standing == Standing.WATCHED).mean() <= 0.03
    assert np.isfinite(result.images.score).all()
    if not world.constant_items:
        rated = np.arange(len(result.images.score))
        truth = population.truth[rated]
        scores, means = result.images.score, np.nan_to_num(result.images.mean)
        assert rank_correlation(scores, truth) >= rank_correlation(means, truth) - 0.01


def test_a_camp_of_taste_is_watched_and_told_so_but_a_ring_is_none():
    camp = run(populate(WORLDS["two camps of taste"], seed=1))
    excused = np.flatnonzero(camp.verdicts.kind == CAMP)
    assert len(excused) >= 10
    assert (camp.verdicts.standing[excused] == Standing.WATCHED).all()
    assert "a minority that sees things otherwise" in reason_of(camp.raters, excused[0], CAMP)
    scene = make_scene(load("made"), "ring", 0.15, seed=1, each=60)
    ring = replay(scene.image, scene.rater, [Question(scene.levels, scene.value)])
    assert (ring.verdicts.kind[scene.is_spam] == CAMP).mean() < 0.1


@pytest.mark.parametrize("kind", ["uniform", "constant", "marginal"])
@pytest.mark.parametrize(
    "name", ["thumbs", "a slider", "half stars, self-chosen", "by rater, sparse", "mostly nothing"]
)
def test_bots_are_found_and_people_are_not_held_for_them(name, kind):
    population = populate(WORLDS[name], seed=2, bots=0.2, kind=kind)
    result = run(population)
    held, is_bot = is_held(result), population.is_bot
    assert held[~is_bot].mean() <= 0.01
    assert auc(is_bot, result.raters.log_odds) > 0.9
    assert rank_correlation(result.images.score, population.truth[: len(result.images.score)]) > 0.9
