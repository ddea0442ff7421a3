"""What a relay submits for its own users: ratings of the images of one request, and which of them is best.

Nothing of it was leased here, so it is kept with the proof `relay`: it counts in plain means and earns nothing.
docs/decisions/0011 tells why.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from accounts.metrics import RATINGS_REFUSED, RATINGS_SUBMITTED
from accounts.models import Identity, IdentityKind
from accounts.services import ensure_identity
from kudos.services import ensure_user_accounts
from ratings.models import BestFrom, Dataset, Rater, RatingState, key_of_images
from ratings.services import relay_rows
from ratings.services.dataset import DatasetExists, create_dataset
from ratings.services.proving import DEFAULT_SCALE_VERSION
from ratings.services.quarantine import align_ratings
from ratings.services.rating import DEFAULT_AGENT, clean_agent
from ratings.services.renditions import sampling_key_of
from ratings.services.superseding import supersede_repeats

log = structlog.get_logger(__name__)

RELAY_DATASET = "stable-horde"
ANONYMOUS_NUMBER = "0"
UNNAMED = "unnamed"
MAX_NUMBER_LENGTH = 18
MAX_NAME_LENGTH: int = Identity._meta.get_field("name").max_length or 0  # noqa: SLF001 - Django documents it
# From this rating on, AI Horde takes the only image that was rated for the best of its set.
GOOD_ENOUGH = 7


class SetInvalid(Exception):
    """The set contradicts itself; ``errors`` says what is wrong with which field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Input payload validation failed")
        self.errors = errors


class SetAlreadyRated(Exception):
    """The set has been submitted before, by whomever."""


class SetUnavailable(Exception):
    """An image of the set was hidden or withdrawn, or its dataset is closed."""


@dataclass(frozen=True, slots=True)
class RelayedRating:
    """What the relay's user said of one image of the set."""

    image_id: uuid.UUID
    aesthetic: int
    artifacts: int | None


@dataclass(frozen=True, slots=True)
class RelayedUser:
    """Who said it, as the relay knows them: ``username`` is ``name#number``; what it did not send is None.

    ``account_age`` in seconds.
    """

    username: str
    is_trusted: bool | None = None
    account_age: float | None = None
    kudos: int | None = None
    images_generated: int | None = None


@dataclass(frozen=True, slots=True)
class SetSubmission:
    """One set as it came, ``image_ids`` in the sender's order. ``user`` is None when the relay names nobody."""

    set_id: uuid.UUID
    image_ids: Sequence[uuid.UUID]
    ratings: Sequence[RelayedRating] = ()
    best_id: uuid.UUID | None = None
    user: RelayedUser | None = None
    client_agent: str = DEFAULT_AGENT
    address_hash: str = ""


@dataclass(frozen=True, slots=True)
class SubmittedSet:
    """What became of it. ``known_count`` ratings were left out: the same person had rated those images before."""

    rating_count: int
    known_count: int

    @property
    def message(self) -> str:
        """Return what to tell the relay."""
        if self.known_count:
            return f"Set submitted; ratings of images that you had rated before were left out: {self.known_count}"
        return "Set submitted"


@dataclass(frozen=True, slots=True)
class _Author:
    """Whose rater it is to be. Behind the anonymous account, and behind no name at all, there are many people."""

    kind: IdentityKind
    external_id: str
    name: str
    is_shared: bool


