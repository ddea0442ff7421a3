"""Many raters at one address, by its keyed hash: families and schools are, and so are accounts made in a row."""

import numpy as np

from ratings.countermeasures.signals.answers import Measured, nothing
from ratings.stats.levels import Ints

KIND = "address"


def measure_address(rater: Ints, address: Ints) -> Measured:
    """Return with how many raters each rater shares an address; ``address`` numbers them, and is below 0 for unknown.

    Every second household has another who rates, and so on: generous, so that a family says nothing.
    """
    pairs = np.unique(np.stack([address, rater], axis=1)[address >= 0], axis=0)
    if not len(pairs):
        return nothing(KIND)
    _, place, number = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    shared = number[place].astype(float)
    order = np.lexsort((shared, pairs[:, 1]))
    last = order[np.r_[np.diff(pairs[order, 1]) != 0, True]]
    count = shared[last]

    def tell(at: int) -> str:
        return f"{count[at]:.0f} raters who are new here answered from one address; a school class does so too."

    return Measured(KIND, pairs[last, 1], count, (count - 1) * np.log(2.0), count.astype(np.int64), tell)
