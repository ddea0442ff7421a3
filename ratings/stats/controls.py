"""How often a rater is asked something that measures them: gold, repeats, and images that shall become gold.

Pure rules: who knows what a rater has answered so far gets how likely the next image is which.
"""

from dataclasses import dataclass

# Whoever the evidence speaks against is asked this often, and who is watched almost always at first.
SUSPECT_SHARE, WATCHED_SHARE, WATCHED_AT_FIRST = 0.4, 0.2, 0.8
MOST_AT_FIRST = 0.6


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """How many controls there are and how often they are asked: what an operator may change."""

    nursery_size: float = 300
    """Images of a dataset that are gold or on their way to it; 0 asks no gold."""
    nursery_share: float = 0.02
    """The most of a dataset's images that these may be."""
    nursery_least: float = 20
    """Fewer than this are none: a handful would soon be known by heart, and gold is ranked among gold."""
    decoys: float = 2
    """Ordinary images that are kept out of releases for each image of the nursery, so that being left out tells
    nothing."""
    raised_at: float = 30
    """Ratings by trusted raters that an image needs before it is gold."""
    uses: float = 500
    """Answers after which an image is gold no longer."""
    days: float = 90
    """Days after which it is gold no longer."""
    first_ratings: float = 20
    """The first ratings of a rater, in which there is more gold."""
    first_gold: float = 8
    """How many of those are gold."""
    gold_share: float = 0.05
    """Share of gold after that."""
    trusted_gold_share: float = 0.025
    """Share of gold for raters who are trusted."""
    repeat_share: float = 0.025
    """Share of images that the rater has rated before: one in forty."""
    repeat_after: float = 100
    """Ratings of the rater that come between the first time and the second."""
    repeat_days: float = 1
    """Days that come between them."""
    raise_share: float = 0.1
    """Share of images that are to become gold, for raters who are trusted."""
    appeal_repeats: float = 8
    """Repeats that an appeal is decided by."""
    appeal_after: float = 20
    """Ratings of the rater that come between the first time and the second in an appeal."""
    appeal_at: float = 20
    """E-value of the repeats from which an appeal is won. Who does not look at the images gets there at most once in
    20."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rater has answered so far, and where they stand.

    ``given`` counts all answers and ``gold`` those to gold; ``gold_watched`` those to gold since they are watched.
    ``is_suspect`` means that evidence against them has grown; ``repeats_due`` how many repeats an appeal still needs.
    """

    given: int = 0
    gold: int = 0
    state: str = "new"
    is_suspect: bool = False
    gold_watched: int = 0
    repeats_due: int = 0


def gold_chance(asked: Asked, policy: ControlPolicy) -> float:
    """Return how likely the next image is gold."""
    left = policy.first_ratings - asked.given
    if left > 0:
        return min(max(policy.first_gold - asked.gold, 0) / left, MOST_AT_FIRST)
    if asked.state == "watched":
        return WATCHED_AT_FIRST if asked.gold_watched < policy.first_gold else WATCHED_SHARE
    if asked.is_suspect:
        return SUSPECT_SHARE
    return policy.trusted_gold_share if asked.state == "trusted" else policy.gold_share


def repeat_chance(asked: Asked, policy: ControlPolicy) -> float:
    """Return how likely the next image is one that the rater knows."""
    if asked.repeats_due:
        return 1.0
    return policy.repeat_share if asked.given > policy.repeat_after else 0.0


def raise_chance(asked: Asked, policy: ControlPolicy) -> float:
    """Return how likely the next image is one that is to become gold."""
    return policy.raise_share if asked.state == "trusted" else 0.0