def submit_set(*, submission: SetSubmission, max_images: int, now: datetime) -> SubmittedSet:
    """Store one set of a relay, whole or not at all.

    1. Refuse what contradicts itself.
    2. Find rater and dataset; make what is missing.
    3. Claim the set: whoever comes second, with whatever, is refused.
    4. Add the images that are not known, without pixels, which nobody is handed out.
    5. Store ratings and comparison. A rating of an image that the same person has rated otherwise is left out:
       the earlier one stays, and the rest of the set is as good as without it. Of a linked person that goes for
       their other identities too, and is looked at once more after the commit.

    Raises SetInvalid, SetAlreadyRated or SetUnavailable.
    """
    _check_set(submission, max_images)
    author = _author_of(submission.user)
    with transaction.atomic():
        rater_id, dataset_id = _find_or_make(author)
        params = _statement_params(submission, author, now) | {"rater": rater_id, "dataset": dataset_id}
        _claim(params)
        _add_images(params, submission)
        stored = _store(params, submission)
    if stored.is_quarantined_now != stored.is_quarantined:
        align_ratings(rater_id=rater_id)
    rating_count = len(stored.rating_ids) - _supersede(stored)
    known_count = len(submission.ratings) - rating_count
    _count(stored, rating_count, known_count)
    if known_count:
        log.info("relayed_ratings_known", set=str(submission.set_id), known_count=known_count)
    return SubmittedSet(rating_count, known_count)


def best_from(submission: SetSubmission) -> tuple[BestFrom, bool]:
    """Return where the best of the set is known from, and whether it was derived from a tie.

    AI Horde puts the only rated image of several, rated 7 or more, into ``best``, and of several rated images the
    one rated highest, whatever its user chose. It means to leave out ties and does not: the first of the highest wins.
    """
    ratings = submission.ratings
    if len(ratings) == 1 and len(submission.image_ids) > 1:
        [rating] = ratings
        is_derived = rating.aesthetic >= GOOD_ENOUGH and rating.image_id == submission.best_id
        return (BestFrom.ONLY if is_derived else BestFrom.GIVEN), False
    if len(ratings) > 1:
        highest = max(rating.aesthetic for rating in ratings)
        winners = [rating.image_id for rating in ratings if rating.aesthetic == highest]
        if winners[0] == submission.best_id:
            return BestFrom.HIGHEST, len(winners) > 1
    return BestFrom.GIVEN, False


def _check_set(submission: SetSubmission, max_images: int) -> None:
    errors = {}
    images = set(submission.image_ids)
    rated = Counter(rating.image_id for rating in submission.ratings)
    if not 1 <= len(submission.image_ids) <= max_images:
        errors["all_set_ids"] = f"must name 1 to {max_images} images"
    elif len(images) < len(submission.image_ids) or uuid.UUID(int=0) in images:
        errors["all_set_ids"] = "must name each image once, and real ones only"
    if not rated.keys() <= images:
        errors["ratings"] = "must be of images in all_set_ids"
    elif rated and max(rated.values()) > 1:
        errors["ratings"] = "must rate each image once at most"
    if submission.best_id is not None and submission.best_id not in images:
        errors["best"] = "must be an image in all_set_ids"
    if not rated and submission.best_id is None:
        errors["body"] = "must have ratings, or best, or both"
    if errors:
        RATINGS_REFUSED.labels("invalid").inc()
        raise SetInvalid(errors)


def _author_of(user: RelayedUser | None) -> _Author:
    if user is None:
        return _Author(IdentityKind.RELAY, UNNAMED, "", is_shared=True)
    name, _, number = user.username.rpartition("#")
    if not (number.isascii() and number.isdecimal()) or len(number) > MAX_NUMBER_LENGTH:
        raise SetInvalid({"user.username": "must be name#number"})
    number = str(int(number))
    printable = "".join(character for character in name if character.isprintable())
    shown = f"{printable[: MAX_NAME_LENGTH - len(number) - 1]}#{number}"
    return _Author(IdentityKind.HORDE, number, shown, is_shared=number == ANONYMOUS_NUMBER)


def _find_or_make(author: _Author) -> tuple[int, uuid.UUID]:
    rater_id, dataset_id = relay_rows.find_rater_and_dataset(
        kind=author.kind, external_id=author.external_id, slug=RELAY_DATASET
    )
    return rater_id or _make_rater(author), dataset_id or _make_dataset()


