"""How far a dataset is, for pages that come with every image: counted by a task, and here only looked up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache

from ratings.queries.datasets import STALE_SECONDS, DatasetOverview

SLUG = re.compile(r"[-\w]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Progress:
    """``complete_count`` of ``image_count`` images have the ratings they need."""

    complete_count: int
    image_count: int


def keep_progress(overviews: Iterable[DatasetOverview]) -> None:
    """Keep what was counted, at hand for `dataset_progress`."""
    for one in overviews:
        cache.set(_name(one.slug), (one.complete_count, one.image_count), STALE_SECONDS)


def dataset_progress(slug: str) -> Progress | None:
    """Return what was counted last; None before anything was, for a dataset without images, or without Valkey."""
    if not SLUG.fullmatch(slug):
        return None
    kept: tuple[int, int] | None = cache.get(_name(slug))
    return Progress(*kept) if kept and kept[1] else None


def _name(slug: str) -> str:
    return f"pages:1:progress:{slug}"
