"""The online tests: who does not look is hardly ever trusted, who looks is hardly ever held, whenever one looks."""

from dataclasses import replace

import numpy as np
import pytest

from ratings.stats.bets import EValues, ban_value, bet, trust_value
from ratings.stats.changes import fit_scale
from ratings.stats.levels import Levels
from ratings.stats.parameters import KINDS, Parameters, Policy
from ratings.stats.sequential import scatter
from ratings.stats.standing import Standing, judge, pool_e_values, pool_odds, reason_of
from tests.quality.evidence import run_bets
from tests.quality.live import measure_live, play
from tests.quality.real import load
from tests.quality.scenes import make_scene

RATERS, RATINGS = 3000, 150
PARAMETERS = Parameters.start(Levels(1, 10))


def ever(logs, threshold):
    return float((np.maximum.accumulate(logs, axis=1)[:, -1] >= np.log(threshold)).mean())


def play_bets(x, y):
    trust, looking = bet(x.ravel(), y.ravel(), PARAMETERS)
    shape = (*x.shape, -1)
    return np.cumsum(trust.reshape(shape), axis=1), np.cumsum(looking.reshape(shape), axis=1)


@pytest.mark.parametrize("strategy", ["normal", "always the same", "ends in turn", "far out", "what won before"])
def test_whatever_the_blind_do_they_reach_trust_at_most_once_in_a_hundred(strategy):
    dice = np.random.default_rng(8)
    x = dice.normal(size=(RATERS, RATINGS))
    y = {
        "normal": dice.normal(size=x.shape),
        "always the same": np.full(x.shape, 0.3),
        "ends in turn": np.where(np.arange(RATINGS) % 2, 1.6, -1.6) * np.ones(x.shape),
        "far out": 3 * np.sign(dice.normal(size=x.shape)),
        # Answers the side on which the last image was: all that a bot can know of the past.
        "what won before": np.sign(np.roll(x, 1, axis=1)),
    }[strategy]
    trust, _ = play_bets(x, y)
    assert ever(trust_value(trust), 100) <= 0.01 + 3 * np.sqrt(0.01 / RATERS)
    assert ever(trust_value(trust), 20) <= 0.05 + 3 * np.sqrt(0.05 / RATERS)


def test_the_honest_reach_the_ban_at_most_once_in_a_thousand_and_unusual_taste_is_honest():
    dice = np.random.default_rng(9)
    taste = np.tanh(np.maximum(PARAMETERS.honest_z + PARAMETERS.honest_z_sd * dice.normal(size=(RATERS, 1)), 0.02))
    x = dice.normal(size=(RATERS, RATINGS))
    y = taste * x + np.sqrt(1 - taste**2) * dice.normal(size=x.shape)
    _, looking = play_bets(x, y)
    zeros = np.zeros(x.shape)
    ban = ban_value(looking, zeros, zeros)
    assert ever(ban, 1000) <= 0.003
    assert ever(ban, 100) <= 0.02
    unusual = taste[:, 0] < np.quantile(taste, 0.05)
    assert ever(ban[unusual], 1000) <= 0.04


@pytest.mark.parametrize("kind", ["uniform", "permute"])
def test_in_a_whole_run_spam_is_not_trusted_and_the_honest_are_not_held(kind):
    live = measure_live(load("made"), kind, 0.2, seeds=(6,), each=80)
    assert live.spam_trusted <= 0.03
    assert live.honest_held <= 0.01
    assert live.honest_trusted >= 0.8
    assert live.spam_held >= 0.5


@pytest.mark.parametrize(("with_gold", "most"), [(False, 40), (True, 20)], ids=["peers", "gold"])
def test_on_complete_images_people_are_trusted_soon_and_bots_never(with_gold, most):
    bets = run_bets(make_scene(load("made"), "permute", 0.2, seed=3, each=100), with_gold=with_gold)
    trusted, banned = bets.crossed_at("trust", 100), bets.crossed_at("ban", 1000)
    assert np.median(trusted[~bets.is_spam]) <= most
    assert np.isfinite(trusted[bets.is_spam]).mean() <= 0.02
    assert np.isfinite(banned[~bets.is_spam]).mean() <= 0.01


def test_images_are_ranked_among_all_when_everybody_sees_them_in_one_order():
    """A sample of every k-th row would hold three images of a hundred and two."""
    for images in (34, 102, 1024):
        chosen = scatter(images * 1400, 4096)
        assert 3000 < len(chosen) < 5000
        assert len(np.unique(chosen % images)) > 0.9 * images


def test_evidence_of_a_change_is_believed_as_far_as_it_is_right_of_those_who_never_changed():
    dice = np.random.default_rng(2)
    assert fit_scale(dice.exponential(0.8, 5000)) == 1.0
    assert fit_scale(dice.exponential(2.0, 5000)) == pytest.approx(0.5, abs=0.05)
    assert fit_scale(np.array([])) == 1.0


def test_who_uses_all_levels_alike_and_looks_is_not_banned_for_it():
    looking = np.array([[8.0] * 7])
    assert ban_value(looking, np.array([16.0]), np.array([-100.0]))[0] < 0


def test_verdicts_have_reasons():
    state = play(make_scene(load("made"), "constant", 0.2, seed=1, each=60, raters=150))
    results = state.rater_results()
    verdicts = judge(results, state.e_values(), Policy())
    held = np.flatnonzero(verdicts.standing == Standing.QUARANTINED)
    assert len(held) >= 30
    assert {reason_of(results, index, verdicts.kind[index]).startswith("nearly all of") for index in held} == {True}
    trusted = np.flatnonzero(verdicts.standing == Standing.TRUSTED)
    assert {reason_of(results, index, verdicts.kind[index]) for index in trusted} == {""}


@pytest.mark.parametrize(
    ("kind", "change", "is_out"), [("changed", 0.0, False), ("changed", 8.0, True), ("blind", 0.0, True)]
)
def test_the_fit_holds_alone_but_for_a_change_that_the_online_test_has_not_seen(kind, change, is_out):
    """People rate in runs of one kind of thing, and a long run looks like somebody who no longer looks."""
    state = play(make_scene(load("made"), "constant", 0.0, seed=1, each=60, raters=20))
    results, nothing = state.rater_results(), np.zeros(state.raters.size)
    suspicion = np.zeros_like(results.suspicion)
    suspicion[:, KINDS.index(kind)] = 0.999
    improbable = replace(results, p_honest=nothing + 0.001, suspicion=suspicion)
    verdicts = judge(improbable, EValues(nothing, nothing, nothing + change), Policy(), is_nightly=True)
    assert set(verdicts.standing == Standing.QUARANTINED) == {is_out}


def test_evidence_of_several_questions_is_pooled():
    assert pool_e_values(np.log(np.array([[100.0], [1.0]])))[0] == pytest.approx(np.log(50.5))
    odds = pool_odds(np.array([[-4.0, -4.0], [6.0, -5.0]]), np.array([[30.0, 30.0], [30.0, 0.0]]))
    assert odds[0] > 5
    assert odds[1] == pytest.approx(-4.0)
