"""The trust chain: scores that rest on those who stand with verified raters, and the alarm of a coordinated ring.

Bots that agree with each other look like honest raters to every method that compares raters, and above a quarter of
all ratings they are the consensus. Raters who were verified beforehand, the seeds, tell which of two groups is which
(`ratings.stats.sides`); a handful of them is enough.
"""

from dataclasses import dataclass, replace

import numpy as np

from ratings.stats.consensus import Draft, describe, solve
from ratings.stats.facts import Facts, find_facts
from ratings.stats.levels import Flags, Levels
from ratings.stats.ranks import rank_correlation
from ratings.stats.results import Fit
from ratings.stats.rows import Ratings, RatingsInvalid
from ratings.stats.sides import find_sides

# Rank correlation of plain and chained scores below which there is a ring (measured: honest data and spam without
# coordination .99 and more; a ring of 30 % .77 and less, of 40 % .05 and less).
RING_BELOW = 0.9


@dataclass(frozen=True, slots=True)
class Chained:
    """Both fits, and what to publish of them."""

    plain: Fit
    chain: Fit
    correlation: float

    @property
    def is_ring(self) -> bool:
        """Whether an alarm is due and the chain is to be published."""
        return self.correlation < RING_BELOW

    @property
    def best(self) -> Fit:
        """The chain under alarm, else the plain fit, which knows more where nobody conspires."""
        return self.chain if self.is_ring else self.plain


def fit_chain(ratings: Ratings, levels: Levels, *, seeds: Flags, silent: Flags | None = None) -> Chained:
    """Fit with and without the chain; `seeds` are raters verified beforehand. Raises RatingsInvalid without any."""
    facts = find_facts(ratings, levels)
    check_seeds(facts, seeds)
    plain = solve(facts, levels, silent=silent)
    chain = solve_chain(plain, facts, levels, seeds=seeds, silent=silent)
    return compare(describe(plain, facts, levels), describe(chain, facts, levels), facts)


def solve_chain(plain: Draft, facts: Facts, levels: Levels, *, seeds: Flags, silent: Flags | None = None) -> Draft:
    """Return the draft of those who stand with the seeds; the plain one where nobody stands against them."""
    sides = find_sides(plain.habits, seeds)
    return plain if sides is None else solve(facts, levels, silent=silent, sides=sides)


def check_seeds(facts: Facts, seeds: Flags) -> None:
    """Raise RatingsInvalid when no seed has rated anything."""
    if seeds.shape != (facts.rater_count,):
        raise RatingsInvalid("Seeds are one flag for each rater.")
    if not (facts.count[seeds] > 0).any():
        raise RatingsInvalid("None of the seeds has rated anything.")


def compare(plain: Fit, chain: Fit, facts: Facts) -> Chained:
    """Return both fits with how well they agree on images that have ratings."""
    is_rated = facts.votes_of_image > 0
    return Chained(plain, chain, rank_correlation(plain.images.score[is_rated], chain.images.score[is_rated]))


def with_silent(draft: Draft, silent: Flags) -> Draft:
    """Return a draft in which some raters do not vote."""
    return replace(draft, voice=np.where(silent, 0.0, draft.voice))
