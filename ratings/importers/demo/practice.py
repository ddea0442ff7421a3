"""Pictures to practise on: drawn like those of the demo, of other plans by chance, each with a level that is told.

None of them is, or becomes, an image to rate: what is told of one must say nothing about the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from . import FAMILIES, STYLES_PER_FAMILY, encode
from .artifacts import KINDS, LEVELS, plant_artifacts
from .canvas import make_rng

# Ruined and flawless early, so that the ends of the scale are known when the middle comes.
PRACTICE_LEVELS = (0, 5, 2, 4, 1, 3, 0, 2, 5, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticePicture:
    number: int
    planted_artifacts: int
    webp: bytes
    width: int
    height: int


def iter_practice_pictures(*, size: int = 512) -> Iterator[PracticePicture]:
    """Yield the ten pictures in the order in which they are shown."""
    for number, level in enumerate(PRACTICE_LEVELS):
        _, draw = FAMILIES[number % len(FAMILIES)]
        plan = (7 * number) % (STYLES_PER_FAMILY * len(LEVELS))
        artwork = draw(plan, size=size, rng=make_rng("practice artwork", number))
        pixels = plant_artifacts(
            artwork.pixels, level=level, first_kind=number % len(KINDS), rng=make_rng("practice artifacts", number)
        )
        yield PracticePicture(number=number, planted_artifacts=level, webp=encode(pixels), width=size, height=size)
