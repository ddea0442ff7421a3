"""What AI Horde says of a user, read strictly: what is not understood is not an answer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from accounts.outgoing import Reply

LARGEST = 10**15
OLDEST_SECONDS = 50 * 365 * 86400
# Who had more kudos taken away than they had owes some; such a user is one like any other.
Amount = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
# It has no such key; with a message, because a proxy in between says 404 as well.
NOT_KNOWN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}


class AnswerUnintelligible(Exception):
    """The answer is not one that AI Horde gives, or says what cannot be."""


class _RequestRecords(msgspec.Struct):
    image: Annotated[int, Meta(ge=0, le=LARGEST)] | None = None


class _Records(msgspec.Struct):
    request: _RequestRecords | None = None


class _Usage(msgspec.Struct):
    requests: Annotated[int, Meta(ge=0, le=LARGEST)] | None = None


class _UserDetails(msgspec.Struct):
    """The part of AI Horde's UserDetails that is read. ``account_age`` is in seconds."""

    username: Annotated[str, Meta(min_length=2, max_length=120, pattern=r"#[0-9]{1,10}\Z")]
    kudos: Amount
    trusted: bool
    account_age: Annotated[float, Meta(ge=0, le=OLDEST_SECONDS)]
    id: int | None = None
    records: _Records | None = None
    usage: _Usage | None = None

    def images_generated(self) -> int | None:
        """Return the images asked for; where the records lack them, requests of every kind."""
        if self.records and self.records.request and self.records.request.image is not None:
            return self.records.request.image
        return self.usage.requests if self.usage else None


class _Refusal(msgspec.Struct):
    message: str


@dataclass(frozen=True, slots=True)
class HordeUser:
    """A user of AI Horde as it described them at ``confirmed_at``."""

    number: int
    name: str
    is_trusted: bool
    images_generated: int
    kudos: int
    created_at: datetime
    confirmed_at: datetime


def read_user(reply: Reply, *, now: datetime) -> HordeUser | None:
    """Return who it is, or None when AI Horde does not know the key. Raises AnswerUnintelligible."""
    try:
        if reply.status in NOT_KNOWN:
            msgspec.json.decode(reply.body, type=_Refusal)
            return None
        if reply.status != HTTPStatus.OK:
            raise AnswerUnintelligible(f"status {reply.status}")
        return _user_from(msgspec.json.decode(reply.body, type=_UserDetails), now)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerUnintelligible(type(error).__name__) from error


def _user_from(details: _UserDetails, now: datetime) -> HordeUser:
    number, images = int(details.username.rpartition("#")[2]), details.images_generated()
    # Number 0 is AI Horde's own anonymous user, who has no such key.
    if images is None or number == 0 or details.id not in {None, number}:
        raise AnswerUnintelligible("fields are missing or contradict each other")
    return HordeUser(
        number=number,
        name="".join(character for character in details.username if character.isprintable()),
        is_trusted=details.trusted,
        images_generated=images,
        kudos=int(details.kudos),
        created_at=(now - timedelta(seconds=details.account_age)).astimezone(UTC),
        confirmed_at=now.astimezone(UTC),
    )
