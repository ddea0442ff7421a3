"""Voronoi glass: stained windows, roses, crystals, sea glass and panes that bend what is behind."""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .canvas import (
    Artwork,
    Pixels,
    add_light,
    finish,
    lay_over,
    slope,
    smooth_noise,
    smoothstep,
    unit_grid,
)
from .cells import Cells, around, divide, place_seeds
from .palettes import INKS, RAMPS, blend, rgb, rgb_list

FAMILY = "voronoi glass"


@dataclass(frozen=True)
class Plan:
    style: str
    layout: str
    colours: str
    cells: int
    motif: str
    words: str


# One picture a line: style, layout of the seeds, colours, cells, motif and how the title begins.
_PLANS = """
stained  even     citrus    300 sunrise  A stained glass window of the sun rising over green hills
stained  waves    lagoon    340 sea      A stained glass sea under an evening sky
stained  sunflower orchid   330 bloom    A stained glass dahlia opening on dark leaves
stained  even     iris      290 moon     A stained glass moon above deep blue hills
stained  rings    citrus    300 bloom    A stained glass window with one round fiery blossom
stained  even     meadow    280 river    A stained glass river winding through fields
rose     wedge    riviera   14  12       A rose window with twelve petals
rose     wedge    lacquer   18  8        A dark rose window with eight rays
rose     wedge    midnight  22  16       A lace-fine rose window with sixteen rays
rose     wedge    sorbet    12  10       A rose window of ten soft petals
rose     wedge    tetra     16  6        A six-pointed kaleidoscope of bright glass
rose     wedge    meridian  20  14       A rose window of fourteen blue and yellow rays
crystal  focus    iris      420 radial   A crystal cluster with its facets catching the light
crystal  even     glacier   360 slope    Facets of blue ice under a cold sun
crystal  waves    orchid    300 slope    A cut gemstone seen very close
crystal  spiral   ember     520 radial   Glowing facets around a molten core
crystal  focus    boreal    340 radial   A geode of many small facets
crystal  even     gilded    280 slope    Hammered leaf broken into flat facets
pebbles  sunflower lagoon   420 radial   Sea glass laid out like the seeds of a sunflower
pebbles  even     rosegold  260 slope    Polished glass pebbles fitted close together
pebbles  rings    sunset    300 radial   Rings of rounded glass stones
pebbles  waves    peacock   320 slope    Rows of glossy glass beads in soft waves
pebbles  focus    citrus    380 radial   Drops of molten glass crowding to a point
pebbles  spiral   cyan      460 radial   A spiral of shining glass drops
panes    even     sunset    70  orb      An evening sun seen through broken panes of glass
panes    focus    boreal    120 orb      A green orb shattered behind bevelled glass
panes    spiral   orchid    110 rings    Concentric rings split by a spiral of glass
panes    even     lagoon    85  stripes  Striped light bent by thick uneven glass
panes    waves    ember     90  orb      A red sun refracted in long panes of glass
panes    sunflower iris     110 rings    Ripples of light in a faceted lens
"""


def _read_plans(table: str) -> Iterator[Plan]:
    for line in table.strip().splitlines():
        style, layout, colours, cells, motif, words = line.split(maxsplit=5)
        yield Plan(style, layout, colours, int(cells), motif, words)


PLANS = tuple(_read_plans(_PLANS))


def draw_voronoi_glass(number: int, *, size: int, rng: np.random.Generator) -> Artwork:
    plan = PLANS[number]
    palette = INKS[plan.colours] if plan.style == "rose" else RAMPS[plan.colours]
    return Artwork(
        pixels=STYLES[plan.style](plan, size, rng),
        title=f"{plan.words}, {palette.words}",
        parameters={
            "style": plan.style,
            "layout": plan.layout,
            "palette": plan.colours,
            "cells": plan.cells,
            "motif": plan.motif,
        },
    )


