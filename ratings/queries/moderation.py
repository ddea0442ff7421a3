"""What moderators ask about the ratings of one rater, of everybody, or of one image.

Everything starts from the newest rows of an index and looks at a limited number of them, so that no question costs
more than another, however many ratings there are. Averages are over the ratings that count.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.numbers import find_identity_by_number, name_with_number
from ratings.models import Image, Rater
from ratings.queries.raters import NoSuchRater

# How many of the newest ratings a question is about at most: of one rater's in a window of time, of all in a list.
WINDOW_OF_CHECK = 10_000
WINDOW_OF_LIST = 100_000
MAX_ROWS = 1000
MIN_RATINGS = 3
THREE_HOURS = timedelta(hours=3)
OPERATORS = {"eq": "=", "ge": ">=", "le": "<="}


class NoSuchImage(Exception):
    """There is no image of this id."""


@dataclass(frozen=True, slots=True)
class KnownRater:
    """The rater behind a public number, and what they are called."""

    rater_id: int
    username: str
    challenges_failed: int


@dataclass(frozen=True, slots=True)
class RecentRatings:
    """How fast a rater was, and how often far from the others: counts, none above ``WINDOW_OF_CHECK``."""

    in_timeframe: int
    past_three_hours: int
    divergent: int


@dataclass(frozen=True, slots=True)
class RatingFilter:
    """Which ratings to list; None is "all". Comparisons are eq, ge or le.

    ``min_ratings`` and ``divergence`` are about the ratings of the image: how many there are at least, and by how
    much the rating differs from their average at least (more than that much).
    """

    rating: int | None = None
    rating_comparison: str = "eq"
    artifacts: int | None = None
    artifacts_comparison: str = "eq"
    min_ratings: int = MIN_RATINGS
    divergence: int | None = None
    client_agent: str | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ListedRating:
    """One rating, and how its image was rated: ``times_rated`` times, ``aesthetic_sum`` in all."""

    rating_id: int
    image_id: uuid.UUID
    is_public: bool
    rater_id: int
    username: str
    aesthetic: int
    artifacts: int | None
    times_rated: int
    aesthetic_sum: int
    state: str
    created_at: datetime

    @property
    def average(self) -> int:
        """Return the average as a whole number, a half rounded up; 0 where nothing counts."""
        return (2 * self.aesthetic_sum + self.times_rated) // (2 * self.times_rated) if self.times_rated else 0


@dataclass(frozen=True, slots=True)
class RatedImage:
    """One image with its ratings, newest first, at most ``MAX_ROWS``."""

    image_id: uuid.UUID
    is_public: bool
    times_rated: int
    average: float
    ratings: list[ListedRating] = field(default_factory=list)


# The image is probed once for each rating that comes into question, never read as a whole: LIMIT 1 keeps the planner
# from joining the other way round. `own` takes the rating itself out of the average, when it is in there at all.
OF_IMAGE = """
    SELECT i.rating_count - own.n AS n, i.aesthetic_sum - own.n * coalesce(r.aesthetic, 0) AS s,
        i.status = 'active' AND i.adult_class = 'safe' AS is_public
    FROM ratings_image i, (SELECT (r.state = 'counted' AND r.aesthetic IS NOT NULL AND %(without_own)s)::int AS n) own
    WHERE i.id = r.image_id LIMIT 1
"""
DIVERGENT = "abs(r.aesthetic * i.n - i.s) > %(divergence)s * i.n"
CHECK = f"""
    WITH newest AS (
        SELECT image_id, aesthetic, state, created_at FROM ratings_rating
        WHERE rater_id = %(rater)s ORDER BY id DESC LIMIT %(window)s
    )
    SELECT count(*) FILTER (WHERE r.created_at > %(since)s),
        count(*) FILTER (WHERE r.created_at > %(three_hours_ago)s),
        count(*) FILTER (WHERE i.n >= %(min_ratings)s AND {DIVERGENT})
    FROM newest r LEFT JOIN LATERAL ({OF_IMAGE}) i ON r.created_at > %(since)s
"""
LIST = f"""
    WITH newest AS (
        SELECT id, image_id, rater_id, aesthetic, artifacts, state, client_agent, created_at
        FROM ratings_rating {{of_rater}} ORDER BY id DESC LIMIT %(window)s
    ), page AS (
        SELECT r.id, r.image_id, i.is_public, r.rater_id, r.aesthetic, r.artifacts, i.n, i.s, r.state, r.created_at
        FROM newest r CROSS JOIN LATERAL ({OF_IMAGE}) i
        WHERE r.state NOT IN ('voided', 'superseded') AND r.aesthetic IS NOT NULL AND {{conditions}}
        ORDER BY r.id DESC LIMIT %(limit)s OFFSET %(offset)s
    )
