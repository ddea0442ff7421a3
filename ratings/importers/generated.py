"""The pictures that this software draws itself, as a source."""

from collections.abc import Collection, Iterator

from ratings.importers.demo import iter_demo_pictures
from ratings.importers.sources import SourceImage

# The generation parameter that says which of the demo pictures an image is.
NUMBER_KEY = "demo_picture"


def find_demo_images(numbers: Collection[int]) -> Iterator[SourceImage]:
    """Yield the demo pictures of these numbers, each drawn when it is asked for."""
    for picture in iter_demo_pictures(only=numbers):
        yield SourceImage(
            name=picture.slug,
            source_id=picture.slug,
            has_stated_id=True,
            content=picture.webp,
            prompt=picture.title,
            model_name=picture.family,
            generation={**picture.parameters, NUMBER_KEY: picture.index},
            planted_artifacts=picture.planted_artifacts,
        )
