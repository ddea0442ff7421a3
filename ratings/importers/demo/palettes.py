"""Curated colours. A random RGB triple is mud; every colour here was chosen beside its neighbours."""

# ruff: noqa: PLR2004  # the constants of sRGB's published curve

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import Pixels

RAMP_STEPS = 1024


@dataclass(frozen=True)
class Ramp:
    """Colours in an order that blends cleanly, dark to light, on the ground they glow against."""

    words: str
    ground: str
    stops: tuple[str, ...]


@dataclass(frozen=True)
class Inks:
    """Separate colours that are not blended with each other; `line` is the one to draw with."""

    words: str
    ground: str
    line: str
    colours: tuple[str, ...]


@dataclass(frozen=True)
class Weather:
    """A landscape's light: sky from zenith to horizon, land from far haze to near shade, the sun."""

    words: str
    sky: tuple[str, ...]
    land: tuple[str, ...]
    sun: str


def _ramp(words: str, ground: str, stops: str) -> Ramp:
    return Ramp(words, ground, tuple(stops.split()))


def _inks(words: str, ground: str, line: str, colours: str) -> Inks:
    return Inks(words, ground, line, tuple(colours.split()))


def _weather(words: str, sky: str, land: str, sun: str) -> Weather:
    return Weather(words, tuple(sky.split()), tuple(land.split()), sun)


RAMPS = {
    "ember": _ramp("ember red and gold", "#12090d", "#2a0d1b #6e1730 #c7352f #f47a33 #ffc565 #fff3d6"),
    "boreal": _ramp("boreal green and ice", "#06121a", "#08283a #0b5a63 #1fa187 #86dd9a #f2ffd2"),
    "nebula": _ramp("violet, rose and peach", "#0c0a20", "#1d1650 #54278f #b53f96 #f5767f #ffd0a1 #fff7e8"),
    "glacier": _ramp("glacier blue and white", "#06101d", "#0c2747 #175a90 #46a5d0 #b4e4ee #fcffff"),
    "gilded": _ramp("old gold on black", "#0d0a08", "#2a1d12 #6f4a1e #ba8431 #efca73 #fff7df"),
    "peacock": _ramp("peacock teal and amber", "#05131a", "#063445 #00707f #26b39d #a8d98a #f7c04f #fff3c9"),
    "lagoon": _ramp("lagoon turquoise and sand", "#071a22", "#0b3a53 #0d7c93 #35c2b4 #b7ead0 #fdf1d3"),
    "orchid": _ramp("orchid pink and plum", "#140818", "#31103f #7a1f70 #cf3f8a #ff86a3 #ffc9c4 #fff4ee"),
    "citrus": _ramp("blood orange and lemon", "#180d0a", "#4a1226 #b4233a #f05a35 #ffa032 #ffe066 #fffbe0"),
    "iris": _ramp("iris blue and lavender", "#0a0d22", "#17205c #3a3fae #7a6be0 #c19bf0 #f3cdf0 #fff6fb"),
    "meadow": _ramp("meadow green and straw", "#0b150d", "#12351f #2c6e3a #73ab4a #c9d76a #fdf5c0"),
    "sunset": _ramp("indigo, coral and apricot", "#0e0f24", "#1f2358 #5b3a8c #b0487f #ee6a5c #fba65b #ffe3a8"),
    "cyan": _ramp("midnight blue and electric cyan", "#050b18", "#0a1f4d #1048a0 #1b8fe0 #5fd8f2 #e9fffb"),
    "rosegold": _ramp("rose gold and smoke", "#130d10", "#33202a #7c4350 #c77d78 #efbda0 #fff0e0"),
}

INKS = {
    "riviera": _inks(
        "coral, marigold and sea blue on cream paper",
        "#f5ecd9",
        "#17324d",
        "#e4572e #f3a712 #2e86ab #17324d #f2b8a0 #8fc1b5",
    ),
    "bauhaus": _inks(
        "red, yellow and blue on warm white",
        "#f2eadb",
        "#1b1b1e",
        "#d62828 #f6ae2d #1d4e89 #1b1b1e #86bbd8 #e8d6b8",
    ),
    "kyoto": _inks(
        "indigo, persimmon and tea green on washi",
        "#f3ecdf",
        "#22304f",
        "#22304f #d1495b #edae49 #66a182 #6f9ab0 #f0c9b0",
    ),
    "sorbet": _inks(
        "raspberry, apricot and mint on blush",
        "#fdf1ea",
        "#4b3f8f",
        "#ff6f91 #ffb066 #6fd3c7 #5e60ce #ffd3dc #3b3272",
    ),
    "woodland": _inks(
        "moss, fern and rust on linen",
        "#efe9da",
        "#1b4332",
        "#1b4332 #3f8f68 #a3d3b0 #d99a5b #b8453f #e9d3a6",
    ),
    "tetra": _inks(
        "neon pink, yellow and aqua on near black",
        "#11141c",
        "#f8f4ea",
        "#ff5d8f #ffd166 #12d3a4 #2b9fd9 #f8f4ea #7b5cd6",
    ),
    "harbour": _inks(
        "navy, brick and fog on pale grey",
        "#e9edf0",
        "#12263a",
        "#12263a #c8553d #f2a65a #588b8b #9fb8c6 #ffffff",
    ),
    "midnight": _inks(
        "brass, rose and ice on midnight blue",
        "#101a33",
        "#f3ddb0",
        "#e0b155 #f2e3c2 #e07a8b #6fb3d9 #3f5ea8 #c9e4ee",
    ),
    "terracotta": _inks(
        "terracotta, olive and bone",
        "#f1e6d6",
        "#3b2a24",
        "#c1582f #e29a5b #7c8552 #3b2a24 #eacba0 #9c3b2a",
    ),
    "lacquer": _inks(
        "vermilion, gold and ivory on black lacquer",
        "#17110f",
        "#f4e3bf",
        "#d9381e #e8a93a #f4e3bf #8c1c13 #f27d52 #4f7f78",
    ),
    "meridian": _inks(
        "cobalt, lemon and sky on white",
        "#f7f6f1",
        "#1f3fae",
        "#1f3fae #ffd23f #3bb3e6 #ee4266 #0d1b4c #bfe3f2",
    ),
    "plum": _inks(
        "plum, mauve and honey on oat", "#f4ebe1", "#3d1a45", "#3d1a45 #8a3f85 #d98bb0 #f0b35f #5d6fa8 #f3d9d0"
    ),
}

