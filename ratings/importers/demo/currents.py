"""The invisible currents that everything in the flow fields follows."""

import numpy as np

from .canvas import Pixels, smooth_noise, unit_grid

FIELD_CELLS = 448
# The field reaches past the picture so that strokes run off its edge instead of stopping there.
MARGIN = 0.2


class Current:
    """Unit directions on a grid; looking one up is one gather, however intricate the field."""

    def __init__(self, kind: str, rng: np.random.Generator) -> None:
        x, y = unit_grid(FIELD_CELLS)
        reach = 1 + 2 * MARGIN
        self.centres = _field_centres(kind, rng)
        x, y = x * reach - MARGIN, y * reach - MARGIN
        across, down = _field_vectors(kind, self.centres, rng, x, y)
        length = np.hypot(across, down) + 1e-6
        self._vectors = np.stack([across / length, down / length], axis=-1).reshape(-1, 2)

    def at(self, points: Pixels) -> Pixels:
        cells = (points + MARGIN) * (FIELD_CELLS / (1 + 2 * MARGIN))
        cells = np.clip(cells, 0, FIELD_CELLS - 1).astype(np.intp)
        flat = cells[:, 1] * FIELD_CELLS + cells[:, 0]
        return np.asarray(np.take(self._vectors, flat, axis=0), dtype=np.float32)

    def trace(self, starts: Pixels, *, steps: int, stride: float) -> Pixels:
        """Paths of `steps` points from every start: (starts, steps, 2)."""
        path = np.empty((len(starts), steps, 2), dtype=np.float32)
        here = starts.astype(np.float32)
        for step in range(steps):
            path[:, step] = here
            here = here + self.at(here) * np.float32(stride)
        return path


def _field_centres(kind: str, rng: np.random.Generator) -> Pixels:
    """The one or two points that the field turns or bends around."""
    tilt = rng.uniform(0, 2 * np.pi)
    arm = {"orbit": 0.12, "whirlpools": 0.26, "dipole": 0.3}.get(kind, 0.2)
    if kind == "whirlpools":
        tilt = rng.choice([-1, 1]) * rng.uniform(0.2, 0.5)
    offset = arm * np.array([np.cos(tilt), np.sin(tilt)])
    middle = 0.47 if kind == "whirlpools" else 0.5
    return np.array([middle + offset, middle - offset], dtype=np.float32)


def _field_vectors(kind: str, centres: Pixels, rng: np.random.Generator, x: Pixels, y: Pixels) -> tuple[Pixels, Pixels]:
    noise = smooth_noise(rng, FIELD_CELLS, cells=2.6, octaves=2, gain=0.3)
    heading = rng.uniform(0, 2 * np.pi)
    if kind == "drift":
        angle = heading + 1.1 * noise
    elif kind == "terraces":
        angle = np.round((heading + 1.2 * noise) / (np.pi / 4)) * (np.pi / 4)
    elif kind == "waves":
        angle = 0.95 * np.sin(2 * np.pi * (1.25 * x + 0.25 * y) + heading + 0.5 * noise) + 0.25 * noise
    elif kind == "orbit":
        angle = np.arctan2(y - centres[0, 1], x - centres[0, 0]) + np.pi / 2 + 0.28 + 0.32 * noise
    elif kind == "dipole":
        return _paired_vectors(centres, x, y, 0.25 * np.cos(noise), 0.25 * np.sin(noise), turn=0)
    else:
        angle = heading + 0.7 * noise
        return _paired_vectors(centres, x, y, np.cos(angle), np.sin(angle), turn=0.2)
    return np.cos(angle), np.sin(angle)


def _paired_vectors(
    centres: Pixels, x: Pixels, y: Pixels, across: Pixels, down: Pixels, *, turn: float
) -> tuple[Pixels, Pixels]:
    """Two opposite centres: with a turn they are whirlpools, without one magnetic poles."""
    for sign, centre in zip((1.0, -0.75 if turn else -1.0), centres, strict=True):
        dx, dy = x - centre[0], y - centre[1]
        pull = sign * (turn or 1) / (dx * dx + dy * dy + 0.003)
        if turn:
            across, down = across - dy * pull, down + dx * pull
        else:
            across, down = across + dx * pull, down + dy * pull
    return across, down
