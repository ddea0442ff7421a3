"""How long the mathematics takes, and how much memory: each measurement in a process of its own."""

import subprocess
import sys
import time

import numpy as np

from config.embedded import CHECKOUT
from ratings.stats.consensus import fit
from ratings.stats.levels import Levels
from ratings.stats.online import update
from ratings.stats.replay import Question, replay
from ratings.stats.rows import make_ratings
from ratings.stats.state import Batch, State

VOLUME = 1_000_000
LEVELS = Levels(1, 10)


def run():
    """Aim 8."""
    for task in ("fit_volume", "rate_one_by_one", "replay_volume"):
        script = f"from tests.benchmarks import quality_speed; quality_speed.{task}()"
        done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
        yield done.stdout.strip()
    yield from rate_dense()


def _world(size, images, raters):
    dice = np.random.default_rng(1)
    image, rater = dice.integers(0, images, size), (raters * dice.random(size) ** 2).astype(int)
    quality, bias = dice.normal(0, 1.5, images), dice.normal(0, 0.8, raters)
    return image, rater, np.clip(np.rint(5.5 + quality[image] + bias[rater] + dice.normal(0, 1.6, size)), 1, 10)


def _peak():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit_volume():
    """Fit a million ratings from scratch and print what it took."""
    image, rater, value = _world(VOLUME, VOLUME // 5, VOLUME // 50)
    columns = make_ratings(image, rater, value)
    before, start = _peak(), time.process_time()
    fit(columns, LEVELS)
    took, peak = time.process_time() - start, _peak()
    aim = "pass" if took <= 10 and peak < 500 else "MISS"
    print(
        f"from scratch: {VOLUME:,} ratings in {took:.1f} s of one core (aim <= 10), "
        f"peak {peak:.0f} MiB (aim < 500), of which {before:.0f} before {aim}"
    )


def replay_volume():
    """Replay a million ratings from memory and print what it took."""
    image, rater, value = _world(VOLUME, VOLUME // 5, VOLUME // 50)
    start = time.process_time()
    replay(image, rater, [Question(LEVELS, value)])
    took = time.process_time() - start
    aim = "pass" if took < 120 else "MISS"
    print(f"replay: {VOLUME:,} ratings in {took:.0f} s of one core (aim < 120), peak {_peak():.0f} MiB {aim}")


def rate_one_by_one():
    """Take ratings one at a time, the most expensive way, after 50,000 others."""
    image, rater, value = _world(60_000, 12_000, 1_200)
    state, last = State.empty(LEVELS), 1_000
    update(state, Batch(image[:-last], rater[:-last], value[:-last]))
    start = time.process_time()
    for row in range(len(value) - last, len(value)):
        update(state, Batch(image[row : row + 1], rater[row : row + 1], value[row : row + 1]))
    single = (time.process_time() - start) / last * 1000
    state = State.empty(LEVELS)
    start = time.process_time()
    for begin in range(0, len(value), 200):
        update(state, Batch(*(column[begin : begin + 200] for column in (image, rater, value))))
    batched = (time.process_time() - start) / len(value) * 1000
    aim = "pass" if batched <= 1 else "MISS"
    print(f"online: {batched:.3f} ms a rating in batches of 200 (aim <= 1), {single:.2f} ms one by one {aim}")


def rate_dense():
    """Hundreds and thousands of ratings an image: the time of a rating must not grow with them."""
    found = []
    for size in (20_000, 80_000):
        image, rater, value = _world(size, 40, size // 40)
        state, start = State.empty(LEVELS), time.process_time()
        for begin in range(0, size, 500):
            update(state, Batch(*(column[begin : begin + 500] for column in (image, rater, value))))
        found.append((time.process_time() - start) / size * 1000)
    aim = "pass" if found[1] <= 2 * found[0] else "MISS"
    yield f"dense: {found[0]:.3f} ms a rating at 500 an image, {found[1]:.3f} at 2,000 (aim: at most twice) {aim}"
