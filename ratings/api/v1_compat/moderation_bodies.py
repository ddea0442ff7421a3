"""What moderators' clients send: queries and bodies, read once as typed structures."""

from typing import Annotated, Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from django.http import QueryDict
from msgspec import Meta, field

from ratings.api.bodies import BodyInvalid, errors_of
from ratings.queries.moderation import MAX_ROWS, MIN_RATINGS, RatingFilter

Shape = TypeVar("Shape", bound=msgspec.Struct)
Comparison = Literal["eq", "ge", "le"]
Format = Literal["html", "json"]
Rating = Annotated[int, Meta(ge=1, le=10)]
Artifacts = Annotated[int, Meta(ge=0, le=5)]
Divergence = Annotated[int, Meta(ge=0, le=100)]
MinRatings = Annotated[int, Meta(ge=0, le=1_000_000)]
# More than MAX_ROWS is given MAX_ROWS: old clients know no limit. What lies far back is found by a filter.
Limit = Annotated[int, Meta(ge=1, le=1_000_000)]
Offset = Annotated[int, Meta(ge=0, le=100_000)]
Minutes = Annotated[float, Meta(ge=1, le=10_000_000)]
# No control characters: PostgreSQL cannot hold NUL, and no agent has the others.
Agent = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CheckQuery(msgspec.Struct):
    """The query of GET /user/check/{user_id}."""

    minutes: Minutes = 60
    divergence: Divergence = 3


class FormatQuery(msgspec.Struct):
    """The query of GET /image/ratings/{image_id}."""

    format: Format | None = None


class RatingsQuery(msgspec.Struct):
    """The query of GET /user/validate/{user_id} and GET /user/ratings; both names of the divergence are in use."""

    rating: Rating | None = None
    rating_comparison: Comparison = "eq"
    artifacts: Artifacts | None = None
    artifacts_comparison: Comparison = "eq"
    min_ratings: MinRatings = MIN_RATINGS
    diverge: Divergence | None = None
    divergence_by_its_other_name: Divergence | None = field(default=None, name="divergence")
    client_agent: Agent | None = None
    limit: Limit | None = None
    offset: Offset = 0
    format: Format | None = None

    def as_filter(self, *, limit: int) -> RatingFilter:
        """Return which ratings are asked for; ``limit`` is how many where the client does not say."""
        return RatingFilter(
            rating=self.rating,
            rating_comparison=self.rating_comparison,
            artifacts=self.artifacts,
            artifacts_comparison=self.artifacts_comparison,
            min_ratings=self.min_ratings,
            divergence=self.divergence_by_its_other_name if self.diverge is None else self.diverge,
            client_agent=self.client_agent or None,
            limit=min(self.limit or limit, MAX_ROWS),
            offset=self.offset,
        )


class ModifyBody(msgspec.Struct):
    """The body of POST /user/modify/{user_id}; what is absent or null stays as it is."""

    validated: bool | None = None
    flagged: bool | None = None


def read_query(query: QueryDict, shape: type[Shape]) -> Shape:
    """Return a query as ``shape``; of a parameter that is repeated the last counts. Raises BodyInvalid."""
    try:
        return msgspec.convert(query.dict(), shape, strict=False)
    except msgspec.ValidationError as error:
        raise BodyInvalid(errors_of(error, shape, query.dict(), whole="query")) from error


def read_number(text: str) -> int:
    """Return the number of a user, given in the address. Raises BodyInvalid."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(2**63))):
        raise BodyInvalid({"user_id": "must be the number of a user"})
    return int(text)


def query_of(wanted: RatingFilter) -> str:
    """Return the query that asks for these ratings as a page."""
    asked = {
        "rating": wanted.rating,
        "rating_comparison": wanted.rating_comparison,
        "artifacts": wanted.artifacts,
        "artifacts_comparison": wanted.artifacts_comparison,
        "min_ratings": wanted.min_ratings,
        "diverge": wanted.divergence,
        "client_agent": wanted.client_agent,
        "limit": wanted.limit,
        "offset": wanted.offset,
        "format": "html",
    }
    return urlencode({name: value for name, value in asked.items() if value is not None})
