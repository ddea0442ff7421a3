"""How ratings get into the tables of a state, and out of the sums of images."""

from dataclasses import dataclass

import numpy as np

from ratings.stats.facts import earlier_mean
from ratings.stats.levels import Floats, Ints, counts, sums
from ratings.stats.rows import RatingsInvalid
from ratings.stats.state import Batch, State
from ratings.stats.weighing import bias_parts


@dataclass(frozen=True, slots=True)
class Controls:
    """Control answers of a batch, in steps."""

    rater: Ints
    value: Floats
    gold: Floats
    share: Floats


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a batch came to: rows that are new, rows that were revised, and control answers."""

    rows: Ints
    revised: Ints
    controls: Controls


def take_in(state: State, batch: Batch) -> Arrivals:
    """Write a batch into the tables. Raises NotARating and RatingsInvalid before anything is changed."""
    steps = state.levels.to_steps(batch.value)
    image, rater = as_ids(batch.image), as_ids(batch.rater)
    gold = np.full(len(steps), np.nan) if batch.gold is None else np.asarray(batch.gold, dtype=np.float64)
    is_control = ~np.isnan(gold)
    gold_steps = state.levels.to_steps(gold[is_control])
    share = np.full(len(steps), np.nan) if batch.gold_share is None else np.asarray(batch.gold_share, dtype=np.float64)
    controls = Controls(state.place_raters(rater[is_control]), steps[is_control], gold_steps, share[is_control])
    image, rater, steps = (
        state.place_images(image[~is_control]),
        state.place_raters(rater[~is_control]),
        steps[~is_control],
    )
    image, rater, steps = _last_of_each(image, rater, steps)
    known = find_rows(state, image, rater)
    is_new = known < 0
    revised = revise(state, known[~is_new], steps[~is_new])
    return Arrivals(_append(state, image[is_new], rater[is_new], steps[is_new]), revised, controls)


def as_ids(ids: Ints) -> Ints:
    """Return ids as int64. Raises RatingsInvalid for anything that is no whole number."""
    array = np.asarray(ids)
    if array.dtype.kind not in "iu" and len(array):
        raise RatingsInvalid("Ids of images and raters are whole numbers.")
    return array.astype(np.int64)


def _last_of_each(image: Ints, rater: Ints, steps: Floats) -> tuple[Ints, Ints, Floats]:
    """Keep one rating of each pair of image and rater: at the place of the first, with the value of the last."""
    key = image * (int(rater.max(initial=0)) + 1) + rater
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(first) == len(key):
        return image, rater, steps
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, inverse, np.arange(len(key)))
    order = np.argsort(first)
    return image[first[order]], rater[first[order]], steps[last[order]]


def find_rows(state: State, image: Ints, rater: Ints) -> Ints:
    """Return the live row of each pair of positions, and -1 where there is none."""
    result = np.full(len(image), -1, dtype=np.int64)
    is_known = (image >= 0) & (rater >= 0)
    used, table = state.rows.size, state.rows
    if not used or not is_known.any():
        return result
    has_image, has_rater = np.zeros(state.images.size, np.bool_), np.zeros(state.raters.size, np.bool_)
    has_image[image[is_known]] = has_rater[rater[is_known]] = True
    rows = np.flatnonzero(has_image[table.image[:used]] & has_rater[table.rater[:used]] & table.is_live[:used])
    if len(rows):
        keys = table.image[rows] * state.raters.size + table.rater[rows]
        order = np.argsort(keys)
        wanted = image * state.raters.size + rater
        at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(rows) - 1)]
        is_found = is_known & (keys[at] == wanted)
        result[is_found] = rows[at[is_found]]
    return result


def revise(state: State, rows: Ints, steps: Floats) -> Ints:
    """Give rows another value, and return those whose value is another."""
    is_other = state.rows.value[rows] != steps
    rows, steps = rows[is_other], steps[is_other]
    add_to_images(state, rows, -1.0)
    count_rows(state, rows, -1.0)
    add_to_raters(state, rows, -1.0)
    state.rows.value[rows] = steps
    add_to_raters(state, rows, 1.0)
    count_rows(state, rows, 1.0)
    add_to_images(state, rows, 1.0)
    return rows


def _append(state: State, image: Ints, rater: Ints, steps: Floats) -> Ints:
    start = state.rows.size
    state.rows.grow(start + len(steps))
    rows = np.arange(start, start + len(steps))
    table = state.rows
    table.image[rows], table.rater[rows], table.value[rows], table.is_live[rows] = image, rater, steps, True
    _note_distance(state, image, rater, steps)
    count_rows(state, rows, 1.0)
    add_to_images(state, rows, 1.0)
    return rows


def _note_distance(state: State, image: Ints, rater: Ints, steps: Floats) -> None:
    """Add how far new ratings are from the mean that was visible, which earlier ones of the same batch move."""
    order = np.argsort(image, kind="stable")
    mean, before = earlier_mean(image[order], steps[order])
    count = before + state.images.count[image[order]]
    visible = (state.images.plain[image[order]] + mean * before) / np.maximum(count, 1.0)
    has_mean = count > 0
    who, size = rater[order][has_mean], state.raters.size
    state.raters.distance_squares[:size] += sums(who, (steps[order][has_mean] - visible[has_mean]) ** 2, size)
    state.raters.distance_count[:size] += counts(who, size)


def count_rows(state: State, rows: Ints, sign: float) -> None:
    """Add rows to what is counted of images and raters without any score, or take them out."""
    table, images, raters = state.rows, state.images, state.raters
    image, rater, value = table.image[rows], table.rater[rows], table.value[rows]
    images.count[: images.size] += sign * counts(image, images.size)
    images.plain[: images.size] += sign * sums(image, value, images.size)
    raters.count[: raters.size] += sign * counts(rater, raters.size)
    raters.y[: raters.size] += sign * sums(rater, value, raters.size)
    raters.yy[: raters.size] += sign * sums(rater, value * value, raters.size)
    bins = state.levels.to_bins(value)
    np.add.at(raters.histogram, (rater, bins), int(sign))
    state.shares += sign * counts(bins, len(state.shares))


def rows_of(state: State, chosen: Ints, column: Ints, size: int) -> Ints:
    """Return the live rows whose image or rater is among those chosen."""
    if not len(chosen):
        return np.empty(0, dtype=np.int64)
    is_chosen = np.zeros(size, dtype=np.bool_)
    is_chosen[chosen] = True
    used = state.rows.size
    return np.flatnonzero(is_chosen[column[:used]] & state.rows.is_live[:used])


def corrected(state: State, rows: Ints) -> Floats:
    """Return ratings without bias and stretch, as they are in the sums."""
    rater = state.rows.rater[rows]
    mean = state.parameters.mean
    return mean + (state.rows.value[rows] - state.raters.bias[rater] - mean) * state.raters.stretch[rater]


def weight_of(state: State, rows: Ints) -> Floats:
    """Return what ratings weigh in the sums."""
    rater = state.rows.rater[rows]
    return np.where(state.raters.is_silent[rater], 0.0, state.raters.weight[rater])


def leave_one_out(state: State, rows: Ints) -> None:
    """Reckon anew what the others say of the images of some rows; it is not in the sums of raters yet."""
    image, weight = state.rows.image[rows], weight_of(state, rows)
    kappa, mean = state.parameters.kappa, state.parameters.mean
    others = np.maximum(state.images.weight[image] - weight, 0.0)
    total = state.images.total[image] - weight * corrected(state, rows)
    state.rows.others_weight[rows] = others
    state.rows.others[rows] = (total + kappa * mean) / (others + kappa)


def add_to_raters(state: State, rows: Ints, sign: float) -> None:
    """Add what the others say of rows to the sums of their raters, or take it out."""
    table, raters, size = state.rows, state.raters, state.raters.size
    rater, x, y = table.rater[rows], table.others[rows], table.value[rows]
    share, difference = bias_parts(x, table.others_weight[rows], y, state.parameters)
    for name, part in (("x", x), ("xx", x * x), ("xy", x * y), ("share", share), ("difference", difference)):
        getattr(raters, name)[:size] += sign * sums(rater, part, size)


def add_to_images(state: State, rows: Ints, sign: float) -> None:
    """Add rows to the weighted sums of their images, or take them out."""
    image, weight, size = state.rows.image[rows], sign * weight_of(state, rows), state.images.size
    state.images.total[:size] += sums(image, weight * corrected(state, rows), size)
    state.images.weight[:size] += sums(image, weight, size)
    state.images.squares[:size] += sums(image, sign * weight**2, size)
