"""What the four families share: seeded generators, grids, noise, blending and the last pass.

Everything is measured in units of the picture's side, so that a small picture for a test is the
same composition as the full one.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

# float32 wherever a whole picture is held; the short arrays of a plan may be wider.
Pixels: TypeAlias = NDArray[np.floating[Any]]
Parameters: TypeAlias = dict[str, int | float | str]

# Drawn outlines are rasterised this much larger and averaged down: Pillow does not smooth edges.
SUPERSAMPLING = 3


@dataclass(frozen=True)
class Artwork:
    """A finished drawing before any artifact: `pixels` is (size, size, 3) in 0..1."""

    pixels: Pixels
    title: str
    parameters: Parameters


def make_rng(*parts: object) -> np.random.Generator:
    """Python's own hash() changes from process to process, so the seed comes from BLAKE2."""
    name = ":".join(str(part) for part in parts).encode()
    digest = hashlib.blake2b(name, digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def unit_grid(size: int) -> tuple[Pixels, Pixels]:
    """Pixel centres as a row of x and a column of y, ready to broadcast."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[None, :], centres[:, None]


def smoothstep(low: float, high: float, value: ArrayLike) -> Pixels:
    ramp = np.clip((np.asarray(value, dtype=np.float32) - low) / (high - low), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), dtype=np.float32)


def smooth_noise(
    rng: np.random.Generator,
    size: int,
    *,
    cells: float | tuple[float, float],
    octaves: int = 4,
    gain: float = 0.5,
) -> Pixels:
    """Fractal noise of about unit deviation; `cells` is how many bumps fit across (and down)."""
    across, down = cells if isinstance(cells, tuple) else (cells, cells)
    total = np.zeros((size, size), dtype=np.float32)
    power = 0.0
    for octave in range(octaves):
        weight = gain**octave
        total += weight * _noise_layer(rng, size, across * 2**octave, down * 2**octave)
        power += weight * weight
    return np.asarray(total * np.float32(1.35 / np.sqrt(power)), dtype=np.float32)


def _noise_layer(rng: np.random.Generator, size: int, across: float, down: float) -> Pixels:
    width, height = int(np.ceil(across)) + 3, int(np.ceil(down)) + 3
    lattice = rng.standard_normal((height, width)).astype(np.float32)
    # A cell of margin on every side keeps the resampler from flattening the borders.
    box = (1.0, 1.0, 1.0 + across, 1.0 + down)
    resized = Image.fromarray(lattice).resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized, dtype=np.float32)


def line_noise(rng: np.random.Generator, size: int, *, cells: float, octaves: int, gain: float = 0.5) -> Pixels:
    """Fractal noise along one axis, for ridges and shores."""
    positions = (np.arange(size) + 0.5) / size
    total = np.zeros(size)
    for octave in range(octaves):
        frequency = cells * 2**octave
        knots = rng.standard_normal(int(frequency) + 3)
        where = positions * frequency + rng.random()
        left = where.astype(int)
        step = where - left
        eased = step * step * (3 - 2 * step)
        total += gain**octave * (knots[left] * (1 - eased) + knots[left + 1] * eased)
    return total.astype(np.float32)


def lay_over(pixels: Pixels, colour: ArrayLike, coverage: Pixels) -> None:
    """Paint a colour (one, or one a pixel) over the pixels, in place."""
    paint = np.asarray(colour, dtype=np.float32)
    pixels += (paint - pixels) * coverage[..., None]


def add_light(pixels: Pixels, colour: ArrayLike, amount: Pixels) -> None:
    """Screen a glow over the pixels, in place: light adds but never clips."""
    glow = np.asarray(colour, dtype=np.float32) * amount[..., None]
    pixels += (1 - pixels) * np.clip(glow, 0, 1)


def slope(height: Pixels) -> tuple[Pixels, Pixels]:
    """Central differences across and down, in units of height per picture side."""
    size = height.shape[0]
    across, down = np.empty_like(height), np.empty_like(height)
    across[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * (size / 2)
    across[:, 0], across[:, -1] = across[:, 1], across[:, -2]
    down[1:-1] = (height[2:] - height[:-2]) * (size / 2)
    down[0], down[-1] = down[1], down[-2]
    return across, down


def from_supersampled(image: Image.Image) -> Pixels:
    reduced = image.reduce(SUPERSAMPLING)
    return np.asarray(reduced, dtype=np.float32) / np.float32(255)


def finish(pixels: Pixels, rng: np.random.Generator, *, grain: float = 0.006) -> Pixels:
    """A little grain hides the steps that eight bits leave in a smooth sky; level 0 has no bands."""
    size = pixels.shape[0]
    noise = rng.standard_normal((size, size, 1), dtype=np.float32) * np.float32(grain)
    return np.clip(pixels + noise, 0, 1)


def to_bytes(pixels: Pixels) -> NDArray[np.uint8]:
    return np.asarray(np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
