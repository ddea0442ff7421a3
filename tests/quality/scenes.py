"""Scenes: real raters on thin images, and spam of a kind among them. Only the spam is made up.

Each item of a pool is dealt into many images of three to eight ratings, so that images are thin while their true score
is known from hundreds of raters; neither it nor who is spam is shown to the engine.
"""

from dataclasses import dataclass

import numpy as np

from ratings.stats.rows import make_ratings

KINDS = ("uniform", "constant", "narrow", "lowest", "marginal", "permute", "copy", "drifter", "sleeper", "collude")
IN_MIX = tuple(kind for kind in KINDS if kind not in {"copy", "collude"})
HONEST_FIRST = 30
PUSHED_SHARE, TARGET_SHARE = 0.05, 0.02


@dataclass
class Scene:
    """Columns of ratings in order of time, and what the engine is not told."""

    image: np.ndarray
    rater: np.ndarray
    value: np.ndarray
    is_spam: np.ndarray
    is_honest_row: np.ndarray
    truth: np.ndarray
    levels: object

    def ratings(self, rows=slice(None)):
        return make_ratings(
            self.image[rows],
            self.rater[rows],
            self.value[rows],
            image_count=len(self.truth),
            rater_count=len(self.is_spam),
        )


def make_scene(pool, kind, share, *, seed, raters=300, each=None):
    """Return a scene in which spam of a kind is a share of all ratings; `each` rater has that many (else heavy-tailed)."""
    dice = np.random.default_rng([seed, 77])
    people = dice.permutation(pool.honest)
    honest, others = people[:raters], people[raters:]
    others = others if len(others) else honest
    cast = [_honest_rows(pool, who, _how_many(dice, pool, who, each), dice) for who in honest]
    wanted = sum(len(items) for items, _, _ in cast) * share / (1 - share)
    kinds, given = [""] * len(cast), 0
    while given < wanted:
        spammer = len(cast) - len(honest)
        own = IN_MIX[spammer % len(IN_MIX)] if kind == "mix" else kind
        who = others[spammer % len(others)]
        cast.append(_spam_rows(pool, own, who, _how_many(dice, pool, who, each), dice))
        kinds.append(own)
        given += len(cast[-1][0])
    return _stage(pool, cast, np.array(kinds), dice)


def _how_many(dice, pool, who, each):
    most = len(pool.items[who])
    return min(most, each or int(10 + dice.pareto(1.1) * 12))


def _honest_rows(pool, who, number, dice):
    chosen = dice.permutation(len(pool.items[who]))[:number]
    return pool.items[who][chosen], pool.values[who][chosen].astype(float), np.ones(number, dtype=bool)


def _spam_rows(pool, kind, who, number, dice):
    """Return items, answers and which of them are honest; answers that depend on the image come later."""
    items, own, _ = _honest_rows(pool, who, number, dice)
    random = dice.choice(pool.steps, number, p=pool.shares).astype(float)
    mean = float(pool.shares @ pool.steps)
    blind = np.ones(number, dtype=bool)
    if kind == "drifter":
        blind = dice.random(number) < np.arange(number) / max(number - 1, 1)
    elif kind == "sleeper":
        blind = np.arange(number) >= HONEST_FIRST
    elif kind == "collude":
        blind = np.zeros(number, dtype=bool)
    answers = {
        "uniform": lambda: dice.choice(pool.steps, number),
        "constant": lambda: np.full(number, dice.choice(pool.steps)),
        "lowest": lambda: np.full(number, pool.steps[0]),
        "narrow": lambda: np.clip(np.rint(mean + 0.7 * dice.normal(size=number)), pool.steps[0], pool.steps[-1]),
        "permute": lambda: dice.permutation(own),
    }.get(kind, lambda: random)()
    return items, np.where(blind, answers, own).astype(float), ~blind


def _stage(pool, cast, kinds, dice):
    number = np.array([len(items) for items, _, _ in cast])
    rater = np.repeat(np.arange(len(cast)), number)
    item, value, honest = (np.concatenate([part[column] for part in cast]) for column in range(3))
    place = np.arange(len(rater)) - np.repeat(np.cumsum(number) - number, number)
    start = dice.random(len(cast)) * 0.5
    time = start[rater] + 0.5 * (place + dice.random(len(rater))) / number[rater]
    image, item_of = _deal(item, dice)
    truth = pool.truth[item_of]
    keep = np.ones(len(rater), dtype=bool)
    if "collude" in kinds:
        keep = _push(pool, image, rater, value, honest, kinds, truth, dice)
    order = np.argsort(time, kind="stable")
    order = order[keep[order]]
    image, rater, value, honest = image[order], rater[order], value[order], honest[order]
    if "ring" in kinds:
        secret, is_ring = dice.choice(pool.steps, len(truth), p=pool.shares), (kinds == "ring")[rater]
        value[is_ring] = secret[image[is_ring]]
    if "copy" in kinds:
        _copy(pool, image, value, (kinds == "copy")[rater], dice)
    used, image = np.unique(image, return_inverse=True)
    return Scene(image, rater, value, kinds != "", honest, truth[used], pool.levels)


def _deal(item, dice):
    """Return the image of each row, and the item of each image."""
    order = dice.permutation(len(item))
    order = order[np.argsort(item[order], kind="stable")]
    image, item_of, at = np.empty(len(item), dtype=int), [], 0
    for end in np.r_[np.flatnonzero(np.diff(item[order])) + 1, len(item)]:
        while at < end:
            size = min(int(dice.integers(3, 9)), end - at)
            if end - at - size < 3 and end - at <= 8:
                size = end - at
            image[order[at : at + size]] = len(item_of)
            item_of.append(item[order[at]])
            at += size
    return image, np.array(item_of)


def _push(pool, image, rater, value, honest, kinds, truth, dice):
    """Move some ratings of colluders to a few images, which they all give the highest answer; return the rows kept."""
    rows = np.flatnonzero((kinds == "collude")[rater])
    targets = dice.choice(
        np.flatnonzero(truth < np.quantile(truth, 0.7)), max(1, int(TARGET_SHARE * len(truth))), replace=False
    )
    moved = rows[dice.random(len(rows)) < PUSHED_SHARE]
    image[moved], value[moved], honest[moved] = dice.choice(targets, len(moved)), pool.steps[-1], False
    keep = np.zeros(len(rater), dtype=bool)
    keep[np.unique(rater * (image.max() + 1) + image, return_index=True)[1]] = True
    return keep


def _copy(pool, image, value, is_copier, dice):
    """Answer the mean of what was given before, with a little noise."""
    total, number = np.zeros(image.max() + 1), np.zeros(image.max() + 1)
    mean = float(pool.shares @ pool.steps)
    for row in range(len(image)):
        which = image[row]
        if is_copier[row]:
            visible = total[which] / number[which] if number[which] else mean
            value[row] = np.clip(np.rint(visible + 0.5 * dice.normal()), pool.steps[0], pool.steps[-1])
        total[which] += value[row]
        number[which] += 1