def _make_rater(author: _Author) -> int:
    identity_id = ensure_identity(kind=author.kind, external_id=author.external_id, name=author.name)
    rater, _ = Rater.objects.get_or_create(identity_id=identity_id, defaults={"is_shared": author.is_shared})
    if not author.is_shared:
        ensure_user_accounts([identity_id])
    return rater.pk


def _make_dataset() -> uuid.UUID:
    """Make the dataset of relayed images. Their licence is nowhere stated: NOASSERTION is SPDX for that."""
    try:
        dataset = create_dataset(
            slug=RELAY_DATASET,
            name="Stable Horde",
            licence="NOASSERTION",
            description="Images that users of AI Horde generated, shared and rated there.",
        )
    except DatasetExists:  # Another request was faster.
        dataset = Dataset.objects.get(slug=RELAY_DATASET)
    return dataset.pk


def _statement_params(submission: SetSubmission, author: _Author, now: datetime) -> dict[str, Any]:
    source, is_tied = best_from(submission)
    return {
        "set": submission.set_id,
        "now": now,
        "name": author.name,
        "images": list(submission.image_ids),
        "images_key": key_of_images(submission.image_ids),
        "image_count": len(submission.image_ids),
        "rated": [rating.image_id for rating in submission.ratings],
        "aesthetic": [rating.aesthetic for rating in submission.ratings],
        "artifacts": [rating.artifacts for rating in submission.ratings],
        "best": submission.best_id,
        "best_from": source.value,
        "is_tied": is_tied,
        "client_agent": clean_agent(submission.client_agent),
        "address_hash": submission.address_hash,
        "scale_version": DEFAULT_SCALE_VERSION,
    } | _evidence_of(submission.user if not author.is_shared else None, now)


def _evidence_of(user: RelayedUser | None, now: datetime) -> dict[str, Any]:
    """Return what is known of the rater. What an account has that many people use says nothing of any of them."""
    if user is None:
        return dict.fromkeys(("kudos", "is_trusted", "images_generated", "account_made_at"))
    age = user.account_age
    return {
        "kudos": user.kudos,
        "is_trusted": user.is_trusted,
        "images_generated": user.images_generated,
        "account_made_at": None if age is None else now - timedelta(seconds=age),
    }


def _claim(params: Mapping[str, Any]) -> None:
    if not relay_rows.claim_set(params):
        RATINGS_REFUSED.labels("already_rated").inc()
        raise SetAlreadyRated("This generation appears already rated")


def _add_images(params: Mapping[str, Any], submission: SetSubmission) -> None:
    keys = [sampling_key_of(image_id) for image_id in submission.image_ids]
    relay_rows.add_pending_images({**params, "sampling_keys": keys})


def _store(params: Mapping[str, Any], submission: SetSubmission) -> relay_rows.StoredRows:
    stored = relay_rows.store_set(params)
    if stored.image_count < len(submission.image_ids):
        # The foreign key of the comparison waits for the commit, which this prevents.
        RATINGS_REFUSED.labels("image_unavailable").inc()
        raise SetUnavailable("An image of this set is no longer there to be rated.")
    return stored


def _supersede(stored: relay_rows.StoredRows) -> int:
    """Let what the person had rated as somebody else meanwhile stand; return how many of the set's ratings yield."""
    if not (stored.is_linked and stored.rating_ids):
        return 0
    superseded = supersede_repeats(rating_ids=stored.rating_ids, newest=stored.rating_ids)
    return len(superseded.intersection(stored.rating_ids))


def _count(stored: relay_rows.StoredRows, rating_count: int, known_count: int) -> None:
    state = RatingState.QUARANTINED if stored.is_quarantined_now else RatingState.COUNTED
    RATINGS_SUBMITTED.labels(state.value).inc(rating_count)
    RATINGS_REFUSED.labels("already_rated").inc(known_count)
