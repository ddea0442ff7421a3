"""The online tests: what new ratings add to the bets on each rater, and when a threshold was first reached."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.arrivals import Controls
from ratings.stats.bets import (
    LEAST_OWN,
    MOST_OWN,
    OWN_PSEUDO,
    ban_value,
    bet,
    bet_on_flat,
    log_ratio,
    running_change,
    running_sum,
    trust_value,
)
from ratings.stats.changes import even
from ratings.stats.evidence import ROUNDING
from ratings.stats.facts import MOST_OF_CONTROLS, control_log_ratio
from ratings.stats.levels import Flags, Floats, Ints, counts, sums
from ratings.stats.special import normal_quantile
from ratings.stats.state import State
from ratings.stats.weighing import shrink_z

# Ratings that an image needs before one of them is judged.
LEAST_RATINGS = 3
LEAST_POOL, MOST_POOL, POOL_GROWTH = 50, 4096, 1.1
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Events:
    """What is told to the tests: new rows and rows whose image has got enough ratings, by rater and time."""

    rows: Ints
    rater: Ints
    is_new: Flags
    is_judged: Flags
    start: Ints
    """Where the events of the rater begin."""

    def running(self, values: Floats, before: Floats) -> Floats:
        """Return running sums within each rater, on top of what was before."""
        return running_sum(values, self.start, before)


def judge_online(state: State, new_rows: Ints) -> None:
    """Tell the tests of new rows, and of older ones whose image has got enough ratings."""
    refresh_pool(state)
    events = _gather(state, new_rows)
    if not len(events.rows):
        return
    table, rater = state.raters, events.rater
    x, y = standardize(state, events)
    trust, looking = bet(x, y, state.parameters)
    trust[~events.is_judged], looking[~events.is_judged] = 0.0, 0.0
    uniform, flat = bet_on_habits(state, events)
    trust = events.running(trust, table.trust[rater])
    looking = events.running(looking, table.looking[rater])
    uniform, flat = events.running(uniform, table.uniform[rater]), events.running(flat, table.flat[rater])
    _note_crossings(state, events, trust_value(trust), ban_value(looking, uniform, flat))
    _watch_for_change(state, events, x, y)
    last = np.flatnonzero(np.r_[rater[1:] != rater[:-1], True])
    who = rater[last]
    table.trust[who], table.looking[who] = trust[last], looking[last]
    table.uniform[who], table.flat[who] = uniform[last], flat[last]
    table.judged[: table.size] += counts(rater[events.is_judged], table.size)
    state.rows.is_judged[events.rows[events.is_judged]] = True


def refresh_pool(state: State) -> None:
    """Sample what images are ranked among, when there are a tenth more ratings than at the last time."""
    used = state.rows.size
    if state.pool_rows and used < POOL_GROWTH * state.pool_rows:
        return
    rows = np.flatnonzero(state.rows.is_live[:used])
    rows = rows[state.images.count[state.rows.image[rows]] >= LEAST_RATINGS]
    if len(rows) >= LEAST_POOL:
        rows = rows[scatter(len(rows), MOST_POOL)]
        state.pool, state.pool_rows = np.sort(_evened(state, rows)), used


def scatter(size: int, most: int) -> Ints:
    """Return at most some `most` positions below `size`, spread without a pattern and always the same.

    Every k-th one would hit the same few images where all raters were shown all images in the same order.
    """
    mixed = np.arange(size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    share = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    return np.flatnonzero(share * size < most)


def _evened(state: State, rows: Ints) -> Floats:
    """Return leave-one-out scores over their standard deviation: images with few ratings are shrunk to the mean."""
    return even(state.rows.others[rows], state.rows.others_weight[rows], state.parameters)


def _gather(state: State, new_rows: Ints) -> Events:
    used, rows, has_pool = state.rows.size, state.rows, len(state.pool) > 0
    waiting = np.flatnonzero(~rows.is_judged[:used] & rows.is_live[:used]) if has_pool else new_rows[:0]
    waiting = waiting[state.images.count[rows.image[waiting]] >= LEAST_RATINGS]
    chosen = np.union1d(new_rows, waiting)
    chosen = chosen[np.lexsort((chosen, rows.rater[chosen]))]
    rater = rows.rater[chosen]
    starts = np.flatnonzero(np.r_[True, rater[1:] != rater[:-1]]) if len(rater) else np.empty(0, dtype=np.int64)
    return Events(
        rows=chosen,
        rater=rater,
        is_new=np.isin(chosen, new_rows),
        is_judged=np.isin(chosen, waiting),
        start=np.repeat(starts, np.diff(np.r_[starts, len(rater)])),
    )


def standardize(state: State, events: Events) -> tuple[Floats, Floats]:
    """Return the normal score of each image among images and the answer in standard deviations of the rater.

    Ranks among equals are spread evenly, so that the normal scores are standard normal on coarse scales too. The
    rater's mean and variance are of their other ratings: whatever they are, a blind rater's bet stays fair.
    """
    table, rater = state.raters, events.rater
    value = state.rows.value[events.rows]
    mean = float(np.average(np.arange(len(state.shares)), weights=state.shares))
    width = (state.levels.count - 1) / (state.levels.bins - 1)
    variance = float(np.average((np.arange(len(state.shares)) - mean) ** 2, weights=state.shares)) * width**2
    count = table.count[rater] - 1.0 + OWN_PSEUDO
    own = (table.y[rater] - value + OWN_PSEUDO * mean * width) / count
    squares = table.yy[rater] - value**2 + OWN_PSEUDO * (variance + (mean * width) ** 2)
    y = (value - own) / np.sqrt(np.maximum(squares / count - own**2, 0.0) + ROUNDING)
    return _rank(state, events.rows), y


def _rank(state: State, rows: Ints) -> Floats:
    if not len(state.pool):
        return np.zeros(len(rows))
    value = _evened(state, rows)
    low, high = np.searchsorted(state.pool, value, "left"), np.searchsorted(state.pool, value, "right")
    among_equals = np.modf((rows + 1) * GOLDEN)[0]
    return normal_quantile((low + among_equals * (high - low + 1)) / (len(state.pool) + 1))


def bet_on_habits(state: State, events: Events) -> tuple[Floats, Floats]:
    """Return what new rows add to the bets on a uniform script and on one that always answers the same."""
    table, rater, size = state.raters, events.rater, len(events.rows)
    level = state.levels.to_bins(state.rows.value[events.rows])
    is_new = events.is_new.astype(np.float64)
    earlier = events.running(is_new, np.zeros(size)) - is_new
    new_of_rater = sums(rater, is_new, table.size)[rater]
    given = table.count[rater] - new_of_rater + earlier
    one_hot = np.zeros((size, state.levels.bins))
    one_hot[np.arange(size), level] = is_new
    within = events.running(one_hot, np.zeros_like(one_hot))
    last = np.flatnonzero(np.r_[rater[1:] != rater[:-1], True])
    before = table.histogram[rater] - within[last][np.searchsorted(last, np.arange(size))]
    own = (before + within - one_hot)[np.arange(size), level]
    marginal = state.shares / state.shares.sum()
    bins = state.levels.bins
    uniform = -np.log(bins) - np.log((bins * marginal[level] + own) / (bins + given))
    guess = np.where(before.sum(axis=1) > 0, before.argmax(axis=1), level[events.start])
    is_hit = (level == guess) * is_new
    bets = is_new * (given > 0)
    hits = events.running(is_hit * bets, table.hits[rater]) - is_hit * bets
    trials = events.running(bets, table.trials[rater]) - bets
    flat = bet_on_flat(is_hit, hits, trials, state.parameters)
    table.hits[: table.size] += sums(rater, is_hit * bets, table.size)
    table.trials[: table.size] += sums(rater, bets, table.size)
    return uniform * is_new, flat * bets


def _note_crossings(state: State, events: Events, trust: Floats, ban: Floats) -> None:
    """Note after how many ratings each threshold was first reached."""
    table, rater, policy = state.raters, events.rater, state.policy
    new = events.is_new.astype(np.float64)
    given = table.count[rater] - sums(rater, new, table.size)[rater] + events.running(new, np.zeros(len(new)))
    for name, value, threshold in (
        ("calibrated_at", trust, policy.calibrated_at),
        ("trusted_at", trust, policy.trusted_at),
        ("watched_at", ban, policy.watched_at),
        ("quarantined_at", ban, policy.quarantined_at),
    ):
        column = getattr(table, name)
        crossed = np.flatnonzero(value >= np.log(threshold))
        first, where = np.unique(rater[crossed], return_index=True)
        is_first = column[first] == 0
        column[first[is_first]] = given[crossed[where[is_first]]]


def _watch_for_change(state: State, events: Events, x: Floats, y: Floats) -> None:
    """Let the evidence for "no longer looks" run."""
    table, rater = state.raters, events.rater
    own = np.clip(np.tanh(shrink_z(state.habits(rater), state.parameters).z), LEAST_OWN, MOST_OWN)
    step = np.where(events.is_judged, -log_ratio(x, y, own), 0.0)
    change = running_change(step, events.start, table.change[rater])
    last = np.flatnonzero(np.r_[rater[1:] != rater[:-1], True])
    table.change[rater[last]] = change[last]


def note_controls(state: State, controls: Controls) -> None:
    """Tell the tests of control answers: gold is compared with gold, and never votes."""
    if not len(controls.rater):
        return
    table, size = state.raters, state.raters.size
    mean, variance = state.parameters.mean, max(state.parameters.total, 0.25)
    ratio = control_log_ratio(controls.value, controls.gold, mean, variance)
    evidence = table.control_evidence[:size] + sums(controls.rater, ratio, size)
    table.control_evidence[:size] = np.clip(evidence, -MOST_OF_CONTROLS, MOST_OF_CONTROLS)
    table.control_count[:size] += counts(controls.rater, size)
    ranked = ~np.isnan(controls.share)
    rater, x = controls.rater[ranked], normal_quantile(controls.share[ranked])
    y = (controls.value[ranked] - mean) / np.sqrt(variance)
    trust, looking = bet(x, y, state.parameters)
    np.add.at(table.trust, rater, trust)
    np.add.at(table.looking, rater, looking)
    ban = ban_value(table.looking[rater], table.uniform[rater], table.flat[rater])
    for name, value, threshold in (
        ("calibrated_at", trust_value(table.trust[rater]), state.policy.calibrated_at),
        ("trusted_at", trust_value(table.trust[rater]), state.policy.trusted_at),
        ("quarantined_at", ban, state.policy.quarantined_at),
    ):
        column = getattr(table, name)
        crossed = rater[(value >= np.log(threshold)) & (column[rater] == 0)]
        column[crossed] = table.count[crossed] + table.control_count[crossed]
