"""The answers that signals are measured on, by columns; the answers of a rater stand together, oldest first."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Floats, Ints

INPUTS = ("", "keyboard", "pointer", "touch", "pen", "mixed")


@dataclass(frozen=True, slots=True)
class Answers:
    """The last answers of some raters. What is not known is NaN.

    ``answer_ms`` is from the picture to the answer, as the page measured it; ``elapsed_ms`` from handing it out to the
    answer, as we did. ``others_*`` are the means of the other ratings of the image, where there are two at least.
    """

    rater: Ints
    aesthetic: Floats
    artifacts: Floats
    answer_ms: Floats
    elapsed_ms: Floats
    input: Ints
    """Index of INPUTS."""
    others_aesthetic: Floats
    others_artifacts: Floats

    def __len__(self) -> int:
        return len(self.rater)


@dataclass(frozen=True, slots=True)
class Groups:
    """Which rows belong to which rater: ``ids`` of the raters, and the ``index`` in it of each row."""

    ids: Ints
    index: Ints

    @classmethod
    def of(cls, rater: Ints) -> "Groups":
        ids, index = np.unique(rater, return_inverse=True)
        return cls(ids, index)

    def count(self, rows: Ints | None = None) -> Floats:
        index = self.index if rows is None else self.index[rows]
        return np.bincount(index, minlength=len(self.ids)).astype(np.float64)

    def total(self, values: Floats) -> Floats:
        """Return the sum over each rater's rows."""
        return np.bincount(self.index, values, minlength=len(self.ids)).astype(np.float64)

    def most(self, values: Floats) -> Floats:
        """Return the highest over each rater's rows, and 0 where there is none."""
        result = np.zeros(len(self.ids))
        np.maximum.at(result, self.index, values)
        return result


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of signal of some raters. ``tell`` says in words what was found of the rater at a place."""

    kind: str
    rater: Ints
    value: Floats
    log_evidence: Floats
    count: Ints
    tell: Callable[[int], str]


def nothing(kind: str) -> Measured:
    """Return what is measured where there is nothing to measure."""
    no_numbers, no_floats = np.zeros(0, np.int64), np.zeros(0)
    return Measured(kind, no_numbers, no_floats, no_floats, no_numbers, lambda _: "")
