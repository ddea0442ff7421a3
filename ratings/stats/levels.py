"""The levels of a question, and the unit in which all of this package reckons: one step between levels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# More levels than this are a slider, on which nobody means one position; a step is then a hundredth of it.
MOST_LEVELS = 101
# Levels that the histogram of a rater tells apart.
MOST_BINS = 21


def sums(index: Ints, values: Floats, count: int) -> Floats:
    """Return the sum of the values of each index from 0 to `count` - 1."""
    return np.bincount(index, values, count).astype(np.float64, copy=False)


def counts(index: Ints, count: int) -> Floats:
    """Return how often each index from 0 to `count` - 1 occurs."""
    return np.bincount(index, minlength=count).astype(np.float64)


def distinct(positions: Ints, size: int) -> Ints:
    """Return the positions below `size` that occur, each once and in order; faster than sorting them."""
    occurs = np.zeros(size, dtype=np.bool_)
    occurs[positions] = True
    return np.flatnonzero(occurs)


class NotARating(ValueError):
    """A value is no number, or lies outside of the scale."""


@dataclass(frozen=True, slots=True)
class Levels:
    """A scale from `low` to `high` in equal steps: `Levels(1, 10)`, `Levels(0.5, 5, 0.5)`, `Levels(0, 100)`."""

    low: float
    high: float
    step: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.high > self.low and self.step > 0):
            raise NotARating(f"A scale needs two ends and a step, not {self.low}, {self.high} and {self.step}.")

    @property
    def unit(self) -> float:
        """Size of a step in units of the scale."""
        return max(self.step, (self.high - self.low) / (MOST_LEVELS - 1))

    @property
    def count(self) -> int:
        """How many levels there are; 101 at most."""
        return round((self.high - self.low) / self.unit) + 1

    @property
    def bins(self) -> int:
        return min(self.count, MOST_BINS)

    def to_steps(self, values: npt.ArrayLike) -> Floats:
        """Return values as steps above the lowest level. Raises NotARating for what is no number or out of scale."""
        array = np.asarray(values, dtype=np.float64)
        slack = 1e-6 * (self.high - self.low)
        is_wrong = ~((array >= self.low - slack) & (array <= self.high + slack))
        if is_wrong.any():
            first = int(np.flatnonzero(is_wrong)[0])
            raise NotARating(f"Rating {first} is {array[first]}, which is not on the scale {self.low} to {self.high}.")
        return np.asarray((array - self.low) / self.unit, dtype=np.float64)

    def from_steps(self, steps: Floats) -> Floats:
        """Return positions on the scale, cut off at its ends."""
        return np.clip(self.low + steps * self.unit, self.low, self.high)

    def to_bins(self, steps: Floats) -> Ints:
        """Return the bin, 0 to `bins` - 1, of each value in steps."""
        return np.rint(steps * ((self.bins - 1) / (self.count - 1))).astype(np.int64)


STEPS = (1.0, 0.5, 0.25, 0.2, 0.1, 0.05, 0.01)
# Scales that people use. With few ratings the ends may not have been given by anybody.
USUAL = ((1, 5), (0, 5), (0.5, 5), (1, 6), (1, 7), (0, 10), (1, 10), (0, 100), (1, 100), (-10, 10), (-100, 100))
FEW = 300


def guess_levels(values: Floats) -> Levels:
    """Return the scale that values seem to be on: their ends, and the widest step that all of them are on.

    Of few values the smallest usual scale around them. Raises NotARating when all are the same and no scale is usual.
    """
    low, high = float(values.min()), float(values.max())
    if len(values) < FEW or low == high:
        around = [(a, b) for a, b in USUAL if a <= low and high <= b]
        low, high = min(around, key=lambda ends: ends[1] - ends[0], default=(low, high))
    for step in STEPS:
        places = (values - low) / step
        if high - low >= step and bool(np.all(np.abs(places - np.rint(places)) < 1e-6)):
            return Levels(low, high, step)
    return Levels(low, high, (high - low) / (MOST_LEVELS - 1))
