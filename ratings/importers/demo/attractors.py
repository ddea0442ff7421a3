"""Strange attractors: millions of points of simple maps and flows, exposed like a photograph."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .attractor_rules import PLANE_MAPS, SPACE_FLOWS
from .canvas import Artwork, Pixels, finish, lay_over, smoothstep, unit_grid
from .palettes import INKS, RAMPS, blend, rgb

FAMILY = "strange attractors"


@dataclass(frozen=True)
class Plan:
    style: str
    rule: str
    colours: str
    zoom: float
    turn: float
    constants: tuple[float, ...]
    words: str


# One picture a line: style, rule, colours, zoom, turn in degrees, the rule's constants, and how
# the title begins. The constants were picked by eye: most of their neighbours are dust or a dot.
_PLANS = """
veil   clifford  ember    1.00   0  -1.4,1.6,1.0,0.7              A glowing moth of smoke with folded wings
veil   clifford  nebula   1.05  35  -1.6,1.6,0.7,-1.0             Veils of light knotted in empty space
veil   clifford  cyan     1.15  20  -1.24,-1.25,-1.81,-1.9        A woven star of light threads in a sphere
veil   dejong    peacock  1.00   0  1.4,-2.3,2.4,-2.1             A translucent jellyfish of folded light
veil   dejong    orchid   1.05 -40  -2.0,-2.0,-1.2,2.0            A curled shell of thin shining film
veil   svensson  gilded   1.00  10  1.4,-1.6,1.7,0.9              A golden orchid drawn in fine dust
ink    clifford  kyoto    1.00  60  1.7,1.7,0.6,1.2               A seahorse of ink curves on washi
ink    clifford  plum     1.00   0  0.75,1.34,-1.93,1.0           A butterfly of fine ink lines on paper
ink    dejong    harbour  1.00  15  1.5,2.5,1.4,-1.7              Folded paper waves drawn in thin ink
ink    dejong    riviera  1.05 -20  0.9,2.6,-1.6,1.3              Two loops of ink folding through each other
ink    dejong    woodland 1.00  40  -2.6,1.2,-0.7,1.9             A leaf of ink lines with curled edges
ink    svensson  meridian 1.00   0  1.5,-1.8,0.9,1.2              A bowl and a ball of crossing ink lines
icon   icon      sunset   1.05   0  1.56,-1.0,0.1,-0.82,0,3       A three-cornered web of light, perfectly symmetric
icon   icon      lagoon   1.05  30  -2.7,5.0,1.5,1.0,0,6          A six-pointed snow crystal of fine dust
icon   icon      boreal   1.00  18  -1.806,1.806,0,1.0,0,5        A five-pointed cloak of radiant feathers
icon   icon      citrus   1.05   0  -2.5,5.0,-1.9,1.0,0.188,5     A spinning flower of overlapping petals
icon   icon      gilded   1.05   0  2.409,-2.5,0,0.9,0,23         A lace rosette of twenty-three arches
icon   icon      iris     1.05   0  -2.42,1.0,-0.04,0.14,0.088,6  A turning knot with sixfold symmetry
bloom  mira      orchid   1.00   0  0.0,-0.55                     A three-cornered blossom fringed with fine filaments
bloom  mira      peacock  1.05   0  0.0,-0.22                     A seed head of nested glowing scales
bloom  mira      boreal   1.00   0  0.0,0.45                       A carved plate with ever finer scalloped rims
bloom  hopalong  nebula   1.10  45  2.0,1.0,0.0                   A mandala of nested loops like a coral
bloom  hopalong  lagoon   1.15   0  1.1,0.5,1.0                   A lace doily of many small islands
bloom  hopalong  ember    1.10  30  -3.1,0.9,0.3                  Rings within rings, like a carved seal
thread aizawa    cyan     1.00   0  0.010,0.4,0,0.785,0.615       A spinning apple of light threads around its core
thread burkeshaw sunset   1.00   0  0.004,1,0,1.2,0.2             Threads looping through two leaning rings
thread halvorsen citrus   1.00  15  0.006,2,0,0,0                 A burning knot of threads with three folds
thread lorenz    peacock  1.00   0  0.005,8,25,0.785,0.615        A butterfly of two spiralling wings of thread
thread dadras    orchid   1.00  20  0.008,2,0,0,1.4               Threads wound around four bright hubs
thread dequanli  glacier  1.00   0  0.0008,5,25,0.785,0.615       A cold vortex of threads pouring through a ring
"""


def _read_plans(table: str) -> Iterator[Plan]:
    for line in table.strip().splitlines():
        style, rule, colours, zoom, turn, constants, words = line.split(maxsplit=6)
        numbers = tuple(float(number) for number in constants.split(","))
        yield Plan(style, rule, colours, float(zoom), float(turn), numbers, words)


PLANS = tuple(_read_plans(_PLANS))


def draw_strange_attractor(number: int, *, size: int, rng: np.random.Generator) -> Artwork:
    plan = PLANS[number]
    exposure = _expose(plan, size, rng)
    if plan.style == "ink":
        pixels = _develop_on_paper(exposure, plan.colours)
    else:
        pixels = _develop_on_dark(exposure, plan.colours)
    palette = INKS.get(plan.colours) or RAMPS[plan.colours]
    constants = ", ".join(f"{number:g}" for number in plan.constants)
    return Artwork(
        pixels=finish(pixels, rng),
        title=f"{plan.words}, {palette.words}",
        parameters={
            "style": plan.style,
            "rule": plan.rule,
            "palette": plan.colours,
            "zoom": plan.zoom,
            "turn": plan.turn,
            "constants": constants,
        },
    )


@dataclass(frozen=True)
class Exposure:
    """Tone of every pixel in 0..1 (how often it was visited) and hue in 0..1 (by what)."""

    tone: Pixels
    hue: Pixels


@dataclass(frozen=True)
class Dust:
    """Points still in the rule's own coordinates, each with a hue."""

    x: Pixels
    y: Pixels
    hue: Pixels


