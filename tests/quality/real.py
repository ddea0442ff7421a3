"""Real ratings of others, outside of the repository, and a generated set with the same properties for where they are not.

`KUDOSCOPE_DATA` names the folder, else `../shared/data` beside the checkout is looked for.
"""

import csv
import gzip
import os
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from config.embedded import CHECKOUT
from ratings.stats.levels import Levels

FILES = {"london": "london_faces/ratings.csv.gz", "movielens": "movielens_small/ratings.csv.gz"}
# A real rater whose ratings correlate less than this with those of all others is real spam, and left out.
LEAST_CORRELATION = 0.10
LEAST_RATINGS = 20


def data_folder():
    """Return the folder of the real ratings, and None where there is none."""
    named = os.environ.get("KUDOSCOPE_DATA")
    folder = Path(named) if named else CHECKOUT.resolve().parent / "shared" / "data"
    return folder if folder.is_dir() else None


@dataclass
class Pool:
    """What scenes are made of: the rows of each rater, who is honest, and the true score of each item."""

    name: str
    levels: Levels
    items: list
    values: list
    honest: np.ndarray
    truth: np.ndarray
    shares: np.ndarray

    @property
    def steps(self):
        return np.arange(self.levels.count) + int(self.levels.low)


@cache
def load(name):
    """Return a pool: `london`, `movielens` (both real; None where they are not), or `made`."""
    if name == "made":
        return _pool("made", *_generate())
    folder = data_folder()
    if folder is None or not (folder / FILES[name]).is_file():
        return None
    with gzip.open(folder / FILES[name], "rt", newline="") as file:
        rows = [(row["rater_id"], row["item_id"], float(row["rating"])) for row in csv.DictReader(file)]
    raters, items, values = zip(*rows, strict=True)
    return _pool(
        name, np.unique(raters, return_inverse=True)[1], np.unique(items, return_inverse=True)[1], np.array(values)
    )


def _generate():
    """Return raters with a bias, a use of the scale and a taste of their own, who rate 1 to 7."""
    dice = np.random.default_rng(20231)
    raters, items, each = 700, 240, 110
    quality = dice.normal(0, 1, items)
    rater = np.repeat(np.arange(raters), each)
    item = np.concatenate([dice.permutation(items)[:each] for _ in range(raters)])
    bias, stretch = dice.normal(0, 0.7, raters), np.exp(dice.normal(0, 0.25, raters))
    taste = np.clip(dice.normal(1.1, 0.35, raters), 0.4, 2.5)
    view = quality[item] + taste[rater] * dice.normal(0, 1, len(rater))
    return rater, item, np.clip(np.rint(3.6 + bias[rater] + stretch[rater] * view), 1, 7)


def _pool(name, rater, item, value):
    while True:
        enough = (np.bincount(item)[item] >= LEAST_RATINGS) & (np.bincount(rater)[rater] >= LEAST_RATINGS)
        if enough.all():
            break
        rater = np.unique(rater[enough], return_inverse=True)[1]
        item = np.unique(item[enough], return_inverse=True)[1]
        value = value[enough]
    order = np.argsort(rater, kind="stable")
    rater, item, value = rater[order], item[order], value[order]
    bounds = np.searchsorted(rater, np.arange(rater.max() + 2))
    items = [item[a:b] for a, b in pairwise(bounds)]
    values = [value[a:b] for a, b in pairwise(bounds)]
    total, number = np.bincount(item, value), np.bincount(item)
    others = [(total[i] - v) / (number[i] - 1) for i, v in zip(items, values, strict=True)]
    honest = np.flatnonzero([_correlation(o, v) >= LEAST_CORRELATION for o, v in zip(others, values, strict=True)])
    is_honest = np.isin(rater, honest)
    low, high = int(value.min()), int(value.max())
    shares = np.bincount(value[is_honest].astype(int) - low, minlength=high - low + 1)
    return Pool(
        name=name,
        levels=Levels(low, high),
        items=items,
        values=values,
        honest=honest,
        truth=_true_scores(rater[is_honest], item[is_honest], value[is_honest], len(number)),
        shares=shares / shares.sum(),
    )


def _correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return a @ b / scale if scale > 1e-9 else 0.0


def _true_scores(rater, item, value, item_count):
    """Return the two-way mean over all honest raters, which each item has many of."""
    number_of_rater, number_of_item = (
        np.maximum(np.bincount(rater), 1),
        np.maximum(np.bincount(item, minlength=item_count), 1),
    )
    bias = np.zeros(len(number_of_rater))
    for _ in range(15):
        score = np.bincount(item, value - bias[rater], item_count) / number_of_item
        bias = np.bincount(rater, value - score[item]) / number_of_rater
        bias -= bias[number_of_rater > 1].mean()
    return score
