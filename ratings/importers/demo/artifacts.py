"""Planted artifacts: known damage, so that a dataset's artifact ratings can be checked.

The levels mean what the rating page says they mean: 0 none, 1 hardly recognisable, 2 easily
spotted but harmless, 3 obvious and mildly harmful, 4 obvious and significantly harmful, 5 ruined.
Every kind of damage occurs at every level, so that the kind alone does not give the level away.
"""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .canvas import Pixels, smooth_noise

LEVELS = range(6)

Damage: TypeAlias = Callable[[Pixels, int, np.random.Generator], Pixels]


def plant_artifacts(pixels: Pixels, *, level: int, first_kind: int, rng: np.random.Generator) -> Pixels:
    """Damage a copy. The picture's first kind is at the full level; others follow more weakly."""
    if level == 0:
        return pixels
    damaged = pixels
    for place, strength in enumerate(COMPANY[level]):
        damage = KINDS[(first_kind + place) % len(KINDS)]
        damaged = damage(damaged, strength, rng)
    return np.clip(damaged, 0, 1)


# Level of the first kind of damage and of those that keep it company.
COMPANY = {1: (1,), 2: (2, 1), 3: (3, 2), 4: (4, 3), 5: (5, 4, 3)}


def add_banding(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    """Too few steps of colour. The wandering offset draws contours in flat colours too."""
    steps, wander, cover = {
        1: (17, 0.045, 0.55),
        2: (10, 0.07, 0.8),
        3: (6.5, 0.10, 1.0),
        4: (4.2, 0.13, 1.0),
        5: (2.6, 0.24, 1.0),
    }[level]
    size = pixels.shape[0]
    steps = max(2.0, steps * (1 - 0.5 * _busyness(pixels)))
    offset = np.float32(wander) * smooth_noise(rng, size, cells=3.5, octaves=2)[..., None]
    stepped = np.round((pixels + offset) * np.float32(steps)) / np.float32(steps)
    if level < TONE_LOST_FROM:
        stepped -= offset
    where = smooth_noise(rng, size, cells=2, octaves=1)
    mask = where <= np.quantile(where[::8, ::8], cover)
    return np.where(mask[..., None], stepped, pixels)


# From this level on the wandering offset stays in the picture, and light and dark go astray too.
TONE_LOST_FROM = 4


def add_block_noise(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    """Blocks as a broken video stream leaves them: flattened, noisy, in clumps."""
    cover, flatten, noise = {
        1: (0.022, 0.3, 0.03),
        2: (0.05, 0.6, 0.085),
        3: (0.13, 0.8, 0.13),
        4: (0.34, 0.95, 0.24),
        5: (0.72, 1.0, 0.42),
    }[level]
    size = pixels.shape[0]
    count = 48
    clumps = smooth_noise(rng, count, cells=7, octaves=2) + 0.5 * _interest(pixels, count)
    chosen = clumps > np.quantile(clumps, 1 - cover)
    owner = _tile_index(size, count)
    mean = _tile_means(pixels, count)[owner[:, None], owner[None, :]]
    grain = rng.normal(0, noise, (2 * count, 2 * count, 3)).astype(np.float32)
    half = _tile_index(size, 2 * count)
    broken = pixels + (mean - pixels) * np.float32(flatten) + grain[half[:, None], half[None, :]]
    return np.where(chosen[owner[:, None], owner[None, :]][..., None], broken, pixels)


def misplace_tiles(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    """Square pieces cut out and put back wrong: a little askew at first, anywhere in the end."""
    count, moved, shift = {
        1: (12, 3, 0.07),
        2: (12, 5, 0.3),
        3: (10, 16, 0.75),
        4: (9, 38, 4.0),
        5: (8, 60, 9.0),
    }[level]
    size = pixels.shape[0]
    edges = np.round(np.linspace(0, size, count + 1)).astype(int)
    interest = _interest(pixels, count).ravel() + rng.normal(0, 0.35, count * count)
    damaged = pixels.copy()
    for tile in np.argsort(interest)[-moved:]:
        top, left = edges[tile // count], edges[tile % count]
        bottom, right = edges[tile // count + 1], edges[tile % count + 1]
        angle = rng.uniform(0, 2 * np.pi)
        reach = shift * size / count * rng.uniform(0.7, 1.3)
        from_top = _stay_inside(top + reach * np.sin(angle), bottom - top, size)
        from_left = _stay_inside(left + reach * np.cos(angle), right - left, size)
        piece = pixels[from_top : from_top + bottom - top, from_left : from_left + right - left]
        damaged[top:bottom, left:right] = piece[::-1] if level == 5 and rng.random() < 0.5 else piece
    return damaged


def break_colours(pixels: Pixels, level: int, rng: np.random.Generator) -> Pixels:
    """Strips in which the colour channels slip apart and change places."""
    strips, thickness, mix, slip = {
        1: (2, 0.035, 0.07, 0.002),
        2: (3, 0.045, 0.22, 0.006),
        3: (5, 0.065, 0.5, 0.014),
        4: (8, 0.085, 0.8, 0.035),
        5: (13, 0.1, 1.0, 0.08),
    }[level]
    size = pixels.shape[0]
    damaged = pixels.copy()
    busy = _interest(pixels, 24).mean(axis=1)
    for _ in range(strips):
        middle = (rng.choice(24, p=busy / busy.sum()) + rng.random()) / 24
        half = thickness * rng.uniform(0.6, 1.4) / 2
        rows = slice(max(0, int((middle - half) * size)), int((middle + half) * size) + 1)
        strip = pixels[rows]
        slipped = np.stack(
            [np.roll(strip[..., axis], round(side * slip * size), axis=1) for axis, side in ((0, 1), (1, 0), (2, -1))],
            axis=-1,
        )
        turned = slipped[..., CHANNEL_ORDERS[rng.integers(len(CHANNEL_ORDERS))]]
        tint = rng.uniform(-0.5, 0.5, 3).astype(np.float32) * np.float32(mix * 0.35)
        damaged[rows] = slipped + (turned - slipped) * np.float32(mix) + tint
    return damaged


CHANNEL_ORDERS = ([1, 2, 0], [2, 0, 1], [2, 1, 0], [1, 0, 2])
KINDS: tuple[Damage, ...] = (add_banding, add_block_noise, misplace_tiles, break_colours)


def _tile_index(size: int, count: int) -> NDArray[np.intp]:
    return np.asarray(np.arange(size) * count // size, dtype=np.intp)


def _tile_means(pixels: Pixels, count: int) -> Pixels:
    size = pixels.shape[0]
    starts = np.searchsorted(_tile_index(size, count), np.arange(count))
    sums = np.add.reduceat(np.add.reduceat(pixels, starts, axis=0), starts, axis=1)
    lengths = np.diff(np.append(starts, size)).astype(np.float32)
    return np.asarray(sums / (lengths[:, None, None] * lengths[None, :, None]), dtype=np.float32)


def _lightness(pixels: Pixels) -> Pixels:
    # Three planes added are several times faster than numpy's mean over an axis of three.
    return np.asarray((pixels[..., 0] + pixels[..., 1] + pixels[..., 2]) / np.float32(3))


def _interest(pixels: Pixels, count: int) -> Pixels:
    """How much there is to see in each tile, 0..1: damage to empty sky would go unnoticed."""
    light = _lightness(pixels)[..., None]
    mean = _tile_means(light, count)
    spread = np.sqrt(np.maximum(_tile_means(light * light, count) - mean * mean, 0))[..., 0]
    return np.clip(spread / np.float32(max(np.quantile(spread, 0.9), 1e-3)), 0.02, 1)


def _busyness(pixels: Pixels) -> float:
    """0 for a smooth picture, 1 for one full of edges, in which the eye forgives coarse colours."""
    light = _lightness(pixels)
    return float(np.clip(np.abs(np.diff(light[:, ::2], axis=0)).mean() * 25 * len(light) / 768, 0, 1))


def _stay_inside(start: float, length: int, size: int) -> int:
    """Reflect at the borders, so that a piece is always moved and never cut."""
    room = size - length
    start = abs(start)
    return int(np.clip(2 * room - start if start > room else start, 0, room))
