"""Layered landscapes: alps, dunes, lakes, polar nights and paper cuts, from the sky forwards."""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .canvas import Artwork, Pixels, add_light, finish, lay_over, line_noise, smooth_noise, smoothstep, unit_grid
from .palettes import WEATHERS, Weather, blend, rgb
from .scenery import (
    Ridge,
    paint_aurora,
    paint_birds,
    paint_clouds,
    paint_dune,
    paint_milky_way,
    paint_pines,
    paint_ridge,
    paint_stars,
    peaks,
    reflect,
    swell,
)

FAMILY = "layered landscapes"


@dataclass(frozen=True)
class Plan:
    style: str
    weather: str
    layers: int
    sun_x: float
    sun_y: float
    details: str
    words: str

    def has(self, detail: str) -> bool:
        return detail in self.details.split("+")


# One picture a line: style, weather, layers, place of the sun or moon, details and how the title begins.
_PLANS = """
alps   dawn     5  0.74 0.22 snow+pines         Snowy peaks above misty pine ridges
alps   teal     6  0.28 0.24 pines+birds        Blue mountain ridges fading into the distance
alps   gold     6  0.60 0.30 pines+clouds+birds Mountain ridges in low light with dark pines in front
alps   storm    5  0.70 0.24 snow+clouds        Grey snow peaks under drifting clouds
alps   crimson  6  0.42 0.36 pines              Steep ridges in front of a huge low sun
alps   verdant  5  0.72 0.22 birds+pines        Gentle green hills and a line of pines
dunes  rust     6  0.68 0.28 birds              Sweeping sand dunes with sharp crests
dunes  gold     5  0.34 0.40 clouds             Desert dunes with long shadows
dunes  violet   6  0.60 0.36 stars              Sand dunes with the first stars coming out
dunes  sakura   5  0.40 0.30 clouds             Pale dunes like folded silk
dunes  crimson  6  0.52 0.48 sun                Burning dunes below a great red sun
dunes  cobalt   5  0.72 0.24 stars+moon         Cold dunes and a rising moon
lake   dawn     5  0.40 0.40 snow+clouds        Snowy mountains mirrored in a still lake
lake   crimson  4  0.60 0.50 sun+birds          A burning sun and its path on calm water
lake   verdant  5  0.68 0.30 pines+clouds       A quiet forest lake between green hills
lake   moonlit  5  0.64 0.22 moon+stars+snow    Moonlight on a mountain lake
lake   sakura   5  0.36 0.34 pines              A pink lake between hazy hills
lake   cobalt   4  0.50 0.48 clouds+birds       A wide bay with islands and a last strip of light
night  arctic   4  0.80 0.18 stars+aurora+pines Northern lights over a dark forest
night  moonlit  5  0.32 0.26 stars+moon+pines   A full moon above silver ridges and pines
night  violet   5  0.70 0.30 stars+moon         A pale moon over violet mountains
night  arctic   5  0.20 0.20 stars+aurora+snow  Curtains of light above snowy mountains
night  cobalt   5  0.62 0.20 stars+galaxy+pines The milky way over a valley of pines
night  moonlit  4  0.50 0.30 stars+aurora+lake  Northern lights doubled in a polar lake
paper  dawn     6  0.50 0.42 hills              Paper-cut hills in front of a round pale sun
paper  teal     7  0.36 0.32 waves              Paper-cut waves curling under a white sun
paper  crimson  6  0.56 0.44 arch+hills         A glowing valley seen through layers of cut paper
paper  violet   7  0.50 0.40 arch+hills         A paper-cut grotto opening on an evening sky
paper  verdant  6  0.66 0.34 hills+birds        Layered paper hills on a bright morning
paper  gold     7  0.42 0.40 waves              A stylised sea of layered golden paper
"""


def _read_plans(table: str) -> Iterator[Plan]:
    for line in table.strip().splitlines():
        style, weather, layers, sun_x, sun_y, details, words = line.split(maxsplit=6)
        yield Plan(style, weather, int(layers), float(sun_x), float(sun_y), details, words)


PLANS = tuple(_read_plans(_PLANS))


def draw_landscape(number: int, *, size: int, rng: np.random.Generator) -> Artwork:
    plan = PLANS[number]
    weather = WEATHERS[plan.weather]
    return Artwork(
        pixels=finish(STYLES[plan.style](plan, weather, size, rng), rng),
        title=f"{plan.words}, {weather.words}",
        parameters={
            "style": plan.style,
            "weather": plan.weather,
            "layers": plan.layers,
            "sun_x": plan.sun_x,
            "sun_y": plan.sun_y,
            "details": plan.details,
        },
    )


