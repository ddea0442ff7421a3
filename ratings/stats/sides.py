"""Two groups that each agree within: who stands with the raters who were verified, and who with the others.

Bots that give the same made-up answer for an image agree with each other more than people ever do. Once they are many,
the consensus is theirs, and people look blind against it, verified ones too. That tells the groups apart: among
those who agree with the consensus far better or worse than the verified raters do is nobody of their kind.
"""

from dataclasses import dataclass

import numpy as np

from ratings.stats.evidence import Habits, Posterior
from ratings.stats.levels import Flags, Floats
from ratings.stats.population import LEAST_TO_TELL
from ratings.stats.special import log_normal, sigmoid

STEPS = 30
# Standard deviations between the groups from which there are two (measured: .9 at most where nobody conspires and it
# would matter; 1.2 and more under a ring that has the consensus).
LEAST_APART = 1.0
# Bounds of how far the members of each group differ in agreement, as standard deviations of Fisher's z.
OWN_SD, OTHER_SD = (0.08, 0.25), (0.05, 0.3)
# Whoever agrees less with the consensus than the seeds do is none of the others, by this many nats at least.
BELOW = 5.0
LEAST_RATERS = 10
SEED_ODDS = float(np.log(9.0))


@dataclass(frozen=True, slots=True)
class Sides:
    """`evidence` is ln(with the seeds : with the others) of each rater, `share` that of the others among raters."""

    seeds: Flags
    evidence: Floats
    share: float
    apart: float
    """Distance of the groups in standard deviations."""

    @property
    def p_with(self) -> Floats:
        """Probability of each rater to stand with the seeds."""
        return np.where(self.seeds, 1.0, sigmoid(self.evidence - np.log(self.share / (1.0 - self.share))))

    def join(self, posterior: Posterior) -> Posterior:
        """Return a posterior whose last row is the other side without it: those do not vary with what is true.

        Seeds are not doubted beyond one in ten.
        """
        suspicion = posterior.suspicion[:-1].copy()
        suspicion[0] += posterior.suspicion[-1]
        log_odds = np.where(self.seeds, np.minimum(posterior.log_odds, -SEED_ODDS), posterior.log_odds)
        return Posterior(log_odds, sigmoid(-log_odds), suspicion)


def find_sides(habits: Habits, seeds: Flags) -> Sides | None:
    """Return the sides by expectation-maximization over how well each rater agrees with a consensus, or None.

    The seeds' group is that of the seeds alone; the other is found, above it.
    """
    known = habits.information >= LEAST_TO_TELL
    others = known & ~seeds
    if others.sum() < LEAST_RATERS or not (known & seeds).any():
        return None
    z, variance = habits.z, habits.variance
    own, own_sd = _moments(z, variance, (known & seeds).astype(np.float64), OWN_SD)
    other, other_sd, share = float(np.quantile(z[others], 0.9)), 0.15, 0.2
    evidence = np.zeros(len(z))
    for _ in range(STEPS):
        evidence = log_normal(z, own, own_sd**2 + variance) - log_normal(z, other, other_sd**2 + variance)
        evidence = np.where(z < own, np.maximum(evidence, BELOW), evidence)
        p_other = sigmoid(np.log(share / (1.0 - share)) - evidence) * others
        share = float(np.clip((p_other.sum() + 1.0) / (others.sum() + 5.0), 0.01, 0.9))
        other, other_sd = _moments(z, variance, p_other + 1e-9 * others, OTHER_SD)
    apart = (other - own) / float(np.sqrt(own_sd**2 + other_sd**2 + 2 * np.median(variance[known])))
    return Sides(seeds, np.where(known, evidence, 0.0), share, apart) if apart > LEAST_APART else None


def _moments(z: Floats, variance: Floats, weight: Floats, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return mean and standard deviation of a group, without the sampling variance of its members."""
    weight = weight / (bounds[1] ** 2 + variance)
    mean = float(np.average(z, weights=weight))
    excess = float(np.average((z - mean) ** 2 - variance, weights=weight))
    return mean, float(np.sqrt(np.clip(excess, bounds[0] ** 2, bounds[1] ** 2)))
