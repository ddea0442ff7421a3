"""The pictures of the demo dataset: made when it is loaded, the same on every run, ours to give away.

Four families that people will rate differently, 30 pictures each. In each family every level of
planted artifacts occurs five times, once in each of the family's five styles, so that neither the
family nor the style says how damaged a picture is.
"""

import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image

from . import attractors, flow, landscapes, voronoi
from .artifacts import KINDS, LEVELS, plant_artifacts
from .canvas import Artwork, Parameters, Pixels, make_rng, to_bytes

__all__ = ["DEMO_PICTURE_COUNT", "DemoPicture", "DemoPictureTooSmall", "UnknownDemoPicture", "iter_demo_pictures"]

FAMILIES: tuple[tuple[str, Callable[..., Artwork]], ...] = (
    (flow.FAMILY, flow.draw_flow_field),
    (voronoi.FAMILY, voronoi.draw_voronoi_glass),
    (attractors.FAMILY, attractors.draw_strange_attractor),
    (landscapes.FAMILY, landscapes.draw_landscape),
)
STYLES_PER_FAMILY = 5
PICTURES_PER_FAMILY = STYLES_PER_FAMILY * len(LEVELS)
DEMO_PICTURE_COUNT = len(FAMILIES) * PICTURES_PER_FAMILY

WEBP_QUALITY = 88
WEBP_METHOD = 4
# Broken blocks are 1/96 of the side, and a block needs a pixel.
SMALLEST_SIZE = 96


class UnknownDemoPicture(LookupError):
    pass


class DemoPictureTooSmall(ValueError):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPicture:
    index: int
    slug: str
    family: str
    title: str
    parameters: Parameters
    planted_artifacts: int
    webp: bytes
    width: int
    height: int


def iter_demo_pictures(*, size: int = 768, only: Collection[int] | None = None) -> Iterator[DemoPicture]:
    """One picture after another, so that whoever loads them can show how far it is.

    Neighbouring indexes are of different families: the first few pictures already show all four.
    """
    if size < SMALLEST_SIZE:
        raise DemoPictureTooSmall(f"A demo picture is at least {SMALLEST_SIZE} pixels wide; not {size}.")
    wanted = range(DEMO_PICTURE_COUNT) if only is None else sorted(set(only))
    if unknown := [index for index in wanted if not 0 <= index < DEMO_PICTURE_COUNT]:
        raise UnknownDemoPicture(f"There are {DEMO_PICTURE_COUNT} demo pictures, numbered from 0; not {unknown}.")
    return (_make_picture(index, size) for index in wanted)


@dataclass(frozen=True, slots=True)
class _Commission:
    """What is decided about a picture before it is drawn."""

    plan: int
    level: int
    first_kind: int


@cache
def _commissions(family_number: int) -> tuple[_Commission, ...]:
    """The family's plans in mixed order; the levels go once round each style, in its own order."""
    family, _ = FAMILIES[family_number]
    commissions = []
    for style in range(STYLES_PER_FAMILY):
        for place, level in enumerate(make_rng("levels", family, style).permutation(len(LEVELS)).tolist()):
            first_kind = (style + level + family_number) % len(KINDS)
            commissions.append(_Commission(style * len(LEVELS) + place, level, first_kind))
    order = make_rng("order", family).permutation(PICTURES_PER_FAMILY)
    return tuple(commissions[number] for number in order)


def _make_picture(index: int, size: int) -> DemoPicture:
    serial, commission = _commission(index)
    artwork = _draw_clean(index, size)
    damaged = plant_artifacts(
        artwork.pixels,
        level=commission.level,
        first_kind=commission.first_kind,
        rng=make_rng("artifacts", index),
    )
    family, _ = FAMILIES[index % len(FAMILIES)]
    return DemoPicture(
        index=index,
        slug=f"{family.replace(' ', '-')}-{serial + 1:02}",
        family=family,
        title=artwork.title,
        parameters=artwork.parameters,
        planted_artifacts=commission.level,
        webp=encode(damaged),
        width=size,
        height=size,
    )


def _commission(index: int) -> tuple[int, _Commission]:
    serial, family_number = divmod(index, len(FAMILIES))
    return serial, _commissions(family_number)[serial]


def _draw_clean(index: int, size: int) -> Artwork:
    _, draw = FAMILIES[index % len(FAMILIES)]
    _, commission = _commission(index)
    return draw(commission.plan, size=size, rng=make_rng("artwork", index))


def encode(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(to_bytes(pixels)).save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return buffer.getvalue()
