"""The state of the engine for one question of one dataset, and how it is kept and brought back.

The ratings and one row for each rater (`RATER_COLUMNS`) are all that has to be stored: sums and leave-one-out scores
follow from them in one pass.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratings.stats.bets import EValues, ban_value, trust_value
from ratings.stats.consensus import describe_images
from ratings.stats.evidence import Habits, Posterior, conclude, weigh_all
from ratings.stats.levels import Floats, Ints, Levels, counts
from ratings.stats.parameters import Parameters, Policy
from ratings.stats.results import ImageResults, RaterResults
from ratings.stats.rows import RatingsInvalid
from ratings.stats.tables import RATER_COLUMNS, ImageTable, Index, RaterTable, RowTable
from ratings.stats.weighing import correlate, describe_raters, spread_of

__all__ = ["RATER_COLUMNS", "Batch", "Changes", "State"]


@dataclass(frozen=True, slots=True)
class Batch:
    """New ratings in the order of their ids. `image` and `rater` are ids of the caller, `value` is on the scale.

    A control answer has the known score of its image in `gold`, and in `gold_share` the share of gold images with a
    lower score (0 to 1), because the online tests compare gold with gold; both are NaN for votes.
    """

    image: Ints
    rater: Ints
    value: Floats
    gold: Floats | None = None
    gold_share: Floats | None = None

    def __post_init__(self) -> None:
        given = [
            column for column in (self.image, self.rater, self.value, self.gold, self.gold_share) if column is not None
        ]
        if len({len(column) for column in given}) != 1:
            raise RatingsInvalid("The columns of the batch have different lengths.")

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Changes:
    """Positions of what changed, in order; `state.images.ids` and `state.raters.ids` name them."""

    images: Ints
    raters: Ints


@dataclass(slots=True)
class State:
    """Everything that is known of one question. Only the functions of `ratings.stats.online` change it."""

    levels: Levels
    parameters: Parameters
    policy: Policy
    rows: RowTable
    images: ImageTable
    raters: RaterTable
    image_index: Index
    rater_index: Index
    shares: Floats
    """How often each bin of the scale was answered, one of each before anybody did."""
    pool: Floats
    """Sorted sample of standardized leave-one-out scores: what an image is ranked among."""
    pool_rows: int = 0

    @classmethod
    def empty(cls, levels: Levels, *, parameters: Parameters | None = None, policy: Policy | None = None) -> "State":
        """Return the state of a question that nobody has answered."""
        return cls(
            levels,
            parameters or Parameters.start(levels),
            policy or Policy(),
            RowTable.empty(),
            ImageTable.empty(),
            RaterTable.empty(levels.bins),
            Index(),
            Index(),
            np.ones(levels.bins),
            np.empty(0),
        )

    def place_images(self, ids: Ints) -> Ints:
        """Return positions of images; new ones get a row."""
        places = self.image_index.place(ids)
        self.images.grow(len(self.image_index))
        self.images.ids[places] = ids
        return places

    def place_raters(self, ids: Ints) -> Ints:
        """Return positions of raters; new ones get a row and the weight of somebody of whom nothing is known."""
        before = self.raters.size
        places = self.rater_index.place(ids)
        self.raters.grow(len(self.rater_index))
        self.raters.ids[places] = ids
        honest = 1.0 - sum(self.parameters.shares)
        new = slice(before, self.raters.size)
        self.raters.stretch[new] = 1.0
        self.raters.weight[new] = self.raters.p_honest[new] = honest
        self.raters.log_odds[new] = np.log((1.0 - honest) / honest)
        return places

    def save_raters(self, raters: Ints) -> dict[str, npt.NDArray[np.generic]]:
        """Return the columns to store of some raters, by position."""
        return {name: getattr(self.raters, name)[raters] for name in RATER_COLUMNS}

    def habits(self, raters: Ints) -> Habits:
        """Return what the evidence of some raters is reckoned from."""
        table = self.raters
        count, x, y, xx, yy, xy = (getattr(table, name)[raters] for name in ("count", "x", "y", "xx", "yy", "xy"))
        distance_count = table.distance_count[raters]
        return Habits(
            count=count,
            information=count,
            z=correlate(count, x, y, xx, yy, xy),
            spread=spread_of(count, y, yy),
            repeats=table.histogram[raters].max(axis=1, initial=0) - 1.0,
            distance=np.sqrt(table.distance_squares[raters] / np.maximum(distance_count, 1.0)),
            distance_count=distance_count,
            control_evidence=table.control_evidence[raters],
            change=self._change(raters),
        )

    def _change(self, raters: Ints) -> Floats:
        whole = self.raters.change[raters] - np.log(np.maximum(self.raters.judged[raters], 1.0))
        return np.asarray(self.parameters.change_scale * whole)

    def posterior(self, habits: Habits) -> Posterior:
        """Return what these habits say of honesty."""
        evidence = weigh_all(habits, self.parameters, self.levels.count)
        return conclude(evidence, np.array(self.parameters.shares))

    def e_values(self, raters: Ints | None = None) -> EValues:
        """Return the e-values of some raters (by position), or of all."""
        chosen = np.arange(self.raters.size) if raters is None else raters
        table = self.raters
        return EValues(
            trust=trust_value(table.trust[chosen]),
            ban=ban_value(table.looking[chosen], table.uniform[chosen], table.flat[chosen]),
            change=self._change(chosen),
        )

    def image_results(self, images: Ints | None = None) -> ImageResults:
        """Return what is told of some images (by position), or of all."""
        chosen = np.arange(self.images.size) if images is None else images
        table, rows = self.images, self.rows
        live = slice(0, rows.size)
        is_counted = rows.is_live[live] & (self.raters.p_honest[rows.rater[live]] >= 0.5)
        is_counted &= ~self.raters.is_silent[rows.rater[live]]
        counted = counts(rows.image[live][is_counted], table.size)
        return describe_images(
            table.count[chosen].astype(np.int64),
            table.plain[chosen],
            counted[chosen],
            table.total[chosen],
            table.weight[chosen],
            table.squares[chosen],
            self.parameters,
            self.levels,
        )

    def rater_results(self, raters: Ints | None = None) -> RaterResults:
        """Return what is told of some raters (by position), or of all."""
        chosen = np.arange(self.raters.size) if raters is None else raters
        habits = self.habits(chosen)
        return describe_raters(
            habits,
            self.posterior(habits),
            self.parameters,
            self.levels,
            bias=self.raters.bias[chosen],
            stretch=self.raters.stretch[chosen],
        )
