"""The incremental form: it agrees with the fit from scratch, and no order of events breaks it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings.stats.levels import Levels, NotARating
from ratings.stats.nightly import calibrate, rebuild, restore
from ratings.stats.online import silence, update, withdraw
from ratings.stats.ranks import rank_correlation
from ratings.stats.rows import RatingsInvalid
from ratings.stats.state import Batch, State
from tests.quality.live import play
from tests.quality.real import load
from tests.quality.scenes import make_scene

SUMS = ("count", "x", "y", "xx", "yy", "xy", "share", "difference")


def scene(kind="mix", share=0.2, seed=4):
    return make_scene(load("made"), kind, share, seed=seed, raters=120)


def batch(*rows):
    image, rater, value = zip(*rows, strict=True) if rows else ((), (), ())
    return Batch(np.array(image, dtype=int), np.array(rater, dtype=int), np.array(value, dtype=float))


def snapshot(state):
    """Return copies of what is known, in the order of ids."""
    raters = np.argsort(state.raters.ids[: state.raters.size])
    images = np.argsort(state.images.ids[: state.images.size])
    known = {name: getattr(state.raters, name)[raters] for name in (*SUMS, "trust", "looking", "change")}
    return known | {"score": state.image_results(images).score, "p": state.rater_results(raters).p_honest}


def assert_same(one, other, **close):
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], err_msg=name, **(close or {"rtol": 1e-9, "atol": 1e-9}))


@pytest.mark.parametrize(
    ("kind", "share", "least"), [("none", 0.0, 0.99), ("mix", 0.2, 0.99), ("uniform", 0.4, 0.96), ("copy", 0.4, 0.96)]
)
def test_online_agrees_with_from_scratch(kind, share, least):
    state = play(make_scene(load("made"), kind, share, seed=2))
    _, drift = calibrate(state)
    assert drift.correlation >= least
    assert not drift.is_alarming


def test_size_of_batches_hardly_matters():
    there = scene()
    whole = play(there, size=10_000)
    for size in (23, 400):
        state = play(there, size=size)
        order = np.argsort(state.images.ids[: state.images.size])
        other = np.argsort(whole.images.ids[: whole.images.size])
        assert rank_correlation(state.image_results().score[order], whole.image_results().score[other]) > 0.99
        np.testing.assert_allclose(state.raters.count.sum(), whole.raters.count.sum())


def test_a_batch_sent_again_changes_nothing():
    there = scene()
    state = play(there)
    before = snapshot(state)
    changes = update(state, Batch(there.image[-300:], there.rater[-300:], there.value[-300:]))
    assert not len(changes.images)
    assert not len(changes.raters)
    assert_same(before, snapshot(state))


def test_an_empty_batch_changes_nothing():
    state = play(scene())
    before = snapshot(state)
    update(state, batch())
    assert_same(before, snapshot(state))
    assert State.empty(Levels(1, 5)).image_results().score.shape == (0,)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0, 8, -1e300])
def test_a_value_off_the_scale_is_refused_and_nothing_changes(wrong):
    state = play(scene())
    before, rows, raters = snapshot(state), state.rows.size, state.raters.size
    with pytest.raises(NotARating):
        update(state, batch((1, 1, 3), (2, 99_999, wrong)))
    assert (state.rows.size, state.raters.size) == (rows, raters)
    assert_same(before, snapshot(state))


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(RatingsInvalid):
        Batch(np.array([1, 2]), np.array([1]), np.array([1.0]))
    with pytest.raises(RatingsInvalid):
        update(State.empty(Levels(1, 5)), Batch(np.array([1.5]), np.array([1]), np.array([1.0])))


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 1, 3)],
        [(1, rater, 3) for rater in range(40)],
        [(image, 1, image % 5 + 1) for image in range(40)],
        [(image, rater, 4) for image in range(10) for rater in range(10)],
        [(1, 1, 3), (1, 1, 5), (1, 1, 2)],
    ],
    ids=["one rating", "one image", "one rater", "all the same", "one pair again and again"],
)
def test_degenerate_sets_give_finite_results(rows):
    state = State.empty(Levels(1, 5))
    update(state, batch(*rows))
    calibrate(state)
    for results in (state.image_results(), state.rater_results()):
        for name in results.__dataclass_fields__:
            assert np.isfinite(getattr(results, name)).all(), name
    assert ((state.image_results().score >= 1) & (state.image_results().score <= 5)).all()


def test_a_revision_is_as_if_the_last_value_had_come_first():
    rows = [(image, rater, (image * rater) % 5 + 1) for image in range(12) for rater in range(9)]
    revised, straight = State.empty(Levels(1, 5)), State.empty(Levels(1, 5))
    update(revised, batch(*rows))
    update(revised, batch((3, 4, 5), (7, 2, 1)))
    changed = {(3, 4): 5, (7, 2): 1}
    update(straight, batch(*((image, rater, changed.get((image, rater), value)) for image, rater, value in rows)))
    for state in (revised, straight):
        rebuild(state)
    np.testing.assert_allclose(revised.raters.y, straight.raters.y)
    np.testing.assert_array_equal(revised.raters.histogram, straight.raters.histogram)
    np.testing.assert_allclose(revised.images.plain, straight.images.plain)


def test_silence_takes_a_rater_out_and_letting_them_in_brings_all_back():
    state = play(scene())
    calibrate(state)
    before = snapshot(state)
    who = state.raters.ids[[3, 8]]
    silence(state, who)
    alone = state.image_results().effective_count.sum()
    silence(state, who)
    silence(state, np.array([-5, 10**12]))
    assert alone == state.image_results().effective_count.sum()
    silence(state, who, is_silent=False)
    assert state.image_results().effective_count.sum() > alone
    assert_same({"score": before["score"]}, snapshot(state), atol=0.12)
    assert_same({name: before[name] for name in ("count", "y", "yy")}, snapshot(state))


def test_withdrawn_ratings_are_as_if_never_given():
    there = scene()
    state, without = play(there), State.empty(there.levels, parameters=None)
    gone = slice(100, 140)
    withdraw(state, there.image[gone], there.rater[gone])
    kept = np.r_[0:100, 140 : len(there.rater)]
    update(without, Batch(there.image[kept], there.rater[kept], there.value[kept]))
    for name in ("count", "y", "yy"):
        one, other = (
            dict(zip(s.raters.ids.tolist(), getattr(s.raters, name).tolist()[: s.raters.size], strict=False))
            for s in (state, without)
        )
        assert {key: round(value, 6) for key, value in one.items() if value > 1e-6} == {
            key: round(value, 6) for key, value in other.items() if value > 1e-6
        }
    before = snapshot(state)
    withdraw(state, there.image[gone], there.rater[gone])
    assert_same(before, snapshot(state))


def test_a_state_comes_back_from_storage():
    there = scene()
    state = play(there)
    everybody = np.arange(state.raters.size)
    rebuild(state)
    back = restore(
        there.levels,
        parameters=type(state.parameters)(**state.parameters.as_dict()),
        policy=state.policy,
        rater_ids=state.raters.ids[everybody],
        rater_columns=state.save_raters(everybody),
        batch=Batch(there.image, there.rater, there.value),
    )
    assert_same(snapshot(state), snapshot(back), rtol=1e-6, atol=1e-6)
    with pytest.raises(RatingsInvalid):
        restore(
            there.levels, parameters=state.parameters, policy=state.policy, rater_ids=np.array([1]), rater_columns={}, batch=batch()
        )  # fmt: skip


def test_control_answers_measure_their_rater_and_never_vote():
    state = play(scene())
    images = state.image_results().score
    who = int(state.raters.ids[0])
    gold = np.array([1.5, 6.5, 1.2, 6.1, 1.8, 6.8])
    share = np.array([0.1, 0.9, 0.05, 0.8, 0.2, 0.95])
    trust = state.e_values().trust[0]
    update(state, Batch(np.arange(6), np.full(6, who), np.rint(gold), gold=gold, gold_share=share))
    np.testing.assert_allclose(images, state.image_results().score, atol=0.1)
    assert state.raters.control_count[0] == 6
    assert state.e_values().trust[0] > trust + 1
    update(state, Batch(np.arange(6), np.full(6, who), np.rint(8 - gold), gold=gold, gold_share=share))
    assert state.e_values().trust[0] < trust + 1


RATING = st.tuples(st.integers(0, 6), st.integers(0, 5), st.integers(1, 5))
EVENT = st.one_of(
    st.lists(RATING, max_size=25).map(lambda rows: ("rate", rows)),
    st.tuples(st.just("withdraw"), st.integers(0, 6), st.integers(0, 5)),
    st.tuples(st.just("silence"), st.integers(0, 5), st.booleans()),
    st.just(("calibrate",)),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(EVENT, max_size=12))
def test_sums_follow_from_the_rows_whatever_happens(events):
    state = State.empty(Levels(1, 5))
    kept = {}
    for event in events:
        if event[0] == "rate":
            update(state, batch(*event[1]))
            kept.update({(image, rater): value for image, rater, value in event[1]})
        elif event[0] == "withdraw":
            withdraw(state, np.array([event[1]]), np.array([event[2]]))
            kept.pop((event[1], event[2]), None)
        elif event[0] == "silence":
            silence(state, np.array([event[1]]), is_silent=event[2])
        else:
            calibrate(state)
    incremental = snapshot(state)
    live = np.flatnonzero(state.rows.is_live[: state.rows.size])
    pairs = zip(state.images.ids[state.rows.image[live]], state.raters.ids[state.rows.rater[live]], strict=True)
    assert dict(zip(((int(i), int(r)) for i, r in pairs), state.rows.value[live] + 1, strict=True)) == kept
    total, weight = state.images.total.copy(), state.images.weight.copy()
    rebuild(state)
    np.testing.assert_allclose(total, state.images.total, atol=1e-6)
    np.testing.assert_allclose(weight, state.images.weight, atol=1e-6)
    assert np.isfinite(incremental["p"]).all()