@dataclass(frozen=True)
class Frame:
    """From the rule's coordinates to the picture's: a turn, a shift and a scale."""

    cosine: np.float32
    sine: np.float32
    middle_x: np.float32
    middle_y: np.float32
    scale: np.float32

    def place(self, dust: Dust) -> Dust:
        x = (dust.x * self.cosine - dust.y * self.sine - self.middle_x) * self.scale + np.float32(0.5)
        y = (dust.x * self.sine + dust.y * self.cosine - self.middle_y) * self.scale + np.float32(0.5)
        return Dust(x, y, dust.hue)


def _expose(plan: Plan, size: int, rng: np.random.Generator) -> Exposure:
    if plan.style == "thread":
        # Threads are lines, and lines need a finer plate than dust to have smooth edges.
        dust = _follow_flow(plan, rng)
        visits, hues = _count(_find_frame(dust, plan), _between(dust), 2 * size)
        visits, hues = _halve(visits), _halve(hues)
    else:
        dust = _iterate_map(plan, size, rng)
        visits, hues = _count(_find_frame(dust, plan), _portions(dust), size)
    visited = visits[visits > FAINTEST]
    bright = np.float32(np.percentile(visited, 98.5))
    # Brightness follows the logarithm: the eye is to see the veil as well as the fold.
    depth = DEPTHS[plan.style]
    tone = np.log1p(visits * np.float32(depth / bright)) / np.log1p(np.float32(depth))
    return Exposure(np.clip(tone, 0, 1), _even_out(hues / np.maximum(visits, 1e-6), visits))


# Fewer visits than this are the blur's, not the rule's.
FAINTEST = 0.2
# How far into the shadows the exposure reaches.
DEPTHS = {"veil": 24, "ink": 16, "icon": 24, "bloom": 5, "thread": 12}