WEATHERS = {
    "dawn": _weather(
        "at a peach and lilac dawn",
        "#5b6aa8 #9a8fc4 #e8aebb #ffd2a8 #ffe9c4",
        "#d9b3c0 #a98bb0 #6d6a9c #3c4674 #1a2446",
        "#fff6dc",
    ),
    "gold": _weather(
        "in a golden evening",
        "#3c5a86 #7f8fa6 #e2b184 #ffc766 #ffe79c",
        "#e8ac6c #c47c4f #86503f #4c3038 #1f1722",
        "#fffbe6",
    ),
    "teal": _weather(
        "under a clear teal morning",
        "#1c6a86 #4ea3ad #a3d6cb #e3f1d8 #fff5d8",
        "#a9d0c6 #6ba9a8 #387f89 #1d5566 #0c2c3c",
        "#fffdf0",
    ),
    "crimson": _weather(
        "under a crimson sunset",
        "#2c1d4a #6d2c62 #c2415f #f5734f #ffc16b",
        "#d4586a #9a3563 #632456 #381742 #160a24",
        "#fff0c4",
    ),
    "storm": _weather(
        "in blue rain light",
        "#33475f #5d7890 #93aebb #c5d5d6 #e8ebe0",
        "#a5bcc6 #7694a6 #4d6d84 #2c475e #121f30",
        "#ffffff",
    ),
    "moonlit": _weather(
        "on a clear moonlit night",
        "#070d24 #0f1d44 #1d3768 #3d6292 #86a8c4",
        "#5b82a8 #3c5f8a #25436b #142a4b #070f22",
        "#f8f4dc",
    ),
    "violet": _weather(
        "in a violet dusk",
        "#241b52 #4c3585 #8d56ab #d985b4 #ffc3b0",
        "#b680b8 #7f5aa4 #523f86 #2f2860 #130f30",
        "#fff1d8",
    ),
    "verdant": _weather(
        "on a soft green summer morning",
        "#7fb6c9 #aed3cf #d7e8cd #f3f2cf #fff4cd",
        "#b4d0a4 #82b083 #4d8a68 #24614f #0d3331",
        "#fffef0",
    ),
    "arctic": _weather(
        "beneath a green and violet aurora",
        "#050a1c #0a1733 #0f2a4a #16455c #2f6f76",
        "#2d5f72 #1f4660 #15304c #0d1e36 #050b18",
        "#e9fff0",
    ),
    "rust": _weather(
        "in red desert heat",
        "#3f7f9c #8fb8b5 #f0d7ac #ffc48a #ffb078",
        "#eaa87c #d67c55 #b2523d #7a3133 #3b1824",
        "#fff7e0",
    ),
    "sakura": _weather(
        "in pink spring haze",
        "#8fb4d6 #bcc9e0 #efcbd6 #fbdcd6 #fff0e2",
        "#e5b8c8 #c68fae #94698f #5d4a70 #2b2846",
        "#fffaf0",
    ),
    "cobalt": _weather(
        "in the cobalt hour after sunset",
        "#0f1f55 #1f4090 #4577bd #98a9cf #f6c6a8",
        "#6f8cc0 #4a68a5 #2f4a86 #1b2f60 #0a1534",
        "#ffe9c9",
    ),
}


def rgb(colour: str) -> Pixels:
    """'#rrggbb' as three floats in 0..1."""
    channels = bytes.fromhex(colour.removeprefix("#"))
    return np.frombuffer(channels, dtype=np.uint8).astype(np.float32) / np.float32(255)


def rgb_list(colours: tuple[str, ...]) -> Pixels:
    return np.stack([rgb(colour) for colour in colours])


@cache
def blend_table(stops: tuple[str, ...]) -> Pixels:
    """The stops blended in OKLab: halfway between blue and yellow must not be grey mud."""
    positions = np.linspace(0, len(stops) - 1, RAMP_STEPS)
    lab = _oklab_from_rgb(rgb_list(stops).astype(np.float64))
    channels = [np.interp(positions, np.arange(len(stops)), lab[:, axis]) for axis in range(3)]
    table = _rgb_from_oklab(np.stack(channels, axis=1)).astype(np.float32)
    table.setflags(write=False)
    return table


def blend(stops: tuple[str, ...], where: ArrayLike) -> Pixels:
    """Colours along the stops; `where` is 0 at the first and 1 at the last."""
    steps = np.clip(np.asarray(where) * (RAMP_STEPS - 1), 0, RAMP_STEPS - 1).astype(np.intp)
    return np.asarray(np.take(blend_table(stops), steps, axis=0), dtype=np.float32)


# Björn Ottosson's OKLab matrices: https://bottosson.github.io/posts/oklab/
_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab_from_rgb(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _LMS.T) @ _LAB.T)


def _rgb_from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = (lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_LMS).T
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