def _draw_alps(plan: Plan, weather: Weather, size: int, rng: np.random.Generator) -> Pixels:
    pixels = _paint_sky(plan, weather, size, rng, horizon=0.72)
    for layer in range(plan.layers):
        nearness = layer / (plan.layers - 1)
        foot = 0.56 + 0.36 * nearness**1.15
        height = 0.34 * (1 - nearness) ** 1.6 + 0.07
        crest = peaks(rng, size, foot, height=height, count=2 + layer)
        ridge = Ridge(crest, foot, blend(weather.land, nearness), mist=0.85 - 0.5 * nearness)
        paint_ridge(pixels, ridge, weather, snow=plan.has("snow") and layer < 3, rng=rng)
    return _foreground(pixels, plan, weather, rng, ground=0.95)


def _draw_dunes(plan: Plan, weather: Weather, size: int, rng: np.random.Generator) -> Pixels:
    pixels = _paint_sky(plan, weather, size, rng, horizon=0.6)
    light = 1 if plan.sun_x > 0.5 else -1
    for layer in range(plan.layers):
        nearness = layer / (plan.layers - 1)
        crest = 0.52 + 0.34 * nearness**1.2 - (0.045 + 0.03 * nearness) * swell(rng, size, 1.3 + 0.25 * layer)
        paint_dune(pixels, crest, weather, nearness, light, rng)
    return _foreground(pixels, plan, weather, rng, ground=None)


def _draw_lake(plan: Plan, weather: Weather, size: int, rng: np.random.Generator) -> Pixels:
    pixels = _paint_sky(plan, weather, size, rng, horizon=0.6)
    shore = 0.6
    for layer in range(plan.layers - 1):
        nearness = layer / (plan.layers - 1)
        crest = peaks(rng, size, shore - 0.015, height=0.3 * (1 - nearness) ** 1.3 + 0.03, count=3 + layer)
        ridge = Ridge(crest, shore, blend(weather.land, 0.1 + 0.75 * nearness), mist=0.6 - 0.35 * nearness)
        paint_ridge(pixels, ridge, weather, snow=plan.has("snow") and layer < 2, rng=rng)
    if plan.has("pines"):
        paint_pines(pixels, rng, weather, foot=shore + 0.004, height=0.085, count=70)
    reflect(pixels, weather, shore=shore, path_x=plan.sun_x, rng=rng)
    return _foreground(pixels, plan, weather, rng, ground=None)


def _draw_night(plan: Plan, weather: Weather, size: int, rng: np.random.Generator) -> Pixels:
    pixels = _paint_sky(plan, weather, size, rng, horizon=0.75)
    if plan.has("galaxy"):
        paint_milky_way(pixels, size, rng)
    if plan.has("aurora"):
        paint_aurora(pixels, size, rng)
    for layer in range(plan.layers):
        nearness = layer / (plan.layers - 1)
        foot = 0.68 + 0.24 * nearness
        crest = peaks(rng, size, foot, height=0.2 * (1 - nearness) + 0.05, count=3 + layer)
        ridge = Ridge(crest, foot, blend(weather.land, 0.15 + 0.85 * nearness), mist=0.6 - 0.4 * nearness)
        paint_ridge(pixels, ridge, weather, snow=plan.has("snow") and layer < 2, rng=rng)
    if plan.has("lake"):
        reflect(pixels, weather, shore=0.74, path_x=None, rng=rng)
    return _foreground(pixels, plan, weather, rng, ground=0.95)


def _foreground(
    pixels: Pixels, plan: Plan, weather: Weather, rng: np.random.Generator, *, ground: float | None
) -> Pixels:
    if plan.has("pines") and ground is not None:
        paint_pines(pixels, rng, weather, foot=ground + 0.03, height=0.24, count=38)
    if plan.has("birds"):
        paint_birds(pixels, rng, weather)
    return pixels


def _paint_sky(plan: Plan, weather: Weather, size: int, rng: np.random.Generator, *, horizon: float) -> Pixels:
    x, y = unit_grid(size)
    drift = smooth_noise(rng, size, cells=(2, 5), octaves=3)
    pixels = blend(weather.sky, y / horizon + 0.025 * drift)
    sun = rgb(weather.sun)
    distance = np.hypot(x - plan.sun_x, y - plan.sun_y)
    if plan.has("stars"):
        paint_stars(pixels, size, rng)
    is_night = plan.has("stars")
    add_light(pixels, sun, np.float32(0.2 if is_night else 0.5) * np.exp(-distance / np.float32(0.16)))
    if plan.has("clouds"):
        paint_clouds(pixels, weather, size, horizon, rng)
    if plan.has("aurora") or plan.has("galaxy"):
        return pixels
    radius = 0.15 if plan.weather == "crimson" else 0.055 if is_night else 0.075
    disc = np.clip((radius - distance) * size + 0.5, 0, 1)
    face = np.broadcast_to(sun, pixels.shape)
    if plan.has("moon"):
        seas = smooth_noise(rng, size, cells=22, octaves=3)
        face = face * (1 - 0.14 * smoothstep(0.0, 1.2, seas))[..., None]
    lay_over(pixels, face, disc)
    return pixels