def _count(frame: Frame, portions: Iterator[Dust], size: int) -> tuple[Pixels, Pixels]:
    pixels = size * size
    visits, hues = np.zeros(pixels + 1), np.zeros(pixels + 1)
    for dust in map(frame.place, portions):
        inside = (dust.x >= 0) & (dust.x < 1) & (dust.y >= 0) & (dust.y < 1)
        cell = (dust.y * np.float32(size)).astype(np.intp) * size + (dust.x * np.float32(size)).astype(np.intp)
        # What falls beside the plate is counted in one more place, and forgotten.
        flat = np.where(inside, cell, pixels).ravel()
        visits += np.bincount(flat, minlength=pixels + 1)
        hues += np.bincount(flat, weights=dust.hue.ravel(), minlength=pixels + 1)
    return _soften(visits[:-1], size), _soften(hues[:-1], size)


def _soften(counts: NDArray[np.float64], size: int) -> Pixels:
    """A trace of blur: the logarithm would otherwise make stairs of every sharp fold."""
    plate = np.pad(counts.astype(np.float32).reshape(size, size), 1)
    across = plate[:, :-2] + 4 * plate[:, 1:-1] + plate[:, 2:]
    return np.asarray((across[:-2] + 4 * across[1:-1] + across[2:]) / np.float32(36))


def _halve(plate: Pixels) -> Pixels:
    return plate[::2, ::2] + plate[1::2, ::2] + plate[::2, 1::2] + plate[1::2, 1::2]


