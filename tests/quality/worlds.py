"""Generated worlds of honest people, as unlike each other as the files that people have.

In each everybody looks at what they rate. Bots can be put among them; neither is told to the engine.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class World:
    """How people rate: the defaults are an ordinary small dataset on a scale of five."""

    low: float = 1
    high: float = 5
    step: float = 1
    raters: int = 200
    items: int = 400
    each: int = 40
    """Ratings of each rater; with `tail` the least, and some give many more."""
    tail: bool = False
    quality: float = 1.0
    """Standard deviation of what all agree on, `taste` of what they do not, in the same unit."""
    taste: float = 1.2
    camps: float = 0.0
    """Share of people with the contrary of half of what the others like."""
    skew: float = 0.0
    """Over 0 most items are at the lower end of the scale, as artifacts are."""
    chosen: float = 0.0
    """How far people rate what they like rather than what they are given."""
    order: str = "time"
    """Order of the rows: `time`, by `rater`, or by `item`."""
    runs: bool = False
    """Whether people rate one kind of thing after another, and differ by kind."""
    habits: float = 0.25
    """How far people differ in the width of the scale that they use."""
    dominant: float = 0.0
    """Share of all ratings by one rater."""
    constant_items: bool = False
    """Whether half of the items get the same rating by everybody."""


WORLDS = {
    "five levels": World(),
    "ten levels": World(low=1, high=10, quality=1.4, taste=1.8),
    "a slider": World(low=0, high=100, quality=1.0, taste=1.4),
    "half stars, self-chosen": World(low=0.5, high=5, step=0.5, items=800, chosen=1.0, tail=True, each=20),
    "thumbs": World(low=0, high=1, quality=1.2),
    "three levels": World(low=-1, high=1),
    "mostly nothing": World(low=0, high=5, skew=1.6),
    "three ratings an item": World(items=2600),
    "two hundred ratings an item": World(items=40, each=40),
    "everybody rates everything, by rater": World(items=60, each=60, order="rater"),
    "by item": World(order="item"),
    "by rater, sparse": World(order="rater"),
    "one rater gives half": World(raters=100, dominant=0.5),
    "two camps of taste": World(camps=0.3),
    "two camps on ten levels": World(low=1, high=10, quality=1.4, taste=1.5, camps=0.3, raters=300),
    "hardly any agreement": World(quality=0.5, taste=1.5),
    "great agreement": World(quality=1.5, taste=0.5),
    "runs of one kind": World(runs=True, each=60),
    "thirty raters": World(raters=30, items=100),
    "five raters": World(raters=5, items=60),
    "few ratings each": World(raters=600, each=8, items=800),
    "wide differences of habit": World(low=1, high=10, habits=0.6, quality=1.4, taste=1.8),
    "half of the items are plain": World(constant_items=True),
    "heavy tail": World(tail=True, each=10, raters=400),
}


@dataclass(frozen=True)
class Population:
    """Rows in the order of a file, and who of the raters is a bot."""

    image: np.ndarray
    rater: np.ndarray
    value: np.ndarray
    truth: np.ndarray
    is_bot: np.ndarray


def populate(world, *, seed=0, bots=0.0, kind="uniform"):
    """Return the ratings of a world; `bots` is the share of raters who do not look."""
    dice = np.random.default_rng([seed, 4711])
    people = world.raters + round(world.raters * bots / (1 - bots))
    quality = dice.normal(0, world.quality, world.items)
    contrary = quality + dice.normal(0, world.quality, world.items) - 2 * quality * (np.arange(world.items) % 2)
    genre = dice.integers(0, 8, world.items)
    number = _numbers(world, people, dice)
    chosen = [_choose(world, quality, genre, count, dice) for count in number]
    rater, item = np.repeat(np.arange(people), [len(items) for items in chosen]), np.concatenate(chosen)
    is_contrary = np.arange(people) < world.camps * world.raters
    liking = np.where(is_contrary[rater], contrary[item], quality[item])
    if world.runs:
        liking = liking + 0.8 * dice.normal(0, 1, (people, 8))[rater, genre[item]]
    liking = liking + np.clip(dice.normal(1, 0.3, people), 0.3, 2)[rater] * world.taste * dice.normal(0, 1, len(item))
    value = _answer(world, liking, rater, people, dice)
    if world.constant_items:
        value = np.where(item % 2 == 0, round((world.low + world.high) / 2), value)
    is_bot = np.arange(people) >= world.raters
    value = _fake(world, value, rater, is_bot, kind, dice)
    time = _when(world, rater, people, dice)
    order = {"time": np.argsort(time, kind="stable"), "rater": np.arange(len(item)), "item": np.lexsort((time, item))}
    rows = order[world.order]
    return Population(item[rows], rater[rows], value[rows], quality, is_bot)


def shrink(world, **changes):
    """Return the world with other numbers."""
    return replace(world, **changes)


def _numbers(world, people, dice):
    number = np.full(people, world.each)
    if world.tail:
        number = (world.each + dice.pareto(1.1, people) * world.each).astype(int)
    if world.dominant:
        number[0] = int(world.dominant * number.sum() / (1 - world.dominant))
    return np.minimum(number, world.items)


def _choose(world, quality, genre, count, dice):
    pull = world.chosen * (quality + 1.5 * dice.normal(0, 1, 8)[genre]) + dice.gumbel(size=len(quality))
    items = np.argsort(-pull)[:count]
    if world.runs:
        return items[np.lexsort((dice.random(count), genre[items]))]
    return np.sort(items) if world.order == "rater" else dice.permutation(items)


def _answer(world, liking, rater, people, dice):
    middle, span = (world.low + world.high) / 2, world.high - world.low
    bias, stretch = dice.normal(0, 0.5, people), np.exp(dice.normal(0, world.habits, people))
    place = middle + span * (0.16 * stretch[rater] * (liking + bias[rater] - world.skew))
    return np.clip(world.low + np.rint((place - world.low) / world.step) * world.step, world.low, world.high)


def _fake(world, value, rater, is_bot, kind, dice):
    levels = np.arange(world.low, world.high + world.step / 2, world.step)
    size = len(value)
    answers = {
        "uniform": lambda: dice.choice(levels, size),
        "constant": lambda: dice.choice(levels, len(is_bot))[rater],
        "lowest": lambda: np.full(size, world.low),
        "marginal": lambda: dice.permutation(value),
    }
    return np.where(is_bot[rater], answers[kind](), value)


def _when(world, rater, people, dice):
    number = np.bincount(rater, minlength=people)
    place = np.arange(len(rater)) - np.repeat(np.cumsum(number) - number, number)
    return dice.random(people)[rater] * 0.5 + 0.5 * (place + dice.random(len(rater))) / number[rater]
