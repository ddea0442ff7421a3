"""The tables of docs/quality.md: real ratings with spam among them, through our own code."""

import subprocess
import sys
import time

import numpy as np

from config.embedded import CHECKOUT
from ratings.stats.consensus import fit
from ratings.stats.levels import Levels
from ratings.stats.rows import make_ratings
from tests.quality.expected import AUC, BY_KIND, DETECTION, SCORES
from tests.quality.live import measure_live
from tests.quality.measure import TABLE_KINDS, mean_of, measure_kinds
from tests.quality.real import load
from tests.quality.scenes import KINDS

POOLS = ("london", "movielens", "made")
SEEDS = range(4)
VOLUME = 1_000_000


def run():
    """Yield a line a figure; sets that are not there are said to be skipped."""
    yield from _speed()
    for name in POOLS:
        pool = load(name)
        if pool is None:
            yield f"{name}: skipped, no ../shared/data beside the checkout and KUDOSCOPE_DATA not set"
            continue
        yield from _scores(name, pool)
        yield from _detection(name, pool)
        yield from _live(name, pool)


def _scores(name, pool):
    yield f"{name}: spam | rank correlation, error, worst kind, with honest rows alone, interval covers, AUC | known"
    for share in (0.0, 0.05, 0.2, 0.4):
        found = measure_kinds(pool, share, seeds=SEEDS, with_oracle=True)
        worst = min(found, key=lambda kind: found[kind].correlation)
        figures = ", ".join(f"{mean_of(found, part):.3f}" for part in ("correlation", "error"))
        rest = ", ".join(f"{mean_of(found, part):.3f}" for part in ("oracle", "covered", "auc"))
        known = SCORES.get((name, share))
        told = f"{known[0]:.3f}, {known[1]:.3f}, {known[2]:.3f}; AUC {AUC[name]:.3f}" if known else "-"
        yield f"{name}: {share:.0%} | {figures}, {found[worst].correlation:.3f} ({worst}), {rest} | {told}"
    found = measure_kinds(pool, 0.4, seeds=SEEDS, kinds=(*KINDS, "mix"), with_oracle=True)
    for kind, figures in found.items():
        told = f"{BY_KIND[kind]:.3f}" if name == "london" else "-"
        yield f"{name}: 40% {kind} | {figures.correlation:.3f}, honest rows alone {figures.oracle:.3f} | {told}"


def _detection(name, pool):
    for each in DETECTION:
        kinds = [kind for kind in TABLE_KINDS if kind != "sleeper" or each >= 50]
        found = measure_kinds(pool, 0.2, seeds=SEEDS, kinds=kinds, each=each)
        known = DETECTION[each] if name == "london" else ("-", "-")
        yield (
            f"{name}: {each} ratings a rater | AUC {mean_of(found, 'auc'):.3f}, recall at 1% {mean_of(found, 'recall'):.3f} | "
            f"{known[0]}, {known[1]} | " + ", ".join(f"{kind} {figures.recall:.2f}" for kind, figures in found.items())
        )


def _live(name, pool):
    for kind, share in (("none", 0.0), ("mix", 0.2), ("mix", 0.4)):
        live = measure_live(pool, kind, share, seeds=SEEDS, each=100)
        yield (
            f"{name}: online, {share:.0%} {kind} | scores online and from scratch {live.agreement:.4f}, honest held "
            f"{live.honest_held:.3f}, spam held {live.spam_held:.3f} after {live.median_held_at:.0f} ratings, "
            f"honest trusted {live.honest_trusted:.3f}, spam trusted {live.spam_trusted:.3f}"
        )


def _speed():
    script = "from tests.benchmarks.bench_quality import fit_volume; fit_volume()"
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    yield done.stdout.strip()


def fit_volume():
    """Fit a million ratings from scratch and print what it took; in a process of its own, for the memory."""
    import resource

    dice = np.random.default_rng(1)
    image, rater = dice.integers(0, VOLUME // 5, VOLUME), (VOLUME // 50 * dice.random(VOLUME) ** 2).astype(int)
    quality, bias = dice.normal(0, 1.5, VOLUME // 5), dice.normal(0, 0.8, VOLUME // 50)
    value = np.clip(np.rint(5.5 + quality[image] + bias[rater] + dice.normal(0, 1.6, VOLUME)), 1, 10)
    columns = make_ratings(image, rater, value)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    fit(columns, Levels(1, 10))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = time.process_time() - start
    print(
        f"from scratch: {VOLUME:,} ratings in {took:.1f} s of one core (target < 10), "
        f"peak {peak / 1024:.0f} MiB (target < 500), of which {before / 1024:.0f} before"
    )
