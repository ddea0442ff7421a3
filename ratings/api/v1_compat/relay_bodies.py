"""What AI Horde sends to POST /rating/set, in every form that it has had since January 2023."""

import uuid
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from accounts.addresses import hash_address
from ratings.api.bodies import RatingBody, read_body
from ratings.services.rating import DEFAULT_AGENT
from ratings.services.relay import RelayedRating, RelayedUser, SetSubmission

# The nil UUID stood for "none" for half an hour of January 2023, in `best` and in `ratings`.
NOBODY = uuid.UUID(int=0)
# Seconds, as many as the column of a rating's evidence holds; and numbers that are whole in every JSON.
Age = Annotated[float, Meta(ge=0, le=2**31 - 1)]
Number = Annotated[float, Meta(ge=-(2**53), le=2**53)]


class SetRatingBody(RatingBody, kw_only=True):
    """One of ``ratings``."""

    id: uuid.UUID


class SetUserBody(msgspec.Struct):
    """The ``user``. ``kudos_accumulated`` (for a day ``kudos_accumulared``) says nothing that ``kudos`` does not."""

    username: Annotated[str, Meta(max_length=200)]
    trusted: bool | None = None
    account_age: Age | None = None
    kudos: Number | None = None
    usage_requests: Annotated[float, Meta(ge=0, le=2**53)] | None = None
    ipaddr: Annotated[str, Meta(max_length=200)] | None = None

    def to_relayed(self) -> RelayedUser:
        return RelayedUser(
            username=self.username,
            is_trusted=self.trusted,
            account_age=self.account_age,
            kudos=None if self.kudos is None else round(self.kudos),
            images_generated=None if self.usage_requests is None else round(self.usage_requests),
        )


class SetBody(msgspec.Struct):
    """The body. A ``team``, sent for three days, belongs to no rating here; it is ignored like all that is unknown."""

    set: uuid.UUID
    all_set_ids: list[uuid.UUID]
    ratings: list[SetRatingBody] | None = None
    best: uuid.UUID | None = None
    user: SetUserBody | None = None
    client_agent: str | None = None


def read_set(data: bytes, *, now: datetime) -> SetSubmission:
    """Return the submission; of the address only its hash leaves this function. Raises BodyInvalid."""
    body = read_body(data, SetBody)
    address = body.user.ipaddr if body.user else None
    return SetSubmission(
        set_id=body.set,
        image_ids=body.all_set_ids,
        ratings=[
            RelayedRating(rating.id, rating.rating, rating.artifacts_value())
            for rating in body.ratings or ()
            if rating.id != NOBODY
        ],
        best_id=None if body.best == NOBODY else body.best,
        user=body.user.to_relayed() if body.user else None,
        client_agent=body.client_agent or DEFAULT_AGENT,
        address_hash=hash_address(address, now=now) if address else "",
    )
