"""Cells large enough to hide in: who would be one of few gives up one attribute after another.

k-anonymity (Sweeney 2002) by local suppression: the values that are told stay exact, and those of a rater whom fewer
than ``smallest`` raters resemble are withheld in a stated order until enough do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

UNKNOWN = -1

Codes = npt.NDArray[np.int64]


def withhold(attributes: Sequence[Codes], *, beside: Codes, smallest: int) -> npt.NDArray[np.int8]:
    """Return how many of the attributes are withheld from each rater, in the order in which they are given up.

    ``attributes`` and ``beside``, which is always told, have a code for each rater, UNKNOWN where nothing is known: a
    withheld value looks like that. One more than there are attributes means that even so fewer than ``smallest`` raters
    look alike, and that nothing may connect the answers of such a rater.

    A cell that is large enough loses nobody, because those who must give up more leave the smaller cells whole; so one
    pass over the attributes is enough.
    """
    withheld = np.zeros(len(beside), np.int8)
    for count in range(1, len(attributes) + 2):
        told = [np.where(withheld > place, UNKNOWN, codes) for place, codes in enumerate(attributes)]
        withheld[_sizes_of_cells([beside, *told]) < smallest] = count
    return withheld


def _sizes_of_cells(columns: Sequence[Codes]) -> npt.NDArray[np.int64]:
    """Return for each row how many rows are the same in all columns."""
    cells = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, codes = np.unique(column, return_inverse=True)
        _, cells = np.unique(cells * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return np.bincount(cells)[cells] if len(cells) else cells


@dataclass(slots=True)
class Values:
    """Which values each rater has shown of one attribute, such as the countries that their answers came from.

    A value of fewer raters than ``smallest`` is told of nobody.
    """

    smallest: int
    common: frozenset[str] = frozenset()
    _codes: dict[str, int] = field(default_factory=dict)
    _raters: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _values: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def add(self, lists: pa.ListArray, *, first: int) -> None:
        """Take down the values of the raters from place ``first`` on; each value once for each rater."""
        encoded = lists.flatten().dictionary_encode()
        codes = [self._codes.setdefault(value, len(self._codes)) for value in encoded.dictionary.to_pylist()]
        places = first + np.asarray(lists.value_parent_indices(), np.int64)
        known = np.asarray(encoded.indices.is_valid())
        self._raters.append(places[known])
        self._values.append(np.asarray(codes, np.int64)[np.asarray(encoded.indices.drop_null(), np.int64)])

    def settle(self, count: int) -> Codes:
        """Return a code for the set of common values that each of ``count`` raters has; UNKNOWN for none."""
        raters = np.concatenate([*self._raters, np.empty(0, np.int64)])
        values = np.concatenate([*self._values, np.empty(0, np.int64)])
        is_common = np.bincount(values, minlength=len(self._codes)) >= self.smallest
        self.common = frozenset(value for value, code in self._codes.items() if is_common[code])
        sets: dict[int, list[int]] = {}
        for rater, value in zip(raters[is_common[values]].tolist(), values[is_common[values]].tolist(), strict=True):
            sets.setdefault(rater, []).append(value)
        codes = np.full(count, UNKNOWN, np.int64)
        known: dict[tuple[int, ...], int] = {}
        for rater, found in sets.items():
            codes[rater] = known.setdefault(tuple(sorted(found)), len(known))
        self._raters, self._values = [], []
        return codes
