"""Flow fields: ribbons, silk, engraving, brushwork and marbling, all following invisible currents."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .brushwork import draw_brushwork
from .canvas import Artwork, Pixels, finish, lay_over, slope, smooth_noise, smoothstep, unit_grid
from .currents import Current
from .palettes import INKS, RAMPS, blend, rgb
from .ribbons import draw_ribbons

FAMILY = "flow fields"

SILK_SHEETS = 4
# Centre and radius of what is engraved.
BODIES = {
    "sphere": ((0.5, 0.5, 0.29),),
    "moon": ((0.62, 0.34, 0.2),),
    "pebbles": ((0.33, 0.36, 0.15), (0.66, 0.5, 0.19), (0.36, 0.73, 0.11)),
    "spheres": ((0.36, 0.6, 0.22), (0.7, 0.33, 0.15)),
}
ACCENTS = {"midnight": 0, "lacquer": 0, "terracotta": 0, "woodland": 4, "plum": 1}


@dataclass(frozen=True)
class Plan:
    style: str
    field: str
    colours: str
    scale: float
    detail: str
    words: str


# One picture a line: style, field, colours, scale, detail and how the title begins.
_PLANS = """
ribbons   whirlpools riviera    1.25  core     Broad ribbons curling around two hidden whirlpools
ribbons   drift      bauhaus    1.5   banded   Bold rounded bands drifting side by side
ribbons   terraces   tetra      0.85  plain    Angular ribbons turning in sharp steps
ribbons   orbit      kyoto      1.0   outlined Painted ribbons circling a quiet centre
ribbons   dipole     lacquer    0.8   core     Ribbons bending from one magnetic pole to the other
ribbons   waves      sorbet     1.1   banded   Soft ribbons rolling in long waves
silk      whirlpools nebula     1.0   plain    Sheets of fine silk folding around slow whirlpools
silk      drift      ember      0.8   plain    Veils of glowing thread drifting through the dark
silk      waves      glacier    1.2   plain    Translucent waves of thread rolling across the night
silk      dipole     peacock    1.0   plain    A feathered fan of threads between two poles
silk      orbit      gilded     0.9   plain    A spiral veil of fine threads turning in the dark
silk      drift      orchid     1.1   plain    Gauzy curtains of thread caught in a breeze
engraving drift      harbour    1.0   sphere   An engraved sphere rising from flowing lines
engraving waves      midnight   0.85  moon     A pale moon engraved above a sea of lines
engraving drift      woodland   0.9   pebbles  Three engraved pebbles resting in combed sand
engraving waves      terracotta 1.15  moon     A sun engraved in wavering lines
engraving drift      plum       1.2   spheres  Two engraved spheres in a rippling current
engraving waves      lacquer    1.0   sphere   A glowing orb drawn in fine flowing lines
brush     whirlpools sunset     1.0   sky      A swirling evening sky in thick brush strokes
brush     orbit      peacock    1.2   sun      Brush strokes spiralling around a bright centre
brush     waves      lagoon     0.85  sea      A rolling sea in short dabs of paint
brush     drift      meadow     1.0   field    Wind over tall grass in loose brush strokes
brush     whirlpools cyan       0.8   sky      A windy night of whirling brush strokes
brush     dipole     citrus     1.1   fan      Fiery brush strokes fanning out from one side
marbling  drift      lagoon     0.85  plain    Marbled paper with feathered veins
marbling  drift      sunset     0.8   plain    Liquid marble in slow folds
marbling  drift      rosegold   0.65  plain    Polished agate with fine metallic veins
marbling  drift      iris       0.7   plain    Ink swirling in clear water
marbling  drift      boreal     0.75  plain    Malachite bands polished to a shine
marbling  drift      citrus     0.9   plain    Folded layers of molten glass
"""


def _read_plans(table: str) -> Iterator[Plan]:
    for line in table.strip().splitlines():
        style, field, colours, scale, detail, words = line.split(maxsplit=5)
        yield Plan(style, field, colours, float(scale), detail, words)


PLANS = tuple(_read_plans(_PLANS))


def draw_flow_field(number: int, *, size: int, rng: np.random.Generator) -> Artwork:
    plan = PLANS[number]
    palette = INKS.get(plan.colours) or RAMPS[plan.colours]
    return Artwork(
        pixels=STYLES[plan.style](plan, size, rng),
        title=f"{plan.words}, {palette.words}",
        parameters={
            "style": plan.style,
            "field": plan.field,
            "palette": plan.colours,
            "scale": plan.scale,
            "detail": plan.detail,
        },
    )


def _draw_ribbons(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    current = Current(plan.field, rng)
    return draw_ribbons(current, INKS[plan.colours], scale=plan.scale, detail=plan.detail, size=size, rng=rng)


def _draw_brushwork(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    current = Current(plan.field, rng)
    stops = RAMPS[plan.colours].stops
    return draw_brushwork(current, stops, scale=plan.scale, detail=plan.detail, size=size, rng=rng)


def _draw_silk(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """Curves of dust carried along the field; where a sheet folds, the dust piles up and shines."""
    ramp = RAMPS[plan.colours]
    current = Current(plan.field, rng)
    grains, steps = int(3000 * size / 768), int(440 * size / 768)
    fade = np.sin(np.linspace(0.05, np.pi - 0.05, steps)) ** 1.5
    density = np.zeros((size, size))
    hue = np.zeros((size, size))
    for sheet in range(SILK_SHEETS):
        path = current.trace(_silk_curve(rng, grains), steps=steps, stride=0.9 * plan.scale / steps)
        path += (rng.random(path.shape, dtype=np.float32) - np.float32(0.5)) * np.float32(1.3 / size)
        dust = _dust(path, fade, size)
        density += dust
        hue += dust * (sheet / (SILK_SHEETS - 1))
    hue /= density + 1e-6
    light = 1 - np.exp(-0.2 * density)
    where = (0.1 + 0.62 * light + 0.28 * light**3 + 0.3 * (hue - 0.45) * np.sqrt(light)).astype(np.float32)
    pixels = np.empty((size, size, 3), dtype=np.float32)
    pixels[:] = rgb(ramp.ground)
    lay_over(pixels, blend(ramp.stops, where), np.minimum(1, np.float32(2.2) * light.astype(np.float32)))
    return finish(pixels, rng, grain=0.004)


def _silk_curve(rng: np.random.Generator, grains: int) -> Pixels:
    along = np.sort(rng.random(grains))
    centre, tilt = rng.uniform(0.2, 0.8, 2), rng.uniform(0, 2 * np.pi)
    reach = (along - 0.5) * rng.uniform(0.5, 1.0)
    bend = 0.12 * np.sin(along * rng.uniform(3, 9) + tilt)
    x = centre[0] + reach * np.cos(tilt) - bend * np.sin(tilt)
    y = centre[1] + reach * np.sin(tilt) + bend * np.cos(tilt)
    return np.stack([x, y], axis=1).astype(np.float32)


def _dust(path: Pixels, fade: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """How much dust lies on each pixel; what falls beside the picture is counted last and dropped."""
    x, y = path[..., 0] * np.float32(size), path[..., 1] * np.float32(size)
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    cell = np.where(inside, y.astype(np.intp) * size + x.astype(np.intp), size * size)
    weight = np.broadcast_to(fade, cell.shape).ravel()
    counts = np.bincount(cell.ravel(), weights=weight, minlength=size * size + 1)
    return np.asarray(counts[:-1], dtype=np.float64).reshape(size, size)


def _draw_engraving(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """Lines are level curves of a landscape; a darker tone makes the same line thicker."""
    inks = INKS[plan.colours]
    x, y = unit_grid(size)
    noise = smooth_noise(rng, size, cells=2.2, octaves=2, gain=0.25)
    waves = np.sin(2 * np.pi * (1.4 * x + 0.7 * y) + rng.uniform(0, 6))
    height = y + 0.045 * (waves if plan.field == "waves" else noise) + 0.05 * noise
    tone = 0.42 + 0.16 * noise
    marked = np.zeros((size, size), dtype=np.float32)
    for body in BODIES[plan.detail]:
        inside, dome, darkness = _lit_body(body, x, y, size)
        shadow = _cast_shadow(body, x, y)
        tone = (tone + shadow) * (1 - inside) + inside * darkness
        height = height - 0.42 * body[2] * dome
        marked = np.maximum(marked, inside)
    coverage = _engraved_lines(height * np.float32(62 / plan.scale), tone, size)
    pixels = np.empty((size, size, 3), dtype=np.float32)
    pixels[:] = rgb(inks.ground)
    accent = rgb(inks.colours[ACCENTS.get(plan.colours, 1)])
    lay_over(pixels, accent, marked * np.float32(0.16))
    lay_over(pixels, rgb(inks.line) + (accent - rgb(inks.line)) * marked[..., None], coverage)
    return finish(pixels, rng)


def _lit_body(body: tuple[float, float, float], x: Pixels, y: Pixels, size: int) -> tuple[Pixels, Pixels, Pixels]:
    """Where a sphere is, how high it stands, and how dark its shading is."""
    cx, cy, radius = body
    right, low = (x - cx) / radius, (y - cy) / radius
    distance = np.hypot(right, low)
    dome = np.sqrt(np.clip(1 - distance**2, 0, 1))
    light = 0.55 * dome - 0.6 * right - 0.58 * low
    edge = 1 / (size * radius)
    inside = smoothstep(1 + edge, 1 - edge, distance)
    return inside, dome, np.clip(0.74 - 0.64 * light, 0.05, 0.93)


def _cast_shadow(body: tuple[float, float, float], x: Pixels, y: Pixels) -> Pixels:
    cx, cy, radius = body
    right = (x - cx - 0.35 * radius) / radius
    low = (y - cy - 0.95 * radius) / (0.35 * radius)
    return np.float32(0.34) * np.exp(-(right**2) - low**2)


def _engraved_lines(phase: Pixels, tone: Pixels, size: int) -> Pixels:
    across, down = slope(phase)
    # Distance to the nearest level in pixels, so that a line is smooth-edged however steep.
    pixels_per_level = size / np.maximum(np.hypot(across, down), 1e-3)
    distance = np.abs(phase - np.round(phase)) * pixels_per_level
    half_width = 0.5 * tone * np.minimum(pixels_per_level, 0.06 * size)
    return np.clip(half_width - distance + 0.5, 0, 1)


def _draw_marbling(plan: Plan, size: int, rng: np.random.Generator) -> Pixels:
    """Fold the plane into itself a few times, then colour it in bands with a bright vein between."""
    ramp = RAMPS[plan.colours]
    x, y = unit_grid(size)
    u, v = x + 0 * y, y + 0 * x
    wave = np.float32(2 * np.pi * plan.scale)
    for fold in range(1, 7):
        phase = rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
        reach = np.float32(0.2 / fold**0.8)
        u = u + reach * np.sin(wave * fold * v + phase[0])
        v = v + reach * np.cos(wave * fold * u + phase[1])
    height = np.sin(np.pi * (1.6 * u + 1.1 * v)) + 0.05 * smooth_noise(rng, size, cells=6, octaves=2)
    bands = (0.5 + 0.5 * height) * np.float32(9)
    step = np.floor(bands)
    within = bands - step
    across, down = slope(bands)
    steep = np.hypot(across, down) / size
    pixels = blend(ramp.stops, 0.02 + ((step * 5) % 9 / 9) * 0.6 + 0.04 * step + 0.1 * within)
    gloss = np.clip((across - down) / (size * 0.05), -1, 1)
    pixels *= 1 + np.float32(0.1) * gloss[..., None]
    vein = np.clip(1.5 - np.minimum(within, 1 - within) / np.maximum(steep, 1e-4), 0, 1)
    vein *= smoothstep(0.8, 0.15, steep)
    lay_over(pixels, rgb(ramp.stops[-1]), np.float32(0.8) * vein)
    return finish(pixels, rng)


STYLES = {
    "ribbons": _draw_ribbons,
    "silk": _draw_silk,
    "engraving": _draw_engraving,
    "brush": _draw_brushwork,
    "marbling": _draw_marbling,
}
