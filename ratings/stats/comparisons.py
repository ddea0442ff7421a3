"""Which of two images is better: Bradley and Terry's model in which a vote weighs as much as its rater looks."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Floats, Ints, counts, sums
from ratings.stats.rows import RatingsInvalid
from ratings.stats.special import log_beta, sigmoid

ROUNDS, STEPS, LAST_STEPS, INNER_STEPS = 5, 40, 60, 10
# Wins and losses against an average image that each image is given.
PRIOR = 1.0
# Honest raters vote against their own view this often, whatever the images.
LAPSE = 0.03
LEAST_SHARE, MOST_SHARE, FIRST_SHARE = 0.01, 0.6, 0.1
CONFIDENCE_95 = 1.959964
LEFT, RIGHT, TIE = 1, 2, 0


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes, one element each: positions of two images and of the rater, and which image won.

    `outcome` is LEFT, RIGHT or TIE; a tie counts as half a win of both (Davidson's model with a common share of ties
    has the same order). Of a best of m images the chosen one beats each of the others: m - 1 votes. "All bad" is no
    vote on which is better: give it as `make_bad_votes`, against an image that stands for "good enough".
    """

    left: Ints
    right: Ints
    rater: Ints
    outcome: Ints
    image_count: int
    rater_count: int

    def __post_init__(self) -> None:
        if len({len(column) for column in (self.left, self.right, self.rater, self.outcome)}) != 1:
            raise RatingsInvalid("The columns of votes have different lengths.")
        if len(self.left) and (
            min(int(self.left.min()), int(self.right.min()), int(self.rater.min())) < 0
            or max(int(self.left.max()), int(self.right.max())) >= self.image_count
            or int(self.rater.max()) >= self.rater_count
        ):
            raise RatingsInvalid("A vote names an image or a rater that is not there.")
        if (self.left == self.right).any() or not np.isin(self.outcome, (LEFT, RIGHT, TIE)).all():
            raise RatingsInvalid("A vote is on two different images, and won by one of them or by none.")


@dataclass(frozen=True, slots=True)
class ComparisonFit:
    """`score` is ln of the strength, 0 on average; the chance that a beats b is 1/(1 + exp(b - a)). [`low`, `high`] is
    its 95 % interval. `reliability` of a rater is p_honest, given what they were to tell apart.
    """

    score: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    effective_count: Floats
    p_honest: Floats
    log_odds: Floats
    """ln(blind : honest) of each rater's votes alone; adds to the evidence from their ratings (with opposite sign)."""


def fit_comparisons(votes: Votes, *, p_honest: Floats | None = None) -> ComparisonFit:
    """Fit strengths and who looks, each from the other; O(votes) a step.

    Minorization-maximization with a prior (Hunter 2004; Caron and Doucet 2012), votes weighed by p_honest. Evidence on
    a rater is leave-one-out: how their votes fit what the others say of the two images, over the habit of choosing a
    side. `p_honest` of raters from their ratings, when given, is where that evidence starts.
    """
    duels = _Duels.of(votes)
    prior_odds = np.zeros(votes.rater_count) if p_honest is None else _log_odds(p_honest) - _log_odds(np.array(0.9))
    p, share, score = np.ones(votes.rater_count), FIRST_SHARE, np.zeros(votes.image_count)
    if p_honest is not None:
        p = p_honest.astype(np.float64)
    evidence = np.zeros(votes.rater_count)
    blind = _blind(votes)
    for _ in range(ROUNDS):
        score = _strengths(duels, p, score, STEPS)
        evidence = _likelihood(duels, p, score) - blind
        for _ in range(INNER_STEPS):
            p = sigmoid(evidence + prior_odds + np.log((1 - share) / share))
            share = float(np.clip(((1 - p).sum() + 1) / (len(p) + 10), LEAST_SHARE, MOST_SHARE))
    score = _strengths(duels, p, score, LAST_STEPS)
    weight = duels.weight * p[duels.rater]
    error = 1.0 / np.sqrt(_information(duels, weight, score))
    images = np.r_[duels.win, duels.lose]
    total, squares = (sums(images, np.r_[part, part], votes.image_count) for part in (weight, weight**2))
    return ComparisonFit(
        score=score,
        standard_error=error,
        low=score - CONFIDENCE_95 * error,
        high=score + CONFIDENCE_95 * error,
        effective_count=np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0),
        p_honest=p,
        log_odds=-evidence,
    )


