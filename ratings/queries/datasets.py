"""Reads about datasets."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.db import connection

from ratings.models import Dataset, DatasetState
from ratings.queries.prepared import fetch_prepared
from ratings.queries.published import IS_PUBLISHED, IS_PUBLISHED_RATING, PUBLISHED_RATING_COUNT

Kept = TypeVar("Kept")
# How many times as long as it took to read something it is kept.
KEPT_TIMES = 100
COUNTING_SECONDS = 300
STALE_SECONDS = 7 * 24 * 3600


class NoSuchDataset(Exception):
    """There is no dataset of that name or id."""


@dataclass(frozen=True, slots=True)
class DatasetForRating:
    """What handing out images needs to know of a dataset."""

    id: uuid.UUID
    slug: str
    name: str
    target: int
    scale_version: int
    is_open: bool
    ratings_licence: str
    order_policy: str


@dataclass(frozen=True, slots=True)
class DatasetInList:
    """A dataset by name, with the images ever imported into it."""

    id: uuid.UUID
    name: str
    description: str
    image_count: int


@dataclass(frozen=True, slots=True)
class DatasetOverview:
    """A dataset in a list. ``complete_count`` of ``image_count`` images have the ratings they need."""

    slug: str
    name: str
    description: str
    state: str
    licence: str
    ratings_licence: str
    target: int
    image_count: int
    complete_count: int
    rating_count: int

    @property
    def is_open(self) -> bool:
        return self.state == DatasetState.OPEN

    @property
    def offers_rating(self) -> bool:
        """Whether there may be an image to hand out. That of a relay's sets is open and has no picture."""
        return self.is_open and self.complete_count < self.image_count

    @property
    def state_text(self) -> str:
        return str(DatasetState(self.state).label)


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """A dataset on its own page; ``histogram`` counts the aesthetic values 1 to 10."""

    overview: DatasetOverview
    histogram: tuple[int, ...]
    artifacts_histogram: tuple[int, ...]


def get_dataset_for_rating(name: str) -> DatasetForRating:
    """Return a dataset by slug or UUID. Raises NoSuchDataset."""
    by_id = _as_uuid(name)
    # A NUL is no text to PostgreSQL, and no slug either.
    rows = (
        []
        if "\0" in name
        else fetch_prepared(
            """
        SELECT id, slug, name, target_rating_count, scale_version, state = 'open', ratings_licence, order_policy
        FROM ratings_dataset WHERE slug = %(slug)s OR id = %(id)s
        """,
            {"slug": name, "id": by_id},
        )
    )
    if not rows:
        raise NoSuchDataset(f"There is no dataset “{name[:80]}”.")
    return DatasetForRating(*rows[0])


def list_datasets() -> list[DatasetInList]:
    """Return every dataset, those that are still open first; one read of a small table."""
    sql = "SELECT id, name, description, image_count FROM ratings_dataset ORDER BY state = 'closed', created_at, id"
    return [DatasetInList(*row) for row in fetch_prepared(sql, {})]


OVERVIEW = f"""
    SELECT d.slug, d.name, d.description, d.state, d.licence, d.ratings_licence, d.target_rating_count,
        count(image.id), count(image.id) FILTER (WHERE NOT image.is_open),
        coalesce(sum({PUBLISHED_RATING_COUNT}), 0) + (
            SELECT count(answer.said_aesthetic) FROM ratings_controlanswer answer
                JOIN ratings_image asked ON asked.id = answer.image_id AND asked.status = 'active'
            WHERE answer.dataset_id = d.id AND answer.state = 'counted'
        )
    FROM ratings_dataset d LEFT JOIN ratings_image image ON image.dataset_id = d.id AND {IS_PUBLISHED}
    {{where}} GROUP BY d.id ORDER BY d.state = 'closed', d.created_at
"""


def dataset_overview() -> list[DatasetOverview]:
    """Return every dataset with its progress, open ones first; see `remember` for how fresh it is."""
    return remember("datasets", _read_overview)


def _read_overview() -> list[DatasetOverview]:
    with connection.cursor() as cursor:
        cursor.execute(OVERVIEW.format(where=""))
        return [DatasetOverview(*row) for row in cursor.fetchall()]


def dataset_detail(slug: str) -> DatasetDetail:
    """Return one dataset with its histograms; see `remember` for how fresh it is. Raises NoSuchDataset."""
    return remember(f"dataset:{slug}", lambda: _read_detail(slug))


def _read_detail(slug: str) -> DatasetDetail:
    with connection.cursor() as cursor:
        cursor.execute(OVERVIEW.format(where="WHERE d.slug = %s"), [slug])
        row = cursor.fetchone()
        if row is None:
            raise NoSuchDataset(f"There is no dataset “{slug}”.")
        cursor.execute(
            f"""
            SELECT rating.aesthetic, rating.artifacts, count(*) FROM ratings_rating rating
            JOIN ratings_dataset d ON d.id = rating.dataset_id JOIN ratings_image image ON image.id = rating.image_id
            WHERE d.slug = %(slug)s AND {IS_PUBLISHED_RATING} GROUP BY 1, 2
            UNION ALL
            SELECT answer.said_aesthetic, answer.said_artifacts, count(*) FROM ratings_controlanswer answer
            JOIN ratings_dataset d ON d.id = answer.dataset_id
            JOIN ratings_image image ON image.id = answer.image_id AND image.status = 'active'
            WHERE d.slug = %(slug)s AND answer.state = 'counted' GROUP BY 1, 2
            """,
            {"slug": slug},
        )
        cells = cursor.fetchall()
    aesthetic = tuple(sum(n for value, _, n in cells if value == level) for level in range(1, 11))
    artifacts = tuple(sum(n for _, value, n in cells if value == level) for level in range(6))
    return DatasetDetail(DatasetOverview(*row), aesthetic, artifacts)


def remember(name: str, read: Callable[[], Kept]) -> Kept:
    """Return what ``read`` returns, or returned a short while ago: a hundred times as long as it takes to read.

    So a small dataset shows every rating at once, and a page about a hundred million ratings, which take a
    minute to count, has them counted every other hour. One visitor counts; the others are shown what was.
    """
    kept: tuple[float, Kept] | None = cache.get(f"pages:1:{name}")
    now = time.time()
    is_fresh = kept is not None and kept[0] > now
    if kept is not None and (is_fresh or not cache.add(f"pages:counting:{name}", 1, COUNTING_SECONDS)):
        return kept[1]
    result = read()
    seconds = (time.time() - now) * KEPT_TIMES
    if seconds >= 1:
        cache.set(f"pages:1:{name}", (now + seconds, result), STALE_SECONDS)
    cache.delete(f"pages:counting:{name}")
    return result


def open_dataset_ids() -> list[uuid.UUID]:
    """Return the datasets that images are handed out of."""
    return list(Dataset.objects.filter(state=DatasetState.OPEN).values_list("id", flat=True))


def all_dataset_ids() -> list[uuid.UUID]:
    """Return every dataset, also those that are closed: what was handed out may come back a week later."""
    return list(Dataset.objects.order_by("created_at").values_list("id", flat=True))


def _as_uuid(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