def _even_out(hue: Pixels, visits: Pixels) -> Pixels:
    """Stretch the hues over the whole ramp: every picture gets all of its palette."""
    low, high = np.percentile(hue[visits > 0], (6, 94))
    return np.asarray(np.clip((hue - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1), dtype=np.float32)


def _iterate_map(plan: Plan, size: int, rng: np.random.Generator) -> Dust:
    """Many orbits at once; hue is the length of the last jump, or for rings which orbit it is."""
    step = PLANE_MAPS[plan.rule]
    orbits, rounds, warm_up, spread = MAP_RUNS[plan.style]
    rounds = max(60, int(rounds * (size / 768) ** 2))
    x, y = rng.uniform(-spread, spread, (2, orbits)).astype(np.float32)
    xs = np.empty((rounds, orbits), dtype=np.float32)
    ys, hues = np.empty_like(xs), np.empty_like(xs)
    constants = tuple(float(number) for number in plan.constants)
    ring = 0.5 + 0.5 * np.sin(np.hypot(x, y) * np.float32(7 / spread))
    for turn in range(-warm_up, rounds):
        new_x, new_y = step(x, y, constants)
        if turn >= 0:
            xs[turn], ys[turn] = new_x, new_y
            hues[turn] = ring if plan.style == "bloom" else np.abs(new_x - x) + np.abs(new_y - y)
        x, y = new_x, new_y
    return Dust(xs, ys, hues)


# Orbits, rounds, rounds thrown away first, and how far from the origin the orbits start.
MAP_RUNS = {
    "veil": (9000, 640, 20, 1.0),
    "ink": (9000, 560, 20, 1.0),
    "icon": (9000, 500, 60, 0.1),
    "bloom": (2000, 1800, 0, 9.0),
}
THREADS = 140
THREAD_ROUNDS = 2000
THREAD_WARM_UP = 1300


def _follow_flow(plan: Plan, rng: np.random.Generator) -> Dust:
    """Long runs of the flow by the midpoint rule, seen from the plan's side; hue is the depth."""
    flow = SPACE_FLOWS[plan.rule]
    stride, spread, rise, yaw, pitch = plan.constants
    place = rng.uniform(-spread, spread, (3, THREADS))
    place[2] += rise
    path = np.empty((THREAD_ROUNDS, 3, THREADS), dtype=np.float32)
    for turn in range(-THREAD_WARM_UP, THREAD_ROUNDS):
        middle = place + stride / 2 * np.array(flow(place[0], place[1], place[2]))
        place = place + stride * np.array(flow(middle[0], middle[1], middle[2]))
        if turn >= 0:
            path[turn] = place
    path -= path.mean(axis=(0, 2), dtype=np.float64).astype(np.float32)[:, None]
    x = path[:, 0] * np.float32(np.cos(yaw)) + path[:, 1] * np.float32(np.sin(yaw))
    deep = path[:, 1] * np.float32(np.cos(yaw)) - path[:, 0] * np.float32(np.sin(yaw))
    y = path[:, 2] * np.float32(np.cos(pitch)) + deep * np.float32(np.sin(pitch))
    deep = deep * np.float32(np.cos(pitch)) - path[:, 2] * np.float32(np.sin(pitch))
    return Dust(x, -y, deep)


def _portions(dust: Dust, rounds: int = 90) -> Iterator[Dust]:
    """A few rounds at a time: what is at work stays in the processor's cache."""
    for first in range(0, len(dust.x), rounds):
        part = slice(first, first + rounds)
        yield Dust(dust.x[part], dust.y[part], dust.hue[part])


def _between(dust: Dust) -> Iterator[Dust]:
    """The points between the rounds, so that a fast thread is a line and not a row of dots."""
    for part in np.arange(0, 1, 1 / 8, dtype=np.float32):
        x = dust.x[:-1] + (dust.x[1:] - dust.x[:-1]) * part
        y = dust.y[:-1] + (dust.y[1:] - dust.y[:-1]) * part
        yield Dust(x, y, dust.hue[:-1])


def _find_frame(dust: Dust, plan: Plan) -> Frame:
    """Fit all but the strays into the picture with an even margin."""
    turn = np.radians(plan.turn)
    cosine, sine = np.cos(turn), np.sin(turn)
    some = slice(None, None, max(1, dust.x.size // 20000))
    x, y = dust.x.ravel()[some], dust.y.ravel()[some]
    left, right = np.percentile(x * cosine - y * sine, (0.3, 99.7))
    top, bottom = np.percentile(x * sine + y * cosine, (0.3, 99.7))
    scale = 0.86 * plan.zoom / max(right - left, bottom - top)
    numbers = (cosine, sine, (left + right) / 2, (top + bottom) / 2, scale)
    return Frame(*(np.float32(number) for number in numbers))


def _develop_on_dark(exposure: Exposure, colours: str) -> Pixels:
    ramp = RAMPS[colours]
    tone = exposure.tone
    x, y = unit_grid(tone.shape[0])
    halo = np.exp(-((np.hypot(x - 0.5, y - 0.5) / 0.4) ** 2))
    pixels: Pixels = rgb(ramp.ground) + (rgb(ramp.stops[1]) - rgb(ramp.ground)) * (0.5 * halo)[..., None]
    where = 0.34 + 0.44 * exposure.hue + 0.26 * tone**3 - 0.1 * (1 - tone)
    lay_over(pixels, blend(ramp.stops, where), smoothstep(-0.02, 0.85, tone))
    return pixels


def _develop_on_paper(exposure: Exposure, colours: str) -> Pixels:
    inks = INKS[colours]
    size = exposure.tone.shape[0]
    pixels = np.empty((size, size, 3), dtype=np.float32)
    pixels[:] = rgb(inks.ground)
    ink = blend((inks.line, *PAPER_INKS[colours]), exposure.hue)
    lay_over(pixels, ink, np.minimum(1, exposure.tone * np.float32(1.15)))
    return pixels


# What the drawing ink runs into where the jumps are longer.
PAPER_INKS = {
    "kyoto": ("#7a3b69", "#d1495b"),
    "plum": ("#8a3f85", "#e0703f"),
    "harbour": ("#3b6f8f", "#c8553d"),
    "riviera": ("#2e86ab", "#e4572e"),
    "woodland": ("#3f8f68", "#c77a2e"),
    "meridian": ("#3b8fe0", "#ee4266"),
}
