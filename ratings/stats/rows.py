"""Ratings as columns."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.levels import Floats, Ints


class RatingsInvalid(ValueError):
    """Columns of ratings do not fit together."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings of one question, one element a rating.

    `image` and `rater` are indexes from 0 (`np.unique(ids, return_inverse=True)` makes them), `value` is on the scale
    of `Levels`, `order` grows with time (left out: the order of the rows), `gold` is the known score of the image when
    the rating is a control answer, and NaN otherwise: a control answer measures its rater and does not vote.
    """

    image: Ints
    rater: Ints
    value: Floats
    image_count: int
    rater_count: int
    order: Floats | None = None
    gold: Floats | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(column) for column in (self.image, self.rater, self.value, self.order, self.gold) if column is not None
        }
        if len(lengths) != 1:
            raise RatingsInvalid("The columns have different lengths.")
        for name, column, count in (("image", self.image, self.image_count), ("rater", self.rater, self.rater_count)):
            if len(column) and (int(column.min()) < 0 or int(column.max()) >= count):
                raise RatingsInvalid(f"An {name} is outside of 0 to {count - 1}.")

    def __len__(self) -> int:
        return len(self.value)


def make_ratings(
    image: Ints,
    rater: Ints,
    value: Floats,
    *,
    image_count: int | None = None,
    rater_count: int | None = None,
    order: Floats | None = None,
    gold: Floats | None = None,
) -> Ratings:
    """Return columns as `Ratings`, with the counts taken from the indexes when left out."""
    image, rater = np.asarray(image, dtype=np.int64), np.asarray(rater, dtype=np.int64)
    return Ratings(
        image=image,
        rater=rater,
        value=np.asarray(value, dtype=np.float64),
        image_count=int(image.max(initial=-1)) + 1 if image_count is None else image_count,
        rater_count=int(rater.max(initial=-1)) + 1 if rater_count is None else rater_count,
        order=order,
        gold=gold,
    )
