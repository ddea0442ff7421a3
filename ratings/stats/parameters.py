"""What the engine knows of a question as a whole, and what its operator decides."""

from dataclasses import dataclass, fields
from math import log

from ratings.stats.levels import Levels

KINDS = ("blind", "uniform", "flat", "copier", "changed")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The population of a question, in steps; fitted nightly by `fit`, and `Parameters.start` until then.

    Correlations are Fisher's z. The five shares are of raters, the rest of them is honest.
    """

    mean: float
    """Mean of the images' scores (mu)."""
    kappa: float
    """Ratings that the mean counts as: variance within an image over variance between images."""
    between: float
    """Variance between images (tau squared)."""
    within: float
    """Variance of honest ratings of one image (sigma squared)."""
    agreement: float
    """Reliability of the score that the others give an image (rel), 0 to 1."""
    honest_z: float
    honest_z_sd: float
    share_blind: float
    share_uniform: float
    share_flat: float
    share_copier: float
    share_changed: float
    spread: float
    """Logarithm of the standard deviation of an honest rater's ratings, in the middle."""
    spread_sd: float
    distance: float
    """Logarithm of how far honest raters lie from the mean that was visible, in their own standard deviations."""
    distance_sd: float
    is_fitted: bool = False
    has_distance: bool = False
    """Whether `distance` was fitted: before that nobody is called a copier."""
    mode_hits: float = 3.0
    mode_misses: float = 5.0
    """The share of an honest rater's answers that equal their most frequent one is Beta(hits, misses) distributed."""
    change_scale: float = 1.0
    """By what evidence of a change is multiplied, 0 to 1 (`changes.find_changes`)."""

    @classmethod
    def start(cls, levels: Levels) -> "Parameters":
        """Return what is assumed of a question that nobody has answered."""
        count = levels.count
        total = (0.24 * count) ** 2
        return cls(
            mean=0.45 * (count - 1),
            kappa=2.0,
            between=total / 3,
            within=total * 2 / 3,
            agreement=0.65,
            honest_z=0.5,
            honest_z_sd=0.15,
            share_blind=0.10,
            share_uniform=0.02,
            share_flat=0.01,
            share_copier=0.01,
            share_changed=0.01,
            spread=log(0.21 * count),
            spread_sd=0.25,
            distance=log(1.05),
            distance_sd=0.25,
        )

    @property
    def shares(self) -> tuple[float, ...]:
        return self.share_blind, self.share_uniform, self.share_flat, self.share_copier, self.share_changed

    @property
    def total(self) -> float:
        """Variance of honest ratings over all images."""
        return self.between + self.within

    def as_dict(self) -> dict[str, float | bool]:
        """Return what a JSON column can hold; `Parameters(**that)` brings it back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of the online tests. Each says which error it allows, and how often.

    An e-value is the gain of a bet against a claim: when the claim is true it reaches 1/alpha with a probability of
    alpha at most, however often and whenever one looks (Ville's inequality).
    """

    calibrated_at: float = 20.0
    """Trust e-value from which rewards are paid. Who does not look at the images gets there at most once in 20."""
    trusted_at: float = 100.0
    """Trust e-value from which a rater is a reference for others. Who does not look gets there at most once in 100."""
    gold_at: float = 20.0
    """Ban e-value from which more controls are asked. One honest rater in 20 at most meets them needlessly."""
    watched_at: float = 100.0
    """Ban e-value from which rewards wait. One honest rater in 100 at most; measured 2 to 3 for unusual taste."""
    quarantined_at: float = 1000.0
    """Ban e-value from which ratings do not count. One honest rater in 1000 at most; measured under 1 in 100.
    It needs p_honest below one half as well, so that a fit which knows better can take it back."""
    least_honest: float = 0.05
    """p_honest below which a rater whose ban e-value is at `watched_at` is quarantined already, after `first_ratings`:
    one honest rater in 100 at most."""
    least_honest_alone: float = 0.02
    """p_honest below which the fit from scratch quarantines alone, after `least_ratings`; one in 50 of those so like
    spam, measured 7 of 1000 honest raters at most. Copiers, of whom the e-value knows nothing, are held by it too."""
    least_ratings: int = 30
    first_ratings: int = 10
    """Ratings before which nobody is called anything but new, unless the ban e-value has spoken."""
    calibrated_ratings: int = 50
    """Ratings after which p_honest of `calibrated_p`, a quiet ban e-value and a trust e-value of 1 suffice, so that
    unusual taste is paid too."""
    calibrated_p: float = 0.8
    """Many who never look pass one half somewhere on the way; few pass this while the bet on them is not behind."""
    changed_at: float = 6.9
    """ln of the odds "no longer looks : looks as ever" from which trust is halved and rewards wait; one honest rater
    in 1000 at most at any one time."""


START_RATINGS = 500
"""Ratings of a new question after which it is fitted for the first time."""
