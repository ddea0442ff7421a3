"""Thick paint in short strokes along a current."""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .canvas import Pixels, finish, smooth_noise, unit_grid
from .currents import Current
from .palettes import blend

MOTIF_CELLS = 192


def draw_brushwork(
    current: Current, stops: tuple[str, ...], *, scale: float, detail: str, size: int, rng: np.random.Generator
) -> Pixels:
    """Broad strokes first, finer ones over them, each with a ridge of light, as thick paint has."""
    side = size * 2
    tones = _brush_motif(detail, current, rng)
    image = Image.new("RGB", (side, side), stops[1])
    brush = ImageDraw.Draw(image)
    for width, length, spacing in ((0.013, 0.1, 0.021), (0.0085, 0.07, 0.0165), (0.005, 0.05, 0.0165)):
        starts = _jittered_grid(rng, spacing * scale)
        path = current.trace(starts, steps=6, stride=length * scale / 5)
        widths = width * scale * rng.uniform(0.55, 1.15, len(path))
        where = _stroke_tones(path, tones, rng)
        bodies = (_leaves(path, widths) * side).tolist()
        ridges = (_leaves(path[:, :4], widths * 0.22, lift=0.45) * side).tolist()
        paints = (blend(stops, where) * 255).astype(int).tolist()
        lights = (blend(stops, where + 0.11) * 255).astype(int).tolist()
        for body, ridge, paint, light in zip(bodies, ridges, paints, lights, strict=True):
            brush.polygon(body, fill=tuple(paint))
            brush.polygon(ridge, fill=tuple(light))
    pixels = np.asarray(image.reduce(2), dtype=np.float32) / np.float32(255)
    return finish(pixels, rng)


def _brush_motif(detail: str, current: Current, rng: np.random.Generator) -> Pixels:
    """How bright the paint is where: what makes strokes into a sky, a sea or a current."""
    x, y = unit_grid(MOTIF_CELLS)
    noise = smooth_noise(rng, MOTIF_CELLS, cells=3, octaves=3)
    if detail == "sky":
        tone = 0.3 + 0.16 * y + 0.07 * noise
        for centre, reach in zip(current.centres, (0.2, 0.14), strict=True):
            distance = np.hypot(x - centre[0], y - centre[1])
            rings = 0.5 + 0.5 * np.cos(distance * 2 * np.pi / 0.085)
            tone += np.exp(-((distance / reach) ** 2)) * (0.3 + 0.28 * rings)
        hills = 0.86 + 0.05 * np.sin(7 * x + 1) + 0.03 * noise
        return np.asarray(np.where(y > hills, 0.12 + 0.05 * noise, tone), dtype=np.float32)
    if detail == "sun":
        distance = np.hypot(x - current.centres[0][0], y - current.centres[0][1])
        rings = np.cos(distance * 2 * np.pi / 0.19 + 0.5 * noise)
        return np.asarray(0.95 - 1.25 * distance + 0.13 * rings + 0.06 * noise, dtype=np.float32)
    if detail == "sea":
        crest = np.sin(2 * np.pi * (3.2 * y**1.6 + 0.3 * np.sin(4 * x + 3 * y) + 0.1 * noise))
        sea = 0.42 + 0.3 * np.maximum(crest, 0) ** 2 + 0.14 * crest - 0.12 * y
        return np.asarray(np.where(y < 0.26, 0.78 + 0.5 * y + 0.06 * noise, sea), dtype=np.float32)
    if detail == "field":
        furrows = np.sin(2 * np.pi * (2.2 * x + 1.6 * y) + 1.5 * noise)
        land = 0.74 - 0.5 * y + 0.17 * furrows + 0.06 * noise
        sky = 0.98 - 0.3 * y + 0.04 * noise
        land = np.where(y < 0.4 + 0.03 * noise, 0.3 + 0.05 * noise, land)
        return np.asarray(np.where(y < 0.33 + 0.02 * noise, sky, land), dtype=np.float32)
    near = min(np.hypot(x - cx, y - cy) for cx, cy in current.centres[:1])
    return np.asarray(0.98 - 0.95 * near + 0.14 * noise, dtype=np.float32)


def _jittered_grid(rng: np.random.Generator, spacing: float) -> Pixels:
    across = np.arange(-0.06, 1.04, spacing)
    grid = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)
    grid = grid + rng.uniform(-0.6, 0.6, grid.shape) * spacing
    return rng.permutation(grid).astype(np.float32)


def _leaves(path: Pixels, half_widths: NDArray[np.float64], *, lift: float = 0) -> NDArray[np.float64]:
    """Stroke outlines with a round front and a thin tail, flattened for Pillow."""
    along = np.gradient(path, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-9
    normal = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    profile = np.interp(np.linspace(0, 5, path.shape[1]), range(6), (0.45, 0.95, 1.0, 0.9, 0.65, 0.15))
    half = profile[None, :, None] * half_widths[:, None, None]
    middle = path - normal * half * lift * 4
    left, right = middle + normal * half, (middle - normal * half)[:, ::-1]
    return np.concatenate([left, right], axis=1).reshape(len(path), -1)


def _stroke_tones(path: Pixels, tones: Pixels, rng: np.random.Generator) -> NDArray[np.float64]:
    cells = np.clip(path[:, 2] * MOTIF_CELLS, 0, MOTIF_CELLS - 1).astype(np.intp)
    heading = path[:, -1] - path[:, 0]
    # Strokes turned towards the light are brighter, so that the current is read at a glance.
    turn = np.sin(np.arctan2(heading[:, 1], heading[:, 0]) * 2 + 1)
    tone = tones[cells[:, 1], cells[:, 0]] + 0.06 * turn + rng.normal(0, 0.065, len(path))
    return np.asarray(np.clip(tone, 0.06, 0.97), dtype=np.float64)
