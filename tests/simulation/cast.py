"""Who takes part: honest raters, who answer from a real rater's row, and scripts of several kinds.

What anybody answers to a picture depends on the seed, the player, the picture and the place in their run alone, so
that chance of the service (who is given which picture) changes nothing else.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

LEVELS, ARTIFACT_LEVELS = 10, 6
HONEST = "honest"
KINDS = ("uniform", "constant", "lowest", "narrow", "marginal", "permute", "sleeper", "ring")
MORE_KINDS = ("drifter",)
# Kinds that begin by looking; of their answers a part is honest, and earned.
LOOKS_AT_FIRST = frozenset({"sleeper", "drifter"})
# A model, since no set of real ratings has this question: most images have few artifacts, people see them more or less
# alike, and three in ten do not answer.
ARTIFACT_SHARES = (0.42, 0.22, 0.14, 0.10, 0.07, 0.05)
ARTIFACT_NOISE, ARTIFACT_BIAS, ARTIFACTS_ANSWERED = 1.5, 0.6, 0.7
# Who is shown a picture again answers nearly the same: a correlation of some .92.
SECOND_THOUGHT = 0.6
RING_SECRET = 4711


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture as the players see it: which item of the real ratings it stands for, and its artifacts."""

    number: int
    item: int
    artifacts: int


@dataclass(frozen=True, slots=True)
class Answer:
    aesthetic: int
    artifacts: int | None
    is_honest: bool


@dataclass(frozen=True, slots=True)
class Population:
    """What the real ratings say of people: the share of each of the ten levels, and how many levels theirs had."""

    seed: int
    level_count: int
    shares: np.ndarray

    def stretch(self, step, place):
        """Return a whole number from 1 to 10 for a step (0, 1, …) of the real ratings' scale.

        An answer on seven levels covers a stretch of the scale of ten; ``place`` (0 to 1) says where in it this lies.
        """
        return 1 + int((step + place) * LEVELS / self.level_count)


@dataclass
class Player:
    """Somebody with an account. ``row`` is what a real rater said of the items, in steps (NaN where nothing)."""

    number: int
    kind: str
    row: np.ndarray
    wanted: int
    population: Population
    given: int = 0
    seen_items: set = field(default_factory=set)
    said: dict = field(default_factory=dict)
    """The answers to each subject, by its number: more than one where it was a repeat."""

    @property
    def name(self):
        return f"{self.kind}-{self.number:04d}"

    def may_answer(self, subject):
        """Whether there is an answer: one for each item, because the real rater gave no second one, or a repetition."""
        is_new = subject.item not in self.seen_items and not np.isnan(self.row[subject.item])
        return is_new or subject.number in self.said

    def answer(self, subject):
        """Return the answer to a picture, and go on to the next place."""
        earlier = self.said.setdefault(subject.number, [])
        dice = np.random.default_rng([self.population.seed, self.number, subject.number, len(earlier)])
        if not self._looks(dice):
            answer = self._make_up(subject, dice)
        else:
            answer = self._remember(earlier[0], dice) if earlier else self._look(subject, dice)
        earlier.append(answer)
        self.seen_items.add(subject.item)
        self.given += 1
        return answer

    def _looks(self, dice):
        if self.kind == "sleeper":
            return self.given < self.wanted / 2
        if self.kind == "drifter":
            return dice.random() >= self.given / max(self.wanted - 1, 1)
        return self.kind == HONEST

    def _look(self, subject, dice):
        aesthetic = self.population.stretch(self.row[subject.item], dice.random())
        seen = subject.artifacts + self._habits["bias"] + ARTIFACT_NOISE * dice.normal()
        artifacts = int(np.clip(np.rint(seen), 0, ARTIFACT_LEVELS - 1))
        return Answer(aesthetic, artifacts if dice.random() < ARTIFACTS_ANSWERED else None, is_honest=True)

    def _remember(self, earlier, dice):
        aesthetic = int(np.clip(np.rint(earlier.aesthetic + SECOND_THOUGHT * dice.normal()), 1, LEVELS))
        return Answer(aesthetic, earlier.artifacts, is_honest=earlier.is_honest)

    def _make_up(self, subject, dice):
        if self.kind == "ring":
            # All of them say the same of a picture, made up from its number.
            dice = np.random.default_rng([self.population.seed, RING_SECRET, subject.number])
        aesthetic, artifacts = getattr(self, f"_{self.kind}", self._marginal)(dice)
        return Answer(int(aesthetic), int(artifacts), is_honest=False)

    def _uniform(self, dice):
        return dice.integers(1, LEVELS + 1), dice.integers(0, ARTIFACT_LEVELS)

    def _constant(self, dice):
        return self._habits["level"], self._habits["artifacts"]

    def _lowest(self, dice):
        return 1, 0

    def _narrow(self, dice):
        mean = self.population.shares @ np.arange(1, LEVELS + 1)
        return np.clip(np.rint(mean + dice.normal()), 1, LEVELS), dice.integers(0, 2)

    def _marginal(self, dice):
        return 1 + dice.choice(LEVELS, p=self.population.shares), dice.choice(ARTIFACT_LEVELS, p=ARTIFACT_SHARES)

    def _permute(self, dice):
        own = self.row[~np.isnan(self.row)]
        step = own[self._habits["order"][self.given % len(own)]]
        return self.population.stretch(step, dice.random()), dice.integers(0, 3)

    @cached_property
    def _habits(self):
        dice = np.random.default_rng([self.population.seed, self.number])
        return {
            "bias": ARTIFACT_BIAS * dice.normal(),
            "level": dice.integers(2, LEVELS + 1),
            "artifacts": dice.integers(0, 3),
            "order": dice.permutation(np.count_nonzero(~np.isnan(self.row))),
        }


def make_population(pool, *, seed):
    """Return what a pool of real ratings says of people, on ten levels."""
    count = pool.levels.count
    edges = np.linspace(0, count, LEVELS + 1)
    reached = np.interp(edges, np.arange(count + 1), np.r_[0, np.cumsum(pool.shares)])
    return Population(seed, count, np.diff(reached) / reached[-1])


def true_scores(pool):
    """Return the score of each item that all honest real raters give it, on the scale of ten."""
    return 0.5 + (pool.truth - pool.levels.low + 0.5) * LEVELS / pool.levels.count


def make_players(pool, *, seed, honest, scripts, ratings, kinds=KINDS):
    """Return the players in no particular order; rows of scripts that look at first are other people's."""
    dice = np.random.default_rng([seed, 1])
    population = make_population(pool, seed=seed)
    people = dice.permutation(pool.honest)[: honest + scripts]
    if len(people) < honest + scripts:
        raise SystemExit(f"The set has {len(people)} raters; {honest + scripts} are wanted.")
    cast = [HONEST] * honest + [kinds[n % len(kinds)] for n in range(scripts)]
    return [
        Player(number, kind, _row(pool, who), min(ratings, len(pool.items[who])), population)
        for number, (kind, who) in enumerate(zip(cast, people, strict=True))
    ]


def _row(pool, who):
    row = np.full(len(pool.truth), np.nan)
    row[pool.items[who]] = pool.values[who] - pool.levels.low
    return row


def make_schedule(players, *, seed):
    """Return whose turn it is, one entry for each rating that is wanted: everybody begins and works at their own pace."""
    dice = np.random.default_rng([seed, 2])
    turns = []
    for player in players:
        begins = 0.5 * dice.random()
        places = (np.arange(player.wanted) + dice.random(player.wanted)) / player.wanted
        turns += [(begins + 0.5 * place, player.number) for place in places]
    return [number for _, number in sorted(turns)]