"""
OF_ONE_IMAGE = """
    WITH page AS (
        SELECT r.id, r.image_id, %(is_public)s AS is_public, r.rater_id, r.aesthetic, r.artifacts,
            %(times_rated)s AS n, %(aesthetic_sum)s AS s, r.state, r.created_at
        FROM ratings_rating r
        WHERE r.image_id = %(image)s AND r.state NOT IN ('voided', 'superseded') AND r.aesthetic IS NOT NULL
        ORDER BY r.id DESC LIMIT %(limit)s
    )
"""
PAGE = """
    SELECT p.id, p.image_id, p.is_public, p.rater_id, w.kind, w.external_id, w.id, w.name, u.username,
        p.aesthetic, p.artifacts, p.n, p.s, p.state, p.created_at
    FROM page p JOIN ratings_rater t ON t.id = p.rater_id JOIN accounts_identity w ON w.id = t.identity_id
        LEFT JOIN accounts_user u ON u.id = w.user_id
    ORDER BY p.id DESC
"""


def get_rater_by_number(number: int) -> KnownRater:
    """Return the rater of a public number. Raises NoSuchRater."""
    identity = find_identity_by_number(number=number)
    rater = Rater.objects.filter(identity=identity).select_related("identity__user").first() if identity else None
    if rater is None:
        raise NoSuchRater("There is no such user, or they have not rated anything.")
    who = rater.identity
    username = name_with_number(
        kind=who.kind,
        external_id=who.external_id,
        identity_id=who.pk,
        name=who.name,
        username=who.user.username if who.user else None,
    )
    return KnownRater(rater.pk, username, rater.challenges_failed)


def check_rater(*, rater_id: int, minutes: float, divergence: int, now: datetime) -> RecentRatings:
    """Return how many ratings a rater gave in the last ``minutes`` and three hours, and how many of the former diverge.

    One diverges that is more than ``divergence`` away from the average of at least three others.
    """
    params: dict[str, Any] = {
        "rater": rater_id,
        "window": WINDOW_OF_CHECK,
        "since": now - timedelta(minutes=minutes),
        "three_hours_ago": now - THREE_HOURS,
        "min_ratings": MIN_RATINGS,
        "divergence": divergence,
        "without_own": True,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHECK, params)
        return RecentRatings(*cursor.fetchone())


def list_ratings(*, wanted: RatingFilter, rater_id: int | None = None) -> list[ListedRating]:
    """Return ratings, newest first: of one rater, compared with what the others gave, or of everybody.

    Sought among the newest ``WINDOW_OF_LIST``. What was voided or superseded is settled, and left out; so is who could
    not judge how much they like the image, because clients of these lists know no such answer.
    """
    conditions = ["i.n >= %(min_ratings)s"]
    if wanted.rating is not None:
        conditions.append(f"r.aesthetic {OPERATORS[wanted.rating_comparison]} %(rating)s")
    if wanted.artifacts is not None:
        conditions.append(f"r.artifacts {OPERATORS[wanted.artifacts_comparison]} %(artifacts)s")
    if wanted.divergence is not None:
        conditions.append(DIVERGENT)
    if wanted.client_agent is not None:
        conditions.append("starts_with(r.client_agent, %(client_agent)s)")
    of_rater = "" if rater_id is None else "WHERE rater_id = %(rater)s"
    statement = LIST.format(of_rater=of_rater, conditions=" AND ".join(conditions)) + PAGE
    params = {
        "rater": rater_id,
        "window": WINDOW_OF_LIST,
        "without_own": rater_id is not None,
        "rating": wanted.rating,
        "artifacts": wanted.artifacts,
        "min_ratings": wanted.min_ratings,
        "divergence": wanted.divergence,
        "client_agent": wanted.client_agent,
        "limit": min(wanted.limit, MAX_ROWS),
        "offset": wanted.offset,
    }
    return _read_page(statement, params)


def ratings_of_image(image_id: uuid.UUID) -> RatedImage:
    """Return one image with its ratings. Raises NoSuchImage."""
    image = Image.objects.filter(pk=image_id).defer("prompt", "generation").first()
    if image is None:
        raise NoSuchImage("There is no such image.")
    is_public = image.status == "active" and image.adult_class == "safe"
    params = {
        "image": image_id,
        "is_public": is_public,
        "times_rated": image.rating_count,
        "aesthetic_sum": image.aesthetic_sum,
        "limit": MAX_ROWS,
    }
    average = round(image.aesthetic_sum / image.rating_count, 1) if image.rating_count else 0.0
    ratings = _read_page(OF_ONE_IMAGE + PAGE, params)
    return RatedImage(image_id, is_public, image.rating_count, average, ratings)


def _read_page(statement: str, params: dict[str, Any]) -> list[ListedRating]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(_listed(cursor.fetchall()))


def _listed(rows: list[tuple[Any, ...]]) -> Iterable[ListedRating]:
    for rating_id, image_id, is_public, rater_id, kind, external_id, identity_id, name, username, *rest in rows:
        shown = name_with_number(
            kind=kind, external_id=external_id, identity_id=identity_id, name=name, username=username
        )
        yield ListedRating(rating_id, image_id, is_public, rater_id, shown, *rest)
