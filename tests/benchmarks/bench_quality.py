"""The tables of docs/quality.md: real ratings with spam among them, through our own code, and whether the aims are met."""

from collections.abc import Iterator

import numpy as np

from ratings.stats.chain import fit_chain
from ratings.stats.consensus import fit
from ratings.stats.levels import guess_levels
from ratings.stats.ranks import rank_correlation
from ratings.stats.replay import Question, replay
from ratings.stats.standing import Standing
from tests.benchmarks import quality_speed, quality_votes
from tests.quality.evidence import run_bets
from tests.quality.expected import AUC, BY_KIND, DETECTION, RECALL_BY_KIND, SCORES
from tests.quality.live import measure_live
from tests.quality.measure import TABLE_KINDS, mean_of, measure_kinds
from tests.quality.real import load
from tests.quality.scenes import KINDS, make_scene
from tests.quality.worlds import WORLDS, populate

POOLS = ("london", "movielens", "made")
SEEDS = range(3)
BLIND = ("uniform", "constant", "narrow", "lowest", "marginal", "permute")
NEAR = {"london": 0.02, "movielens": 0.055, "made": 0.055}


def run(parts: list[str] | None = None) -> Iterator[str]:
    """Yield a line a figure; sets that are not there are said to be skipped."""
    for name in parts or PARTS:
        yield f"-- {name}"
        yield from PARTS[name]()


def verdict(is_met):
    """Return how an aim is told."""
    return "pass" if is_met else "MISS"


def each_pool():
    """Yield the pools that are there."""
    for name in POOLS:
        pool = load(name)
        if pool is not None:
            yield name, pool


def scores() -> Iterator[str]:
    """Aims 1, 2 and 7."""
    for name in POOLS:
        if load(name) is None:
            yield f"{name}: skipped, no ../shared/data beside the checkout and KUDOSCOPE_DATA not set"
    for name, pool in each_pool():
        yield f"{name}: spam | rank correlation, error, worst kind, honest rows alone, interval covers, n_eff | known"
        for share in (0.0, 0.05, 0.2, 0.4):
            found = measure_kinds(pool, share, seeds=SEEDS, with_oracle=True)
            worst = min(found, key=lambda kind: found[kind].correlation)
            told = ", ".join(f"{mean_of(found, part):.3f}" for part in ("correlation", "error"))
            rest = ", ".join(f"{mean_of(found, part):.3f}" for part in ("oracle", "covered", "effective", "auc"))
            known = SCORES.get((name, share))
            known = f"{known[0]:.3f}, {known[1]:.3f}, {known[2]:.3f}; AUC {AUC[name]:.3f}" if known else "-"
            yield f"{name}: {share:.0%} | {told}, {found[worst].correlation:.3f} ({worst}), {rest} | {known}"
            yield from _judge_scores(name, share, found)
        yield from _by_kind(name, pool)


def _judge_scores(name, share, found):
    covered, effective = mean_of(found, "covered"), mean_of(found, "effective")
    yield f"  aim 7, 95 % interval covers >= .93: {covered:.3f} {verdict(covered >= 0.93)}"
    if share <= 0.2:
        yield f"  aim 7, n_eff within 10 % of the honest count: {effective:.3f} {verdict(abs(effective - 1) <= 0.1)}"
    if share == 0.2:
        mixed = found["mix"].oracle - found["mix"].correlation
        yield f"  aim 1, 20 % mix within .01 of the honest rows alone: {mixed:.3f} {verdict(mixed <= 0.01)}"
    if share == 0.4:
        behind = {kind: found[kind].oracle - found[kind].correlation for kind in BLIND}
        worst = max(behind, key=lambda kind: behind[kind])
        is_met = behind[worst] <= NEAR[name]
        yield f"  aim 1, 40 % of any blind kind within {NEAR[name]}: {behind[worst]:.3f} ({worst}) {verdict(is_met)}"


def _by_kind(name, pool):
    found = measure_kinds(pool, 0.4, seeds=SEEDS, kinds=(*KINDS, "mix"), with_oracle=True)
    for kind, figures in found.items():
        known = f"{BY_KIND[kind]:.3f}" if name == "london" else "-"
        yield f"{name}: 40% {kind} | {figures.correlation:.3f}, honest rows alone {figures.oracle:.3f} | {known}"


def detection() -> Iterator[str]:
    """Aim 3, and recall by kind beside the known one."""
    for name, pool in each_pool():
        for each in DETECTION:
            kinds = [kind for kind in TABLE_KINDS if kind != "sleeper" or each >= 50]
            found = measure_kinds(pool, 0.2, seeds=SEEDS, kinds=kinds, each=each)
            known = DETECTION[each] if name == "london" else ("-", "-")
            recall = mean_of(found, "recall")
            told = ", ".join(
                f"{kind} {figures.recall:.2f}" + (f" ({RECALL_BY_KIND[kind][each]:.2f})" if name == "london" else "")
                for kind, figures in found.items()
            )
            auc = mean_of(found, "auc")
            yield f"{name}: {each} ratings a rater | AUC {auc:.3f}, recall {recall:.3f} | {known[0]}, {known[1]} | {told}"
            if each in {20, 100}:
                least = 0.57 if each == 20 else 0.80
                yield f"  aim 3, recall at {each} ratings >= {least}: {recall:.3f} {verdict(recall >= least)}"
        found = measure_kinds(pool, 0.2, seeds=SEEDS, kinds=("constant", "lowest"), each=15)
        least = min(figures.recall for figures in found.values())
        yield f"{name}: aim 3, always the same, all found by 15 ratings: {least:.3f} {verdict(least >= 0.99)}"


