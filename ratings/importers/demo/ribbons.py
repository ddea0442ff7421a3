"""Ribbons that follow a current side by side and never touch."""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .canvas import SUPERSAMPLING, Pixels, finish, from_supersampled, smooth_noise
from .currents import Current
from .palettes import Inks

OCCUPANCY_CELLS = 320


@dataclass(frozen=True)
class _Ribbon:
    path: Pixels
    half_width: float
    tone: float


def draw_ribbons(
    current: Current, inks: Inks, *, scale: float, detail: str, size: int, rng: np.random.Generator
) -> Pixels:
    side = size * SUPERSAMPLING
    image = Image.new("RGB", (side, side), inks.ground)
    brush = ImageDraw.Draw(image)
    for ribbon in _pack_ribbons(current, scale, rng):
        _paint_ribbon(brush, ribbon, inks, detail, side, rng)
    pixels = from_supersampled(image)
    pixels *= 1 + 0.008 * smooth_noise(rng, size, cells=160, octaves=1)[..., None]
    return finish(pixels, rng)


def _pack_ribbons(current: Current, scale: float, rng: np.random.Generator) -> Iterator[_Ribbon]:
    """Wide ribbons first, then ever finer ones in what room is left, none touching another.

    1. Trace candidates both ways from random starts, all at once.
    2. Walk each from its start until the mask says another ribbon is near, or it has turned back.
    3. Keep it if long enough, and write it into the mask with its gap.
    """
    taken = np.zeros((OCCUPANCY_CELLS, OCCUPANCY_CELLS), dtype=bool)
    zones = smooth_noise(rng, 64, cells=2.5, octaves=2)
    for half_width, count, least in ((0.021, 90, 40), (0.012, 220, 26), (0.006, 420, 16), (0.0028, 700, 12)):
        width = half_width * scale
        starts = rng.uniform(-0.03, 1.03, (count, 2)).astype(np.float32)
        stride = 1 / OCCUPANCY_CELLS
        ahead = current.trace(starts, steps=130, stride=stride)
        behind = current.trace(starts, steps=130, stride=-stride)
        for path in np.concatenate([behind[:, :0:-1], ahead], axis=1):
            run = _free_run(path, width + 0.0028, taken)
            if run is None or len(run) < least:
                continue
            _occupy(run, width + 0.0012, taken)
            where = np.clip(run[len(run) // 2] * 64, 0, 63).astype(int)
            yield _Ribbon(run, width, float(zones[where[1], where[0]]))


def _free_run(path: Pixels, reach: float, taken: NDArray[np.bool_]) -> Pixels | None:
    middle = len(path) // 2
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    cells = _across(path, along, reach, 5)
    inside = np.all((cells >= 0) & (cells < OCCUPANCY_CELLS), axis=-1)
    safe = np.clip(cells, 0, OCCUPANCY_CELLS - 1)
    blocked = np.any(taken[safe[..., 1], safe[..., 0]] & inside, axis=1)
    blocked |= np.any(np.abs(path - 0.5) > 0.54, axis=1)
    # A ribbon that has turned half round would soon run over itself.
    blocked |= along @ along[middle] < -0.6
    if blocked[middle]:
        return None
    stops = np.flatnonzero(blocked)
    split = int(np.searchsorted(stops, middle))
    first = int(stops[split - 1]) + 1 if split > 0 else 0
    last = int(stops[split]) if split < len(stops) else len(path)
    return path[first:last]


def _across(path: Pixels, along: Pixels, reach: float, count: int) -> NDArray[np.intp]:
    """Mask cells on the lines square to the path, `count` of them per point."""
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    offsets = np.linspace(-reach, reach, count, dtype=np.float32)
    points = path[:, None] + normal[:, None] * offsets[None, :, None]
    return np.asarray(np.floor(points * OCCUPANCY_CELLS), dtype=np.intp)


def _occupy(path: Pixels, reach: float, taken: NDArray[np.bool_]) -> None:
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    # The round ends reach past the path by half the width.
    caps = np.linspace(0, reach, 4)[1:, None].astype(np.float32)
    path = np.concatenate([path[0] - along[0] * caps[::-1], path, path[-1] + along[-1] * caps])
    along = np.concatenate([np.repeat(along[:1], 3, axis=0), along, np.repeat(along[-1:], 3, axis=0)])
    cells = _across(path, along, reach, 3 + int(2 * reach * OCCUPANCY_CELLS * 1.5))
    cells = np.clip(cells, 0, OCCUPANCY_CELLS - 1)
    taken[cells[..., 1], cells[..., 0]] = True


def _paint_ribbon(
    brush: ImageDraw.ImageDraw, ribbon: _Ribbon, inks: Inks, detail: str, side: int, rng: np.random.Generator
) -> None:
    colours = inks.colours
    # Neighbours share a tone and every fourth ribbon breaks it: order with some life in it.
    tone = int((ribbon.tone + rng.normal(0, 0.35)) * 1.6 + 2) if rng.random() < 0.75 else rng.integers(6)
    colour = colours[int(tone) % len(colours)]
    path, width = ribbon.path, ribbon.half_width
    brush.polygon(_outline(path, width, side), fill=colour)
    other = colours[int(rng.integers(1, len(colours)) + tone) % len(colours)]
    if detail == "core" and width > 0.008 and len(path) > 24:
        brush.polygon(_outline(path[6:-6], width * 0.34, side), fill=other)
        brush.polygon(_outline(path[9:-9], width * 0.1, side), fill=inks.ground)
    elif detail == "banded" and width > 0.006:
        length = int(rng.integers(9, 22))
        for first in range(length, len(path) - length, 2 * length):
            brush.polygon(_outline(path[first : first + length], width, side, caps=False), fill=other)
    elif detail == "outlined" and width > 0.008:
        brush.polygon(_outline(path, width, side), fill=inks.line)
        brush.polygon(_outline(path, width - 0.0022, side), fill=colour)


def _outline(path: Pixels, half_width: float, side: int, *, caps: bool = True) -> list[float]:
    along = np.gradient(path, axis=0)
    angle = np.arctan2(along[:, 1], along[:, 0])
    normal = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * half_width
    left, right = path + normal, (path - normal)[::-1]
    if not caps:
        return list((np.concatenate([left, right]) * side).ravel().tolist())
    swing = np.linspace(np.pi / 2, -np.pi / 2, 11)[1:-1]
    front = path[-1] + half_width * np.stack([np.cos(angle[-1] + swing), np.sin(angle[-1] + swing)], axis=1)
    back = path[0] - half_width * np.stack([np.cos(angle[0] + swing), np.sin(angle[0] + swing)], axis=1)
    return list((np.concatenate([left, front, right, back]) * side).ravel().tolist())
