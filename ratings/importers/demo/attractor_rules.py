"""The rules of the strange attractors: maps of the plane, and flows in space."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .canvas import Pixels

Point: TypeAlias = tuple[Pixels, Pixels]
PlaneMap: TypeAlias = Callable[[Pixels, Pixels, tuple[float, ...]], Point]
Space: TypeAlias = tuple[Pixels, Pixels, Pixels]
SpaceFlow: TypeAlias = Callable[[Pixels, Pixels, Pixels], Space]


def _clifford(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    return (
        np.sin(k[0] * y) + k[2] * np.cos(k[0] * x),
        np.sin(k[1] * x) + k[3] * np.cos(k[1] * y),
    )


def _de_jong(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    return np.sin(k[0] * y) - np.cos(k[1] * x), np.sin(k[2] * x) - np.cos(k[3] * y)


def _svensson(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    return (
        k[3] * np.sin(k[0] * x) - np.sin(k[1] * y),
        k[2] * np.cos(k[0] * x) + np.cos(k[1] * y),
    )


def _icon(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    """Field and Golubitsky's symmetric icons: lambda, alpha, beta, gamma, omega, degree."""
    lift, alpha, beta, gamma, omega, degree = k
    power_x, power_y = x, y
    for _ in range(int(degree) - 2):
        power_x, power_y = power_x * x - power_y * y, power_x * y + power_y * x
    core = lift + alpha * (x * x + y * y) + beta * (x * power_x - y * power_y)
    return core * x + gamma * power_x - omega * y, core * y - gamma * power_y + omega * x


def _mira(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    def bend(v: Pixels) -> Pixels:
        square = v * v
        return np.asarray(k[1] * v + 2 * (1 - k[1]) * square / (1 + square) ** 2)

    ahead = y * (1 + k[0] * (1 - 0.05 * y * y)) + bend(x)
    return ahead, bend(ahead) - x


def _hopalong(x: Pixels, y: Pixels, k: tuple[float, ...]) -> Point:
    return y - np.sign(x) * np.sqrt(np.abs(k[1] * x - k[2])), k[0] - x


PLANE_MAPS: dict[str, PlaneMap] = {
    "clifford": _clifford,
    "dejong": _de_jong,
    "svensson": _svensson,
    "icon": _icon,
    "mira": _mira,
    "hopalong": _hopalong,
}


def _aizawa(x: Pixels, y: Pixels, z: Pixels) -> Space:
    lean = z - 0.7
    square = x * x + y * y
    rise = 0.6 + 0.95 * z - z * z * z / 3 - square * (1 + 0.25 * z) + 0.1 * z * x * x * x
    return lean * x - 3.5 * y, 3.5 * x + lean * y, rise


def _burke_shaw(x: Pixels, y: Pixels, z: Pixels) -> Space:
    return -10 * (x + y), -y - 10 * x * z, 10 * x * y + 4.272


def _halvorsen(x: Pixels, y: Pixels, z: Pixels) -> Space:
    return (
        -1.4 * x - 4 * y - 4 * z - y * y,
        -1.4 * y - 4 * z - 4 * x - z * z,
        -1.4 * z - 4 * x - 4 * y - x * x,
    )


def _lorenz(x: Pixels, y: Pixels, z: Pixels) -> Space:
    return 10 * (y - x), x * (28 - z) - y, x * y - 2.6667 * z


def _dadras(x: Pixels, y: Pixels, z: Pixels) -> Space:
    return y - 3 * x + 2.7 * y * z, 1.7 * y - x * z + z, 2 * x * y - 9 * z


def _dequan_li(x: Pixels, y: Pixels, z: Pixels) -> Space:
    return 40 * (y - x) + 0.16 * x * z, 55 * x + 20 * y - x * z, 1.833 * z + x * y - 0.65 * x * x


SPACE_FLOWS: dict[str, SpaceFlow] = {
    "aizawa": _aizawa,
    "burkeshaw": _burke_shaw,
    "halvorsen": _halvorsen,
    "lorenz": _lorenz,
    "dadras": _dadras,
    "dequanli": _dequan_li,
}
