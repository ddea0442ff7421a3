"""Voronoi cells: where seeds lie, which cell a pixel is in and how far its border is."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .canvas import Pixels

# The picture is cut into this many blocks a side; a pixel asks only the cells near its block.
BLOCKS = 48
NEAR_CELLS = 13
# Two copies of one seed, which mirroring a rose leaves on its axes, have no border between them.
SAME_PLACE = 1e-6
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Cells:
    """For every pixel: which seed is nearest, and how far the border is."""

    seeds: Pixels
    owner: NDArray[np.intp]
    to_border: Pixels


def divide(seeds: Pixels, size: int, *, roundness: float = 0) -> Cells:
    """Exact distances to the straight borders, so that lead has one width and a smooth edge.

    1. For each block of pixels, pick the seeds nearest its middle.
    2. For each pixel, the nearest of those owns it.
    3. The border towards another seed is the bisector; the nearest bisector is the border.
       With roundness, a soft minimum is taken, which rounds the corners.
    """
    step = -(-size // BLOCKS)
    blocks = -(-size // step)
    origin = np.arange(blocks, dtype=np.float32) * step / size
    near = _nearest_seeds(seeds, origin + np.float32(0.5 * step / size))
    # One row of blocks at a time: the working set stays in the processor's cache.
    x = origin[:, None] + (np.arange(step, dtype=np.float32) + np.float32(0.5)) / size
    rows = [_divide_row(seeds, near[row], x, x[row], roundness) for row in range(blocks)]
    owner, to_border = (np.stack(layer) for layer in zip(*rows, strict=True))
    return Cells(
        seeds=seeds,
        owner=_unblock(owner, size),
        to_border=_unblock(to_border, size),
    )


def _divide_row(
    seeds: Pixels, near: NDArray[np.intp], x: Pixels, y: Pixels, roundness: float
) -> tuple[NDArray[np.intp], Pixels]:
    """Owner and distance to the border for one row of blocks: each (block, y, x)."""
    # Candidates come first, so that the nearest is found by comparing whole planes.
    candidates = np.moveaxis(seeds[near], 1, 0)[:, :, None, None]
    dx = x[:, None, :] - candidates[..., 0]
    dy = y[None, :, None] - candidates[..., 1]
    squares = dx * dx + dy * dy
    first = np.argmin(squares, axis=0)
    nearest = squares.min(axis=0)
    owner = near[np.arange(len(near))[:, None, None], first]
    border = _border_distance(candidates, seeds[owner], squares - nearest, roundness)
    return owner, border


def _nearest_seeds(seeds: Pixels, middles: Pixels) -> NDArray[np.intp]:
    squares = (middles[None, :, None] - seeds[:, 0]) ** 2 + (middles[:, None, None] - seeds[:, 1]) ** 2
    count = min(NEAR_CELLS, len(seeds))
    return np.argpartition(squares, count - 1, axis=-1)[..., :count]


def _border_distance(candidates: Pixels, owners: Pixels, farther: Pixels, roundness: float) -> Pixels:
    """`farther` is by how much each candidate's squared distance exceeds the owner's."""
    apart_x = candidates[..., 0] - owners[..., 0]
    apart_y = candidates[..., 1] - owners[..., 1]
    apart = np.sqrt(apart_x * apart_x + apart_y * apart_y)
    distance = farther / (2 * apart + np.float32(1e-9))
    distance[apart < SAME_PLACE] = np.float32(9)
    if not roundness:
        return np.asarray(distance.min(axis=0))
    sharpness = np.float32(1 / roundness)
    return np.asarray(-np.log(np.exp(-sharpness * distance).sum(axis=0)) / sharpness)


def _unblock(values: NDArray[Number], size: int) -> NDArray[Number]:
    blocks, step = values.shape[0], values.shape[2]
    side = blocks * step
    return values.transpose(0, 2, 1, 3).reshape(side, side)[:size, :size]


def place_seeds(layout: str, count: int, rng: np.random.Generator) -> Pixels:
    """Seeds over the picture and some way past its edges, so that border cells look like others."""
    if layout == "sunflower":
        rank = np.arange(int(count * 2.2)) + 0.5
        radius, angle = 0.5 * np.sqrt(rank / count), rank * GOLDEN_ANGLE
        return around((0.5, 0.5), radius, angle)
    if layout == "spiral":
        rank = np.arange(int(count * 1.6)) + 0.5
        radius = 0.9 * (rank / len(rank)) ** 0.72
        return around((0.46, 0.52), radius, rank * GOLDEN_ANGLE * 1.0 + 3.2 * radius)
    if layout == "rings":
        return _ring_seeds(count, rng)
    if layout == "waves":
        return _wave_seeds(count, rng)
    seeds = _relax(rng.uniform(-0.2, 1.2, (int(count * 1.96), 2)), rng)
    if layout == "focus":
        centre = rng.uniform(0.36, 0.64, 2)
        offset = seeds - centre
        distance = np.linalg.norm(offset, axis=1, keepdims=True)
        seeds = centre + offset * (0.28 + 0.9 * distance)
    return seeds.astype(np.float32)


def around(centre: tuple[float, float], radius: NDArray[np.float64], angle: NDArray[np.float64]) -> Pixels:
    x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
    return np.stack([x, y], axis=1).astype(np.float32)


def _ring_seeds(count: int, rng: np.random.Generator) -> Pixels:
    gap = np.sqrt(1.0 / count)
    rings = []
    for number in range(int(0.95 / gap)):
        radius = gap * (number + 0.15)
        places = max(1, round(2 * np.pi * radius / gap / 6) * 6)
        angle = np.arange(places) * 2 * np.pi / places + (number % 2) * np.pi / places
        rings.append(around((0.5, 0.5), np.full(places, radius) * rng.uniform(0.985, 1.015, places), angle))
    return np.concatenate(rings)


def _wave_seeds(count: int, rng: np.random.Generator) -> Pixels:
    rows = int(1.4 * np.sqrt(count) * 1.35)
    columns = int(1.4 * np.sqrt(count) / 1.35)
    row, column = np.mgrid[0:rows, 0:columns]
    x = (column + 0.5 * (row % 2) + rng.uniform(-0.18, 0.18, row.shape)) / columns * 1.4 - 0.2
    y = (row + rng.uniform(-0.16, 0.16, row.shape)) / rows * 1.5 - 0.25
    y = y + 0.07 * np.sin(2 * np.pi * x * 1.1 + rng.uniform(0, 6))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _relax(seeds: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Lloyd's steps on sample points: even cells, but not a grid."""
    for _ in range(3):
        samples = rng.uniform(-0.2, 1.2, (5000, 2)).astype(np.float32)
        across = samples[:, None, 0] - seeds[None, :, 0].astype(np.float32)
        down = samples[:, None, 1] - seeds[None, :, 1].astype(np.float32)
        owner = np.argmin(across * across + down * down, axis=1)
        members = np.bincount(owner, minlength=len(seeds))
        for axis in range(2):
            total = np.bincount(owner, weights=samples[:, axis], minlength=len(seeds))
            seeds[:, axis] = np.where(members > 0, total / np.maximum(members, 1), seeds[:, axis])
    return seeds