def _log_odds(p: Floats) -> Floats:
    bounded = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(bounded / (1 - bounded)))


@dataclass(frozen=True, slots=True)
class _Duels:
    """Wins, one element each; a tie is two of half the weight."""

    win: Ints
    lose: Ints
    rater: Ints
    weight: Floats
    image_count: int
    rater_count: int

    @classmethod
    def of(cls, votes: Votes) -> "_Duels":
        is_left, is_tie = votes.outcome == LEFT, votes.outcome == TIE
        win, lose = np.where(is_left, votes.left, votes.right), np.where(is_left, votes.right, votes.left)
        return cls(
            win=np.r_[win, lose[is_tie]],
            lose=np.r_[lose, win[is_tie]],
            rater=np.r_[votes.rater, votes.rater[is_tie]],
            weight=np.r_[np.where(is_tie, 0.5, 1.0), np.full(int(is_tie.sum()), 0.5)],
            image_count=votes.image_count,
            rater_count=votes.rater_count,
        )


def _strengths(duels: _Duels, p: Floats, score: Floats, steps: int) -> Floats:
    """Return strengths after some steps of minorization-maximization from where they were."""
    weight = duels.weight * p[duels.rater]
    wins = sums(duels.win, weight, duels.image_count) + PRIOR
    strength = np.exp(score)
    for _ in range(steps):
        met = weight / (strength[duels.win] + strength[duels.lose])
        played = sums(duels.win, met, duels.image_count) + sums(duels.lose, met, duels.image_count)
        strength = wins / (played + 2 * PRIOR / (strength + 1.0))
        strength /= np.exp(np.log(strength).mean())
    return np.asarray(np.log(strength))


def _information(duels: _Duels, weight: Floats, score: Floats) -> Floats:
    chance = sigmoid(score[duels.win] - score[duels.lose])
    part = weight * chance * (1 - chance)
    return sums(duels.win, part, duels.image_count) + sums(duels.lose, part, duels.image_count) + PRIOR / 2


def _likelihood(duels: _Duels, p: Floats, score: Floats) -> Floats:
    """Return ln of the likelihood of each rater's votes, if they look, by what the others say.

    A rater's own part in the score of an image is taken out by one step of Newton, and the doubt in both scores draws
    the chance to one half (probit approximation).
    """
    size, weight = len(duels.win), duels.weight * p[duels.rater]
    chance = sigmoid(score[duels.win] - score[duels.lose])
    curvature = chance * (1 - chance)
    information = _information(duels, weight, score)
    image = np.r_[duels.win, duels.lose]
    key = np.r_[duels.rater, duels.rater] * duels.image_count + image
    unique, inverse = np.unique(key, return_inverse=True)
    gradient = sums(inverse, np.r_[weight * (1 - chance), -weight * (1 - chance)], len(unique))
    own = sums(inverse, np.r_[weight * curvature, weight * curvature], len(unique))
    step = gradient / np.maximum(information[unique % duels.image_count] - own, 0.25)
    difference = (score[duels.win] - step[inverse[:size]]) - (score[duels.lose] - step[inverse[size:]])
    doubt = 1 / information[duels.win] + 1 / information[duels.lose]
    difference /= np.sqrt(1 + np.pi * doubt / 8)
    told = np.log(LAPSE + (1 - 2 * LAPSE) * sigmoid(difference))
    return sums(duels.rater, duels.weight * told, duels.rater_count)


def _blind(votes: Votes) -> Floats:
    """Return ln of the likelihood of each rater's votes from a habit of choosing a side (Beta(2, 2), Bernoulli)."""
    decided = votes.outcome != TIE
    number = counts(votes.rater[decided], votes.rater_count)
    left = counts(votes.rater[votes.outcome == LEFT], votes.rater_count)
    ties = counts(votes.rater[~decided], votes.rater_count)
    two = np.array([2.0])
    return np.asarray(log_beta(left + 2, number - left + 2) - log_beta(two, two) - ties * np.log(2.0))


def make_bad_votes(images: Ints, rater: Ints, *, threshold: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Return "all of these are bad" as votes (left, right, rater, outcome): an image that stands for "good enough",
    at the position `threshold`, beats each of them. Sides alternate, so that no habit is read into it.
    """
    side = np.arange(len(images)) % 2 == 0
    good = np.full(len(images), threshold, dtype=np.int64)
    left, right = np.where(side, good, images), np.where(side, images, good)
    return left, right, rater, np.where(side, LEFT, RIGHT)
