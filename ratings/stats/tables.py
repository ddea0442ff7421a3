"""Columns that grow together, and the index from ids of the caller to their positions."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from ratings.stats.levels import Flags, Floats, Ints

CORRELATIONS = (0.15, 0.30, 0.45, 0.60)
NODES = 7
KINDS: dict[Any, type] = {Ints: np.int64, Floats: np.float64, Flags: np.bool_}


class Index:
    """Positions 0, 1, 2, ... of ids in the order in which they were first seen."""

    def __init__(self) -> None:
        self._positions: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._positions)

    def place(self, ids: Ints) -> Ints:
        """Return positions; ids that are new get the next ones."""
        unique, inverse = np.unique(ids, return_inverse=True)
        known = self._positions
        places = np.array([known.setdefault(item, len(known)) for item in unique.tolist()], dtype=np.int64)
        return places[inverse]

    def find(self, ids: Ints) -> Ints:
        """Return positions, and -1 for ids that are not known."""
        return np.array([self._positions.get(item, -1) for item in ids.tolist()], dtype=np.int64)


@dataclass(slots=True)
class Table:
    """Arrays with one row an element and room to grow; `size` of it is used."""

    size: int

    def grow(self, size: int) -> None:
        """Make room for at least `size` rows, of which new ones are zero."""
        arrays = [field.name for field in fields(self) if field.name != "size"]
        room = len(getattr(self, arrays[0]))
        if size > room:
            more = max(size, 2 * room, 64) - room
            for name in arrays:
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), dtype=array.dtype)]))
        self.size = size


def _floats() -> Floats:
    return np.zeros(0)


def _ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class RowTable(Table):
    """Votes in the order of their arrival."""

    image: Ints
    rater: Ints
    value: Floats
    others: Floats
    """Leave-one-out score of the image, as it is in the sums of the rater."""
    others_weight: Floats
    is_live: Flags
    is_judged: Flags
    """Whether the online tests have seen it."""

    @classmethod
    def empty(cls) -> Self:
        return cls(0, _ints(), _ints(), _floats(), _floats(), _floats(), np.zeros(0, np.bool_), np.zeros(0, np.bool_))


@dataclass(slots=True)
class ImageTable(Table):
    """Sums of each image: weighted corrected ratings, weights, their squares, plain ratings, how many."""

    ids: Ints
    total: Floats
    weight: Floats
    squares: Floats
    plain: Floats
    count: Floats
    seen_score: Floats
    """Score and weight from which the leave-one-out scores of its ratings were last reckoned."""
    seen_weight: Floats

    @classmethod
    def empty(cls) -> Self:
        return cls(0, _ints(), *(_floats() for _ in range(7)))


@dataclass(slots=True)
class RaterTable(Table):
    """What is kept of each rater. Steps are the unit; logarithms are natural."""

    ids: Ints
    count: Floats
    x: Floats
    y: Floats
    xx: Floats
    yy: Floats
    xy: Floats
    share: Floats
    difference: Floats
    """Sums of what each rating tells of the bias (`weighing.bias_parts`)."""
    histogram: Ints
    distance_squares: Floats
    distance_count: Floats
    log_odds: Floats
    p_honest: Floats
    bias: Floats
    stretch: Floats
    weight: Floats
    """Bias, stretch and weight as they are in the sums of images."""
    control_evidence: Floats
    control_count: Floats
    trust: Floats
    """ln of the bets that the rater looks, one for each of CORRELATIONS."""
    looking: Floats
    """ln of the likelihood that the rater looks, one for each node of the honest distribution."""
    uniform: Floats
    flat: Floats
    hits: Floats
    trials: Floats
    change: Floats
    """ln of the sum over all times of (looked until then and not since : looks as ever)."""
    judged: Floats
    calibrated_at: Floats
    trusted_at: Floats
    watched_at: Floats
    quarantined_at: Floats
    """Ratings given when the threshold was first reached; 0 before."""
    is_silent: Flags

    @classmethod
    def empty(cls, bins: int) -> Self:
        widths = {"histogram": bins, "trust": len(CORRELATIONS), "looking": NODES}
        columns: dict[str, Any] = {
            field.name: np.zeros((0, widths[field.name]) if field.name in widths else 0, dtype=KINDS[field.type])
            for field in fields(cls)
            if field.name != "size"
        }
        return cls(size=0, **columns)


# What has to be stored of a rater beside the ratings, from which all else follows. Name -> width (1: scalar).
RATER_COLUMNS = {
    "bias": 1,
    "stretch": 1,
    "weight": 1,
    "control_evidence": 1,
    "control_count": 1,
    "trust": len(CORRELATIONS),
    "looking": NODES,
    "uniform": 1,
    "flat": 1,
    "hits": 1,
    "trials": 1,
    "change": 1,
    "judged": 1,
    "calibrated_at": 1,
    "trusted_at": 1,
    "watched_at": 1,
    "quarantined_at": 1,
    "is_silent": 1,
}