def _draw_paper(plan: Plan, weather: Weather, size: int, rng: np.random.Generator) -> Pixels:
    """Sheets of coloured paper, each throwing a soft shadow on the one behind."""
    x, y = unit_grid(size)
    pixels = blend((weather.sky[-3], weather.sky[-1]), y * 1.3 + 0 * x)
    _paper_sun(pixels, plan, weather, size)
    if plan.has("birds"):
        paint_birds(pixels, rng, weather)
    fibre = np.float32(0.018) * smooth_noise(rng, size, cells=190, octaves=1)
    frames = 4 if plan.has("arch") else 0
    for layer in range(plan.layers):
        nearness = layer / (plan.layers - 1)
        edge = _sheet_edge(plan, size, nearness, layer, rng)
        colour = blend(weather.land, nearness * (0.8 if frames else 1.0))
        _lay_sheet(pixels, y - edge[None, :], colour, fibre)
    for layer in range(frames):
        colour = blend(weather.land, 0.35 + 0.65 * layer / 3)
        _lay_sheet(pixels, _arch(layer, size, rng), colour, fibre)
    return pixels


def _paper_sun(pixels: Pixels, plan: Plan, weather: Weather, size: int) -> None:
    x, y = unit_grid(size)
    distance = np.hypot(x - plan.sun_x, y - plan.sun_y)
    for ring, strength in ((0.3, 0.22), (0.225, 0.3), (0.15, 1.0)):
        disc = np.clip((ring - distance) * size + 0.5, 0, 1)
        lay_over(pixels, rgb(weather.sun), np.float32(strength) * disc)


def _sheet_edge(plan: Plan, size: int, nearness: float, layer: int, rng: np.random.Generator) -> Pixels:
    x = (np.arange(size) + 0.5) / size
    if plan.has("waves"):
        # Rows of scallops: |sin| has the pointed crests of a stylised sea.
        phase = (x * (3.2 - 1.2 * nearness) + 0.37 * layer + rng.uniform(0, 0.15)) * np.pi
        return np.asarray(0.46 + 0.46 * nearness - 0.085 * (1 - np.abs(np.sin(phase))) ** 1.3, dtype=np.float32)
    hills = line_noise(rng, size, cells=2.2 + 0.5 * layer, octaves=2, gain=0.25)
    return np.asarray(0.5 + 0.42 * nearness - 0.05 * hills, dtype=np.float32)


def _arch(layer: int, size: int, rng: np.random.Generator) -> Pixels:
    """Distance into a sheet with a wavy hole in it; every sheet nearer the eye has a larger hole."""
    x, y = unit_grid(size)
    angle = np.arctan2(y - 0.5, x - 0.5)
    radius = 0.37 + 0.062 * layer
    wobble = sum(
        rng.uniform(0.3, 1.0) / lobes**0.6 * np.sin(lobes * angle + rng.uniform(0, 2 * np.pi)) for lobes in (2, 3, 5, 8)
    )
    return np.asarray(np.hypot(x - 0.5, (y - 0.5) * 0.96) - radius - 0.026 * wobble, dtype=np.float32)


def _lay_sheet(pixels: Pixels, into: Pixels, colour: Pixels, fibre: Pixels) -> None:
    """`into` is the distance into the sheet, negative outside; the light comes from above."""
    size = pixels.shape[0]
    # Rows that neither the sheet nor its shadow reaches are most of the work saved.
    first = int(np.argmax(into.max(axis=1) > -0.09))
    into, fibre, pixels = into[first:], fibre[first:], pixels[first:]
    shadow = np.exp(np.minimum(into, 0) / np.float32(0.017)) * np.float32(0.5)
    pixels *= (1 - shadow)[..., None]
    pixels += colour * np.float32(0.12) * shadow[..., None]
    light = 1 + fibre + np.float32(0.1) * np.exp(np.maximum(into, 0) * np.float32(-10))
    rim = np.exp(-(((into - 0.0018) / 0.0014) ** 2)) * np.float32(0.3)
    paper = colour * light[..., None]
    paper += (1 - paper) * rim[..., None]
    lay_over(pixels, paper, np.clip(into * size + 0.5, 0, 1))


STYLES = {
    "alps": _draw_alps,
    "dunes": _draw_dunes,
    "lake": _draw_lake,
    "night": _draw_night,
    "paper": _draw_paper,
}
