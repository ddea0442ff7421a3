"""What the landscapes are put together from: stars, clouds, ridges, dunes, water, pines and birds."""

# ruff: noqa: PLR2004  # where a drawing puts things is a number, and a name would hide it

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .canvas import SUPERSAMPLING, Pixels, add_light, lay_over, line_noise, smooth_noise, smoothstep, unit_grid
from .palettes import Weather, blend, rgb


def paint_stars(pixels: Pixels, size: int, rng: np.random.Generator) -> None:
    place = rng.random((900, 2)) * (1, 0.75)
    bright = rng.random(900) ** 3.5
    column, row = (place * size).astype(int).T
    amount = np.zeros((size, size), dtype=np.float32)
    for shift_x, shift_y, part in ((0, 0, 1.0), (1, 0, 0.4), (-1, 0, 0.4), (0, 1, 0.4), (0, -1, 0.4)):
        at = np.clip(row + shift_y, 0, size - 1), np.clip(column + shift_x, 0, size - 1)
        np.maximum.at(amount, at, ((0.25 + 0.75 * bright) * part * (1 if part == 1 else bright)).astype(np.float32))
    add_light(pixels, (1.0, 0.97, 0.92), amount)


def paint_clouds(pixels: Pixels, weather: Weather, size: int, horizon: float, rng: np.random.Generator) -> None:
    """Flat-bottomed streaks, lit from below where the sun is low."""
    _, y = unit_grid(size)
    body = smooth_noise(rng, size, cells=(2.2, 11), octaves=5, gain=0.55)
    cover = smoothstep(0.25, 1.5, body) * smoothstep(horizon + 0.05, horizon - 0.3, y) * smoothstep(0, 0.12, y)
    lit = smoothstep(-0.4, 1.6, np.roll(body, size // 60, axis=0) - body + 0.5)
    colour = blend((weather.sky[1], weather.sky[-1], weather.sun), 0.25 + 0.75 * lit)
    lay_over(pixels, colour, np.float32(0.62) * cover)


def paint_milky_way(pixels: Pixels, size: int, rng: np.random.Generator) -> None:
    x, y = unit_grid(size)
    cloud = smooth_noise(rng, size, cells=7, octaves=5, gain=0.6)
    offset = (x - 0.28) * 0.82 - (y - 0.75) * -0.57
    band = np.exp(-(((offset - 0.06 * cloud) / 0.15) ** 2))
    dark = np.exp(-(((offset - 0.05 * cloud - 0.01) / 0.028) ** 2)) * smoothstep(-0.6, 0.8, cloud)
    glow = band * (0.34 + 0.12 * cloud) * (1 - 0.75 * dark)
    add_light(pixels, (0.9, 0.78, 0.95), np.clip(glow, 0, 1))
    dust = rng.random((size, size), dtype=np.float32)
    add_light(pixels, (1.0, 1.0, 1.0), (dust > 1 - 0.03 * np.clip(band, 0, 1)) * np.float32(0.4) * dust)


def paint_aurora(pixels: Pixels, size: int, rng: np.random.Generator) -> None:
    """Curtains with a sharp lower hem and rays that fade upwards from green to violet."""
    _, y = unit_grid(size)
    for curtain in range(4):
        hem = 0.6 - 0.11 * curtain + 0.045 * line_noise(rng, size, cells=3.5, octaves=2, gain=0.4)
        rays = 0.6 + 0.4 * line_noise(rng, size, cells=30, octaves=3, gain=0.7)
        strength = smoothstep(-0.7, 1.2, line_noise(rng, size, cells=2.5, octaves=2))
        above = (hem - y) / (0.13 + 0.06 * np.clip(rays, 0, 1.5))
        light = np.exp(-np.maximum(above, 0) * 1.3) * smoothstep(-0.55, 0.12, above)
        light = light * np.clip(rays, 0.2, 1.4) * strength
        colour = blend(("#7dffc0", "#38e0a8", "#4a9be0", "#9a5be8", "#d45bc8"), np.clip(above * 0.4, 0, 1))
        add_light(pixels, colour, np.clip(np.float32(0.95 - 0.12 * curtain) * light, 0, 1))


def peaks(rng: np.random.Generator, size: int, foot: float, *, height: float, count: int) -> Pixels:
    """The line of a range: overlapping tents for its peaks, and ever smaller roughness."""
    x = (np.arange(size) + 0.5) / size
    centres = (np.arange(-1, count + 1) + rng.uniform(0.1, 0.9, count + 2)) / count
    tops = height * rng.uniform(0.45, 1.0, count + 2)
    flanks = rng.uniform(0.75, 1.35, (2, count + 2)) * height * count * 0.75
    away = x[:, None] - centres
    tents = tops - np.where(away < 0, -away * flanks[0], away * flanks[1])
    rough = line_noise(rng, size, cells=5 + count, octaves=6, gain=0.55)
    # A soft maximum would round the summits; the roughness alone breaks the tents' straight flanks.
    return np.asarray(foot - np.maximum(tents.max(axis=1), -0.03) - 0.085 * height * rough, dtype=np.float32)


def swell(rng: np.random.Generator, size: int, cells: float) -> Pixels:
    return line_noise(rng, size, cells=cells, octaves=2, gain=0.3)


@dataclass(frozen=True)
class Ridge:
    crest: Pixels
    foot: float
    colour: Pixels
    mist: float


def _below(pixels: Pixels, crest: Pixels) -> tuple[slice, Pixels, Pixels]:
    """The rows a layer touches, their depth below its crest, and its smooth-edged coverage."""
    size = pixels.shape[0]
    first = max(0, int(crest.min() * size) - 2)
    _, y = unit_grid(size)
    depth = y[first:] - crest[None, :]
    steepness = np.sqrt(1 + (np.gradient(crest) * size) ** 2).astype(np.float32)
    coverage = np.clip(depth * (size / steepness) + 0.5, 0, 1)
    return slice(first, None), depth, coverage


def paint_ridge(pixels: Pixels, ridge: Ridge, weather: Weather, *, snow: bool, rng: np.random.Generator) -> None:
    rows, depth, coverage = _below(pixels, ridge.crest)
    if not coverage.size:
        return
    haze = rgb(weather.land[0]) + (rgb(weather.sky[-1]) - rgb(weather.land[0])) * np.float32(0.35)
    # Mist fills the valley to a level; it does not follow the ridge.
    mist = np.float32(ridge.mist) * smoothstep(ridge.foot - 0.2, ridge.foot + 0.06, depth + ridge.crest)
    colours = ridge.colour + (haze - ridge.colour) * mist[..., None]
    if snow:
        _lay_snow(colours, ridge, depth, weather, rng)
    lay_over(pixels[rows], colours, coverage)


def _lay_snow(colours: Pixels, ridge: Ridge, depth: Pixels, weather: Weather, rng: np.random.Generator) -> None:
    """Snow lies deeper on high ground, ends in tongues, and is in shade on the side away from the sun."""
    size = colours.shape[1]
    height = ridge.foot - ridge.crest
    folds = smooth_noise(rng, size, cells=(15, 15), octaves=5, gain=0.62)[: depth.shape[0]]
    cover = smoothstep(0.006, -0.006, depth - 0.6 * np.maximum(height - 0.07, 0) - 0.02 * folds)
    window = np.ones(size // 14) / (size // 14)
    broad = np.convolve(np.pad(ridge.crest, size // 28, mode="edge"), window, mode="same")
    slope = (np.gradient(broad) * size)[size // 28 : size // 28 + size].astype(np.float32)
    # The line between light and shade winds down from each summit, as a spine does.
    x, _ = unit_grid(size)
    column = np.clip((x + depth * 0.3 * folds) * size, 0, size - 1).astype(np.intp)
    lit = smoothstep(-0.2, 0.2, slope[column] + 0.22 * folds)
    shaded = ridge.colour + (rgb(weather.sky[1]) - ridge.colour) * np.float32(0.6)
    snow = shaded + (rgb(weather.sun) - shaded) * (0.2 + 0.75 * lit)[..., None]
    lay_over(colours, snow, cover * np.float32(0.95))


def paint_dune(
    pixels: Pixels, crest: Pixels, weather: Weather, nearness: float, light: int, rng: np.random.Generator
) -> None:
    """A dune is a bright windward face and a dark slip face, parted by a winding edge."""
    size = pixels.shape[0]
    rows, depth, coverage = _below(pixels, crest)
    x, _ = unit_grid(size)
    # The face is the crest's slope, carried down the dune and sideways: that bends the edge.
    winding = 0.06 * np.sin(depth * 13) + 0.4 * depth * light
    column = np.clip((x + winding) * size, 0, size - 1).astype(np.intp)
    steep = np.gradient(crest) * size * light
    face = smoothstep(-0.05, 0.06, steep[column])
    land = blend(weather.land, 0.1 + 0.72 * nearness)
    bright = blend((weather.land[0], weather.sky[-2], weather.sun), 0.55 - 0.2 * nearness)
    lit = land + (bright - land) * np.float32(0.72 - 0.25 * nearness)
    dark = blend(weather.land, min(1.0, 0.36 + 0.62 * nearness))
    fade = smoothstep(0, 0.45, depth)[..., None]
    colours = dark + (lit - dark) * (1 - face)[..., None]
    colours = colours + (land - colours) * fade * np.float32(0.6)
    ripple = np.sin((depth * (260 - 120 * nearness)) + 5 * smooth_noise(rng, size, cells=(5, 9), octaves=2)[rows])
    colours *= (1 + np.float32(0.035) * nearness * ripple * smoothstep(0.01, 0.1, depth))[..., None]
    lay_over(pixels[rows], colours, coverage)


def reflect(pixels: Pixels, weather: Weather, *, shore: float, path_x: float | None, rng: np.random.Generator) -> None:
    """Below the shore lies what stands above it, upside down, darker, and broken by ripples."""
    size = pixels.shape[0]
    first = int(shore * size)
    depth = ((np.arange(first, size) - first + 0.5) / size).astype(np.float32)[:, None]
    ripple = smooth_noise(rng, size, cells=(7, 110), octaves=2)[first:]
    row = np.clip(first - 1 - (depth * 1.25 * size) + ripple * (0.5 + 45 * depth) * size / 768, 0, first - 1)
    shift = ripple * (0.002 + 0.03 * depth) * size
    column = np.clip(np.arange(size)[None, :] + shift, 0, size - 1)
    mirrored = pixels[row.astype(np.intp), column.astype(np.intp)]
    water = blend(weather.land, 0.55 + 0.4 * smoothstep(0, 1 - shore, depth))
    mirrored = mirrored + (water - mirrored) * (0.16 + 0.38 * smoothstep(0, 1 - shore, depth))[..., None]
    x, _ = unit_grid(size)
    width = 0.035 + 0.22 * depth
    if path_x is not None:
        path = np.exp(-(((x - path_x) / width) ** 2))
        glitter = smoothstep(0.35, 1.3, ripple + 0.9 * path)
        add_light(mirrored, rgb(weather.sun), np.float32(0.55) * path * glitter)
    pixels[first:] = mirrored
    shoreline = np.exp(-((depth / 0.004) ** 2)) * np.float32(0.35)
    add_light(pixels[first:], rgb(weather.sky[-1]), np.broadcast_to(shoreline, ripple.shape))


def _mask(size: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (size * SUPERSAMPLING, size * SUPERSAMPLING))
    return image, ImageDraw.Draw(image)


def _coverage(image: Image.Image) -> Pixels:
    return np.asarray(image.reduce(SUPERSAMPLING), dtype=np.float32) / np.float32(255)


def paint_pines(
    pixels: Pixels, rng: np.random.Generator, weather: Weather, *, foot: float, height: float, count: int
) -> None:
    """A stand of pines, taller towards the sides so that the middle stays open."""
    size = pixels.shape[0]
    image, brush = _mask(size)
    side = size * SUPERSAMPLING
    places = np.sort((np.arange(count) + rng.uniform(-0.6, 0.6, count)) / (count - 1))
    opening = 0.45 + 0.55 * np.clip(np.abs(places - rng.uniform(0.4, 0.6)) * 2.4, 0, 1)
    for place, open_by in zip(places.tolist(), opening.tolist(), strict=True):
        tall = height * open_by * rng.uniform(0.55, 1.05)
        base = foot - 0.012 * np.sin(place * 9) + 0.01
        brush.polygon(_pine(place, base, tall, side, rng), fill=255)
    ground = foot - 0.012 * np.sin(np.linspace(0, 9, 60)) - 0.1 * height
    edge = np.stack([np.linspace(0, 1, 60), ground], axis=1)
    floor = edge[::-1] + np.array([0, 0.03 if foot < 0.9 else 1.0])
    brush.polygon((np.concatenate([edge, floor]) * side).ravel().tolist(), fill=255)
    lay_over(pixels, rgb(weather.land[-1]), _coverage(image))


def _pine(place: float, base: float, tall: float, side: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    tiers = 11
    level = np.linspace(0, 1, tiers)
    reach = tall * (0.03 + 0.19 * level) * rng.uniform(0.75, 1.2, (2, tiers))
    top = base - tall
    right, left = [(place, top)], []
    for tier in range(1, tiers):
        y = top + tall * 0.94 * level[tier]
        inner = 0.42
        right += [(place + reach[0, tier], y + 0.02 * tall), (place + reach[0, tier] * inner, y - 0.01 * tall)]
        left += [(place - reach[1, tier], y + 0.02 * tall), (place - reach[1, tier] * inner, y - 0.01 * tall)]
    trunk = 0.012 * tall
    foot = [
        (place + trunk, top + 0.95 * tall),
        (place + trunk, base),
        (place - trunk, base),
        (place - trunk, top + 0.95 * tall),
    ]
    return [(x * side, y * side) for x, y in (*right, *foot, *reversed(left))]


def paint_birds(pixels: Pixels, rng: np.random.Generator, weather: Weather) -> None:
    size = pixels.shape[0]
    image, brush = _mask(size)
    side = size * SUPERSAMPLING
    middle = rng.uniform((0.25, 0.2), (0.75, 0.32))
    for _ in range(int(rng.integers(5, 10))):
        x, y = middle + rng.normal(0, (0.075, 0.03))
        span = rng.uniform(0.010, 0.019)
        lift = span * rng.uniform(0.3, 0.6)
        wing = np.array([[-span, -lift * 0.2], [-span * 0.5, -lift], [0, 0], [span * 0.5, -lift], [span, -lift * 0.2]])
        # The wing is a thin polygon: widest at the body, nothing at the tips.
        under = wing[::-1] + np.array([0, 0.0024]) * np.array([0, 0.8, 1.6, 0.8, 0])[:, None]
        outline = (np.concatenate([wing, under]) + np.array([x, y])) * side
        brush.polygon(outline.ravel().tolist(), fill=255)
    lay_over(pixels, rgb(weather.land[-1]), _coverage(image) * np.float32(0.85))