def online() -> Iterator[str]:
    """Aim 4, as ratings come in."""
    for name, pool in each_pool():
        for kind, share in (("none", 0.0), ("mix", 0.2), ("mix", 0.4), ("sleeper", 0.2), ("drifter", 0.2)):
            live = measure_live(pool, kind, share, seeds=SEEDS, each=100)
            held = verdict(live.honest_held <= 0.01)
            yield (
                f"{name}: {share:.0%} {kind} | scores online and from scratch {live.agreement:.4f}, honest held "
                f"{live.honest_held:.3f} {held}, spam held {live.spam_held:.3f} after {live.median_held_at:.0f} "
                f"ratings, honest trusted {live.honest_trusted:.3f}, spam trusted {live.spam_trusted:.3f}"
            )


def bets() -> Iterator[str]:
    """Aim 4 on final scores: who has crossed by 20, 50, 100 ratings, and after how many half have."""
    for name, pool in each_pool():
        for with_gold in (False, True):
            trusted, speed, images = [], [], "gold" if with_gold else "peer"
            for kind in (*BLIND, "copy"):
                runs = [
                    run_bets(make_scene(pool, kind, 0.2, seed=seed, each=100), with_gold=with_gold) for seed in SEEDS
                ]
                for who, is_chosen in ((kind, True), ("honest", False)):
                    told = []
                    for test, threshold in (("trust", 20), ("trust", 100), ("ban", 20), ("ban", 100), ("ban", 1000)):
                        at = np.concatenate([b.crossed_at(test, threshold)[b.is_spam == is_chosen] for b in runs])
                        by = " ".join(f"{(at <= n).mean():.3f}" for n in (20, 50, 100))
                        told.append(f"{test} {threshold}: {by} ({np.median(at):.0f})")
                        if (test, threshold) == ("trust", 100) and kind != "copy":
                            (trusted if is_chosen else speed).append(np.isfinite(at).mean() if is_chosen else at)
                    if is_chosen or kind == "uniform":
                        yield f"{name}, {images}: {who} | {', '.join(told)}"
            blind, median = float(np.mean(trusted)), float(np.median(np.concatenate(speed)))
            most = 20 if with_gold else 40
            yield f"{name}, {images}: aim 4, blind ever trusted <= .01: {blind:.4f} {verdict(blind <= 0.01)}"
            yield f"{name}, {images}: aim 4, median honest trusted by {most}: {median:.0f} {verdict(median <= most)}"


def rings() -> Iterator[str]:
    """Aim 5: the same made-up answers by many, and a few verified raters."""
    for name, pool in each_pool():
        for share, every in ((0.2, 10), (0.3, 10), (0.4, 10), (0.4, 50), (0.5, 10), (0.6, 10)):
            found = np.mean([_ring(pool, share, every, seed) for seed in SEEDS], axis=0)
            behind = found[0] - found[2]
            yield (
                f"{name}: ring of {share:.0%}, one seed in {every} | honest rows alone {found[0]:.3f}, without seeds "
                f"{found[1]:.3f}, with {found[2]:.3f}, both agree {found[3]:.3f} {verdict(behind <= 0.08)}"
            )


def _ring(pool, share, every, seed):
    scene = make_scene(pool, "ring", share, seed=seed, each=60)
    seeds = np.zeros(len(scene.is_spam), dtype=bool)
    seeds[np.flatnonzero(~scene.is_spam)[::every]] = True
    chained = fit_chain(scene.ratings(), scene.levels, seeds=seeds)
    alone = fit(scene.ratings(scene.is_honest_row), scene.levels)
    scores = alone.images.score, chained.plain.images.score, chained.best.images.score
    return *(rank_correlation(score, scene.truth) for score in scores), chained.correlation


def worlds() -> Iterator[str]:
    """Datasets unlike these, in which everybody looks."""
    for name, world in WORLDS.items():
        held, watched, gain = np.mean([_world(world, seed) for seed in SEEDS], axis=0)
        yield (
            f"{name}: held {held:.4f} {verdict(held <= 0.01)}, watched {watched:.3f}, rank correlation with the truth "
            f"{gain:+.3f} to that of plain means"
        )


def _world(world, seed):
    there = populate(world, seed=seed)
    result = replay(there.image, there.rater, [Question(guess_levels(there.value), there.value)])
    standing, count = result.verdicts.standing, len(result.images.score)
    means, truth = np.nan_to_num(result.images.mean), there.truth[:count]
    gain = rank_correlation(result.images.score, truth) - rank_correlation(means, truth)
    return (standing == Standing.QUARANTINED).mean(), (standing == Standing.WATCHED).mean(), gain


PARTS = {
    "scores": scores,
    "detection": detection,
    "online": online,
    "bets": bets,
    "rings": rings,
    "votes": quality_votes.run,
    "worlds": worlds,
    "speed": quality_speed.run,
}
