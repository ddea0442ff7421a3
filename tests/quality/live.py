"""Scenes through the incremental code, with fits from scratch on the way, as in the service."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.nightly import calibrate
from ratings.stats.online import update
from ratings.stats.parameters import START_RATINGS
from ratings.stats.state import Batch, State
from tests.quality.scenes import make_scene


@dataclass
class Live:
    agreement: float
    honest_held: float
    spam_held: float
    median_held_at: float
    honest_trusted: float
    spam_trusted: float


def play(scene, *, size=200):
    """Return the state after all ratings, and how far its scores were from a fit from scratch."""
    state, next_fit = State.empty(scene.levels), START_RATINGS
    for start in range(0, len(scene.rater), size):
        rows = slice(start, start + size)
        update(state, Batch(scene.image[rows], scene.rater[rows], scene.value[rows]))
        if state.rows.size >= next_fit:
            calibrate(state)
            next_fit = 2 * state.rows.size
    return state


def measure_live(pool, kind, share, *, seeds, each):
    runs = [_measure_one(make_scene(pool, kind, share, seed=seed, each=each)) for seed in seeds]
    columns = zip(*runs, strict=True)
    return Live(*(float(np.mean([x for x in column if not np.isnan(x)] or [np.nan])) for column in columns))


def _measure_one(scene):
    state = play(scene)
    raters = state.raters
    is_spam = scene.is_spam[raters.ids[: raters.size]]
    held, trusted = raters.quarantined_at[: raters.size], raters.trusted_at[: raters.size] > 0
    drift = calibrate(state)[1]
    found = held[is_spam & (held > 0)]
    return (
        drift.correlation,
        float((held[~is_spam] > 0).mean()),
        float((held[is_spam] > 0).mean()) if is_spam.any() else np.nan,
        float(np.median(found)) if len(found) else np.nan,
        float(trusted[~is_spam].mean()),
        float(trusted[is_spam].mean()) if is_spam.any() else np.nan,
    )