# The second ramp of a stained window: what stands in the motif is not the colour of its sky.
COMPANIONS = {
    "sunrise": "meadow",
    "sea": "sunset",
    "bloom": "boreal",
    "moon": "cyan",
    "river": "cyan",
}


def _draw_stained(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    cells = divide(place_seeds(plan.layout, plan.cells, rng), size)
    x, y = cells.seeds[:, 0].astype(float), cells.seeds[:, 1].astype(float)
    tones, other = MOTIFS[plan.motif](x, y)
    tones = np.clip(tones + rng.normal(0, 0.055, len(x)), 0.12, 0.98)
    first = blend(RAMPS[plan.colours].stops, tones)
    second = blend(RAMPS[COMPANIONS[plan.motif]].stops, tones)
    pixels = np.where(other[:, None], second, first)[cells.owner]
    _texture_glass(pixels, cells, size, rng)
    _glow_from_behind(pixels, size, rng)
    _lead(pixels, cells.to_border, size, width=0.0034)
    return finish(pixels, rng)


Tones: TypeAlias = tuple[NDArray[np.float64], NDArray[np.bool_]]


def _sunrise_tones(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tones:
    """A place on the ramp for every cell, and whether on the companion's: cells make a picture."""
    radius, angle = np.hypot(x - 0.5, y - 0.6), np.arctan2(y - 0.6, x - 0.5)
    tones = 0.84 - 0.6 * radius + 0.1 * np.sign(np.cos(14 * angle))
    tones = np.where(radius < 0.16, 0.98, tones)
    far, near = 0.64 + 0.05 * np.sin(7 * x + 2), 0.8 + 0.06 * np.sin(5 * x - 1)
    tones = np.where(y > far, 0.72, tones)
    return np.where(y > near, 0.45 - 0.6 * (y - near), tones), y > far


def _sea_tones(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tones:
    swell = np.sin(20 * y + 3 * np.sin(5 * x))
    sun = np.hypot(x - 0.66, y - 0.3)
    sky = np.where(sun < 0.11, 0.99, 0.92 - 0.75 * sun)
    path = 0.3 * np.exp(-(((x - 0.66) / 0.13) ** 2))
    sea = 0.62 - 0.35 * y + 0.2 * swell + path
    return np.where(y < 0.4, sky, sea), y < 0.4


def _bloom_tones(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tones:
    radius, angle = np.hypot(x - 0.5, y - 0.5), np.arctan2(y - 0.5, x - 0.5)
    flower = 0.86 - 1.25 * np.abs(radius - 0.1) + 0.12 * np.cos(16 * angle)
    flower = np.where(radius < 0.075, 1.0, flower)
    leaves = 0.3 + 0.16 * np.cos(8 * angle) - 0.25 * (radius - 0.4)
    outside = radius > 0.36 + 0.055 * np.cos(8 * angle)
    return np.where(outside, leaves, flower), outside


def _moon_tones(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tones:
    radius = np.hypot(x - 0.63, y - 0.32)
    sky = 0.72 - 0.55 * radius + 0.07 * np.cos(34 * radius)
    far, near = 0.66 + 0.07 * np.sin(6 * x + 1), 0.82 + 0.05 * np.sin(7 * x - 2)
    tones = np.where(radius < 0.15, 0.99, sky)
    tones = np.where(y > far, 0.5, tones)
    return np.where(y > near, 0.24, tones), y > far


def _river_tones(x: NDArray[np.float64], y: NDArray[np.float64]) -> Tones:
    bend = 0.5 + 0.24 * np.sin(5.5 * y + 0.6)
    distance = np.abs(x - bend) / (0.05 + 0.14 * y)
    fields = 0.62 + 0.24 * np.sign(np.sin(11 * y + 5 * x)) * (0.4 + 0.3 * np.sin(9 * x)) - 0.12 * y
    return np.where(distance < 1, 0.85 - 0.32 * distance, fields), distance < 1


MOTIFS = {
    "sunrise": _sunrise_tones,
    "sea": _sea_tones,
    "bloom": _bloom_tones,
    "moon": _moon_tones,
    "river": _river_tones,
}


def _texture_glass(pixels: Pixels, cells: Cells, size: int, rng: np.random.Generator) -> None:
    """Rolled glass: streaks, each pane a little lighter in its middle, panes unlike each other."""
    streaks = smooth_noise(rng, size, cells=(9, 34), octaves=3)
    pane = rng.normal(0, 0.05, len(cells.seeds)).astype(np.float32)[cells.owner]
    body = smoothstep(0, 0.03, cells.to_border)
    pixels *= (0.86 + 0.17 * body + pane + 0.05 * streaks)[..., None]


def _glow_from_behind(pixels: Pixels, size: int, rng: np.random.Generator) -> None:
    x, y = unit_grid(size)
    centre = rng.uniform(0.35, 0.65, 2)
    distance = np.hypot(x - centre[0], y - centre[1])
    pixels *= (1.12 - 0.42 * smoothstep(0.15, 0.85, distance))[..., None]
    add_light(pixels, (1.0, 0.95, 0.82), 0.1 * np.exp(-((distance / 0.38) ** 2)))


def _lead(pixels: Pixels, to_border: Pixels, size: int, *, width: float) -> None:
    softness = 1 / size
    shadow = smoothstep(width * 2.6, width * 0.6, to_border)
    pixels *= (1 - 0.3 * shadow)[..., None]
    came = np.clip((width - to_border) / softness + 0.5, 0, 1)
    lay_over(pixels, (0.075, 0.07, 0.072), came)
    ridge = smoothstep(width * 0.6, 0, to_border)
    add_light(pixels, (0.5, 0.48, 0.45), 0.45 * ridge)


def _draw_rose(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """One wedge of seeds, mirrored and turned: every rose window is a small set of choices."""
    inks = INKS[plan.colours]
    fold = int(plan.motif)
    seeds, wedge = _rose_seeds(plan.cells, fold, rng)
    cells = divide(seeds, size)
    colours = rgb_list(inks.colours)[rng.integers(0, len(inks.colours), plan.cells + 1)]
    pixels = colours[wedge[cells.owner]]
    _texture_glass(pixels, cells, size, rng)
    _glow_from_behind(pixels, size, rng)
    _lead(pixels, cells.to_border, size, width=0.0036)
    x, y = unit_grid(size)
    radius = np.hypot(x - 0.5, y - 0.5)
    _lead(pixels, np.abs(radius - 0.455), size, width=0.006)
    _set_in_stone(pixels, radius, size, rng)
    return finish(pixels, rng)


def _rose_seeds(count: int, fold: int, rng: np.random.Generator) -> tuple[Pixels, NDArray[np.intp]]:
    """Seeds of the whole rose, and for each which seed of the wedge it copies."""
    # Area grows with the radius, so do the rings of the wedge; the axes of the wedge come first
    # because a seed on an axis makes a petal, and one beside it only a pair of slivers.
    radius = 0.07 + 0.39 * ((np.arange(count) + rng.uniform(0.2, 0.8, count)) / count) ** 0.8
    share = rng.choice([0.0, 1.0, 0.5, 0.33, 0.67], count, p=[0.3, 0.3, 0.2, 0.1, 0.1])
    number = np.arange(1, count + 1)
    seeds, copied = [np.array([[0.5, 0.5]])], [np.array([0])]
    for turn in range(fold):
        for side in (1, -1):
            angle = (2 * turn + side * share) * np.pi / fold - np.pi / 2
            seeds.append(around((0.5, 0.5), radius, angle).astype(float))
            copied.append(number)
    return np.concatenate(seeds).astype(np.float32), np.concatenate(copied)


def _set_in_stone(pixels: Pixels, radius: Pixels, size: int, rng: np.random.Generator) -> None:
    relief = smooth_noise(rng, size, cells=26, octaves=3)
    across, down = slope(relief * np.float32(0.0035))
    stone = 0.82 + 0.05 * relief + 0.24 * (across + down)
    # A moulded frame: the ring is lit from above by how its profile leans.
    _, y = unit_grid(size)
    profile = np.exp(-(((radius - 0.482) / 0.011) ** 2))
    lean = np.clip((0.5 - y) / np.maximum(radius, 0.05), -1, 1) * np.sign(radius - 0.482)
    stone = stone + profile * (0.2 + 0.5 * lean) - 0.5 * smoothstep(0.48, 0.75, radius)
    tint = np.array(STONES[rng.integers(len(STONES))], dtype=np.float32)
    outside = smoothstep(0.462 - 1 / size, 0.462 + 1 / size, radius)
    lay_over(pixels, np.clip(stone, 0.1, 2)[..., None] * tint, outside)


STONES = ((0.2, 0.19, 0.2), (0.62, 0.53, 0.42), (0.16, 0.22, 0.32), (0.45, 0.42, 0.42), (0.36, 0.24, 0.22))


def _draw_crystal(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """Every cell is a flat facet with its own tilt; neighbours differ as the light strikes them."""
    ramp = RAMPS[plan.colours]
    cells = divide(place_seeds(plan.layout, plan.cells, rng), size)
    x, y = unit_grid(size)
    tilt = rng.normal(0, 1, (len(cells.seeds), 2)).astype(np.float32)
    lit = (tilt @ np.array([-0.7, -0.72], dtype=np.float32)) * np.float32(0.105)
    base = _facet_base(plan.motif, cells.seeds)
    # Within a facet the light falls off along its own tilt, as on polished stone.
    own = cells.seeds[cells.owner]
    facing = tilt[cells.owner]
    sheen = (x - own[..., 0]) * facing[..., 0] + (y - own[..., 1]) * facing[..., 1]
    where = (base + lit)[cells.owner] + np.clip(sheen * 1.7, -0.13, 0.13)
    pixels = blend(ramp.stops, np.clip(where, 0.04, 1))
    glint = np.clip(lit - 0.16, 0, None)[cells.owner] * 2.2
    add_light(pixels, rgb(ramp.stops[-1]), np.clip(glint, 0, 0.5).astype(np.float32))
    edge = np.clip(1.2 - cells.to_border * size, 0, 1)
    add_light(pixels, rgb(ramp.stops[-1]), np.float32(0.34) * edge)
    return finish(pixels, rng)


def _facet_base(motif: str, seeds: Pixels) -> Pixels:
    if motif == "radial":
        distance = np.hypot(seeds[:, 0] - 0.5, seeds[:, 1] - 0.5)
        return np.asarray(0.84 - 1.05 * distance + 0.06 * np.cos(22 * distance), dtype=np.float32)
    fall = 0.55 * seeds[:, 0] + 0.85 * seeds[:, 1]
    return np.asarray(0.86 - 0.52 * fall + 0.1 * np.sin(5 * seeds[:, 0] + 3 * seeds[:, 1]), dtype=np.float32)


def _draw_pebbles(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """The distance to the border, rounded into a dome, is a height that light can fall on."""
    ramp = RAMPS[plan.colours]
    spread = 0.5 / np.sqrt(plan.cells)
    cells = divide(place_seeds(plan.layout, plan.cells, rng), size, roundness=0.1 * spread)
    inward = cells.to_border - np.float32(0.1 * spread)
    rise = np.clip(inward / np.float32(0.55 * spread), 0, 1)
    dome = np.sqrt(np.clip(1 - (1 - rise) ** 2, 0, 1)) * np.float32(0.5 * spread)
    across, down = slope(dome)
    steep = np.sqrt(across * across + down * down + 1)
    light = np.clip((0.5 * across + 0.62 * down + 0.62) / steep, 0, 1)
    tone = _facet_base(plan.motif, cells.seeds) + rng.normal(0, 0.07, len(cells.seeds)).astype(np.float32)
    where = np.clip(tone[cells.owner] * 0.86 + 0.14 + 0.42 * (light - 0.62), 0.03, 1)
    glass = blend(ramp.stops, where) * (0.5 + 0.72 * light)[..., None]
    # Light that entered at the top left gathers inside the opposite rim, as it does in real glass.
    gathered = np.clip((-0.6 * across - 0.7 * down) / steep, 0, 1) ** 2 * rise
    add_light(glass, blend(ramp.stops, np.minimum(where + 0.3, 1)), np.float32(0.5) * gathered)
    gloss = np.clip((0.42 * across + 0.52 * down + 0.76) / steep, 0, 1) ** 60
    add_light(glass, (1.0, 1.0, 1.0), np.float32(0.75) * gloss * (rise > 0))
    pixels = np.empty_like(glass)
    pixels[:] = rgb(ramp.ground)
    lay_over(pixels, glass, np.clip(inward * size + 0.5, 0, 1))
    return finish(pixels, rng)


def _draw_panes(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """Each pane shifts and magnifies what lies behind it; bevelled rims bend it further."""
    ramp = RAMPS[plan.colours]
    cells = divide(place_seeds(plan.layout, plan.cells, rng), size)
    x, y = unit_grid(size)
    own = cells.seeds[cells.owner]
    shift = rng.normal(0, 0.035, (len(cells.seeds), 2)).astype(np.float32)[cells.owner]
    bevel = smoothstep(0.016, 0.0, cells.to_border)
    pull = np.float32(0.24) + np.float32(0.5) * bevel
    u = x + shift[..., 0] + pull * (own[..., 0] - x)
    v = y + shift[..., 1] + pull * (own[..., 1] - y)
    pixels = blend(ramp.stops, _backdrop(plan.motif, u, v))
    tilt = rng.normal(0, 0.045, len(cells.seeds)).astype(np.float32)[cells.owner]
    pixels *= (1 + tilt)[..., None]
    across, down = slope(cells.to_border)
    lean = (-0.7 * across - 0.7 * down) * bevel
    add_light(pixels, rgb(ramp.stops[-1]), np.clip(lean, 0, 1) * np.float32(0.45))
    pixels *= (1 - np.float32(0.42) * np.clip(-lean, 0, 1))[..., None]
    edge = np.clip(1.1 - cells.to_border * size, 0, 1)
    add_light(pixels, rgb(ramp.stops[-1]), np.float32(0.5) * edge)
    return finish(pixels, rng)


def _backdrop(motif: str, u: Pixels, v: Pixels) -> Pixels:
    if motif == "rings":
        distance = np.hypot(u - 0.5, v - 0.5)
        return np.asarray(0.5 + 0.3 * np.cos(distance * 30) + 0.25 * (0.5 - distance), dtype=np.float32)
    if motif == "stripes":
        wave = u * 0.8 + v * 0.55 + 0.05 * np.sin(6 * v)
        return np.asarray(0.52 + 0.32 * np.sin(wave * 30) + 0.2 * (0.5 - v), dtype=np.float32)
    distance = np.hypot(u - 0.5, v - 0.46)
    sky = 0.07 + 0.58 * smoothstep(0.85, 0.1, distance) - 0.16 * smoothstep(0.66, 0.7, v)
    disc = smoothstep(0.232, 0.228, distance)
    slats = smoothstep(0.1, 0.3, np.sin(v * 75) + 1.9 * (0.56 - v) * 2.6)
    return np.asarray(sky + disc * slats * (0.98 - 0.35 * smoothstep(0.25, 0.7, v) - sky), dtype=np.float32)


STYLES = {
    "stained": _draw_stained,
    "rose": _draw_rose,
    "crystal": _draw_crystal,
    "pebbles": _draw_pebbles,
    "panes": _draw_panes,
}
