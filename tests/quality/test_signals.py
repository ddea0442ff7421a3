"""Signals on real ratings: whoever looks is hardly ever struck, and scripts of the kinds that each is for are.

Where the real ratings are not beside the checkout, the generated ones alone are looked at.
"""

import numpy as np
import pytest

from ratings.countermeasures.signals.answers import INPUTS, Answers, Groups
from ratings.countermeasures.signals.lockstep import measure_lockstep
from ratings.countermeasures.signals.no_damage import measure_no_damage
from ratings.countermeasures.signals.pace import measure_pace
from ratings.countermeasures.signals.pattern import measure_pattern
from ratings.countermeasures.signals.pushing import measure_pushing
from ratings.countermeasures.signals.runs import measure_runs
from ratings.countermeasures.signals.sameness import measure_sameness
from ratings.services.signals import STRIKING
from tests.quality.real import load
from tests.quality.scenes import make_scene

BY_VALUE = (measure_runs, measure_sameness, measure_pattern)
POOLS = ("made", "london", "movielens")


@pytest.fixture(params=POOLS)
def pool(request):
    found = load(request.param)
    if found is None:
        pytest.skip("the real ratings are not beside the checkout")
    return found


def others(image, value):
    total, count = np.bincount(image, value), np.bincount(image)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count[image] > 2, (total[image] - value) / (count[image] - 1), np.nan)


def as_answers(rater, value, others_aesthetic=None, **columns):
    unknown = np.full(len(rater), np.nan)
    plain = {"artifacts": unknown, "answer_ms": unknown, "elapsed_ms": unknown, "others_artifacts": unknown}
    plain |= {"input": np.zeros(len(rater), np.int64)} | columns
    return Answers(rater, value, others_aesthetic=unknown if others_aesthetic is None else others_aesthetic, **plain)


def struck(measured, size):
    result = np.zeros(size, dtype=bool)
    result[measured.rater[measured.log_evidence >= STRIKING]] = True
    return result


def struck_in(scene, measure):
    order = np.argsort(scene.rater, kind="stable")
    answers = as_answers(scene.rater[order], scene.value[order], others(scene.image, scene.value)[order])
    return struck(measure(answers, Groups.of(answers.rater)), len(scene.is_spam))


def test_who_looks_is_not_struck(pool):
    """Of real people whose answers go with those of the others, one in a hundred at most."""
    for kind, share in (("uniform", 0.0), ("mix", 0.2)):
        scene = make_scene(pool, kind, share, seed=3, each=100)
        for measure in BY_VALUE:
            assert struck_in(scene, measure)[~scene.is_spam].mean() <= 0.01, measure.__name__


def test_who_always_answers_the_same_is(pool):
    scene = make_scene(pool, "constant", 0.2, seed=3, each=60)
    assert struck_in(scene, measure_sameness)[scene.is_spam].mean() >= 0.8


def test_where_nearly_all_deserve_the_same_long_runs_are_honest(pool):
    """An easy dataset: everybody gives most images one value, and the next one to the others."""
    dice = np.random.default_rng(4)
    rater = np.repeat(np.arange(150), 120)
    value = np.where(dice.random(len(rater)) < 0.85, 9.0, 8.0)
    answers = as_answers(rater, value)
    groups = Groups.of(rater)
    assert max(np.diff(np.flatnonzero(np.r_[True, value[1:] != value[:-1], True]))) > 25
    for measure in BY_VALUE:
        assert not struck(measure(answers, groups), 150).any(), measure.__name__


def test_who_pushes_images_is_found_among_those_who_do_not():
    pool = load("london") or load("made")
    scene = make_scene(pool, "collude", 0.2, seed=1, each=100)
    found = struck(measure_pushing(scene.rater, scene.image, scene.value, scene.levels), len(scene.is_spam))
    assert found[scene.is_spam].mean() >= 0.1
    assert found[~scene.is_spam].mean() <= 0.005


def test_nobody_pushes_where_nobody_does(pool):
    scene = make_scene(pool, "uniform", 0.0, seed=2, each=100)
    found = struck(measure_pushing(scene.rater, scene.image, scene.value, scene.levels), len(scene.is_spam))
    assert found.mean() <= 0.005


def test_fast_people_with_a_keyboard_are_people():
    """Lognormal times around 450 ms, which is faster than we have seen anybody rate; one in fifty is a slip."""
    dice = np.random.default_rng(5)
    rater = np.repeat(np.arange(200), 300)
    answer_ms = np.exp(dice.normal(np.log(450), 0.25, len(rater)))
    answer_ms[dice.random(len(rater)) < 0.02] = 80
    keyboard = np.full(len(rater), INPUTS.index("keyboard"))
    answers = as_answers(rater, np.full(len(rater), 5.0), answer_ms=answer_ms, input=keyboard)
    assert not struck(measure_pace(answers, Groups.of(rater)), 200).any()
    hurried = as_answers(rater, np.full(len(rater), 5.0), answer_ms=answer_ms / 3, input=keyboard)
    assert struck(measure_pace(hurried, Groups.of(rater)), 200).all()


def test_mild_eyes_are_not_blind_ones():
    """People differ in what they call damage: the mildest see it in every second damaged image."""
    dice = np.random.default_rng(6)
    rater = np.repeat(np.arange(100), 60)
    sees = np.linspace(0.5, 0.98, 100)[rater]
    artifacts = np.where(dice.random(len(rater)) < sees, 3.0, 0.0)
    artifacts[rater == 99] = 0.0
    damaged = np.full(len(rater), 3.2)
    answers = as_answers(rater, np.full(len(rater), 5.0), artifacts=artifacts, others_artifacts=damaged)
    assert np.flatnonzero(struck(measure_no_damage(answers, Groups.of(rater)), 100)).tolist() == [99]


@pytest.mark.parametrize("per_second", [1, 40], ids=["an evening", "a busy service"])
def test_who_rates_at_the_same_time_is_not_in_lock_step(per_second):
    dice = np.random.default_rng(7)
    people = 10 * per_second
    rater = np.repeat(np.arange(people), 100)
    answered_ms = (np.arange(100) * 10_000 + dice.uniform(0, 10_000, (people, 100))).astype(np.int64).ravel()
    assert not struck(measure_lockstep(rater, answered_ms), people).any()
    echo = answered_ms[:100] + dice.integers(0, 200, 100)
    both = np.r_[rater, np.full(100, people)], np.r_[answered_ms, echo]
    assert np.flatnonzero(struck(measure_lockstep(*both), people + 1)).tolist() == [0, people]
