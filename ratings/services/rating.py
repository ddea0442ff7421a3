"""The only way a rating comes into being, for page, API and tests."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

import orjson
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.metrics import RATINGS_REFUSED, RATINGS_SUBMITTED
from accounts.queries import find_identity_id
from ratings.leases.token import LeaseKind, kind_of_lease
from ratings.models import ControlAnswer, Proof, Rating
from ratings.queries.prepared import fetch_prepared
from ratings.queries.raters import find_rater_id
from ratings.rewards import PriceList, promise_for, reward_for
from ratings.services.control_rows import ANSWER_CONTROL
from ratings.services.proving import DEFAULT_SCALE_VERSION, Proven, prove, use_up
from ratings.services.quarantine import align_ratings
from ratings.services.rater import ensure_rater, refresh_rater_once
from ratings.services.rating_rows import CONFLICT, IS_RATEABLE, RATED_OTHERWISE, SUBMIT
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotLeased,
    RatingInvalid,
    RatingRefused,
    WrongBytes,
)
from ratings.services.superseding import supersede_repeats

MAX_AGENT_LENGTH = 200
MAX_IDEMPOTENCY_KEY_LENGTH = 40
DEFAULT_AGENT = "unknown:0:unknown"
AESTHETIC, ARTIFACTS = range(1, 11), range(6)
REVISABLE = timedelta(hours=24)
# The first eight digits do; who has all of them may send all.
KEPT_AS: dict[LeaseKind, tuple[str, type[Rating] | type[ControlAnswer]]] = {
    LeaseKind.RATING: (SUBMIT, Rating),
    LeaseKind.GOLD: (ANSWER_CONTROL, ControlAnswer),
    LeaseKind.REPEAT: (ANSWER_CONTROL, ControlAnswer),
}
SHA256 = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Measurements:
    """How an answer came about, as far as the page measured it; nothing is required.

    ``session_id`` is random, one for each visit; ``session_position`` counts from 1. Times are in ms: from the request
    for the picture until it could be seen, and from then to the first input and to the answer. ``displayed_width`` is
    in CSS pixels, ``pixel_ratio`` in hundredths. ``language`` is that in which the questions were asked.
    """

    session_id: uuid.UUID | None = None
    session_position: int | None = None
    is_before_training: bool | None = None
    decode_ms: int | None = None
    first_input_ms: int | None = None
    answer_ms: int | None = None
    input_kind: str = ""
    displayed_width: int | None = None
    pixel_ratio: int | None = None
    is_dark: bool | None = None
    is_zoomed: bool | None = None
    language: str = ""

    def as_json(self) -> str | None:
        """Return them as the statement reads them; None when nothing was measured."""
        return None if self == NOTHING_MEASURED else orjson.dumps(self).decode()


NOTHING_MEASURED = Measurements()


@dataclass(frozen=True, slots=True)
class RatingSubmission:
    """What a client sends. ``lease`` is the token that came with the image; old clients have none.

    No ``aesthetic`` is "cannot judge"; no ``artifacts`` is "not answered", or "cannot judge" with
    ``is_artifacts_unsure``. One of the two is answered. ``sha256`` begins the hash of the bytes that were shown.
    """

    image_id: uuid.UUID
    aesthetic: int | None
    artifacts: int | None = None
    is_artifacts_unsure: bool = False
    lease: str | None = None
    sha256: str | None = None
    idempotency_key: str | None = None
    client_agent: str = DEFAULT_AGENT
    measurements: Measurements = NOTHING_MEASURED


@dataclass(frozen=True, slots=True)
class SubmittedRating:
    """What became of it. ``reward`` is the kudos promised; ``is_repeat`` that it had been stored before.

    The answers are those that are stored. ``looked_at`` is when the rater saw what others said, if they have.
    """

    rating_id: int
    reward: int
    state: str
    aesthetic: int | None
    artifacts: int | None
    created_at: datetime
    looked_at: datetime | None = None
    is_repeat: bool = False

    @property
    def revisable_until(self) -> datetime:
        return self.looked_at or self.created_at + REVISABLE


def submit_rating(*, caller: Caller, submission: RatingSubmission, prices: PriceList, now: datetime) -> SubmittedRating:
    """Store one rating.

    Raises RatingInvalid, NotLeased, AlreadyRated, ImageUnavailable, WrongBytes or IdempotencyKeyReused, all of them
    RatingRefused. The same idempotency key gets the same answer, however often it comes.
    """
    try:
        _check_values(submission)
        submitted = _prove_and_store(caller, submission, prices, now)
    except RatingRefused as refusal:
        RATINGS_REFUSED.labels(refusal.reason).inc()
        raise
    if not submitted.is_repeat:
        RATINGS_SUBMITTED.labels(submitted.state).inc()
    return submitted


def _prove_and_store(caller: Caller, submission: RatingSubmission, prices: PriceList, now: datetime) -> SubmittedRating:
    try:
        proven = prove(caller, submission.image_id, submission.lease, now_ms=int(now.timestamp() * 1000))
    except NotLeased:
        # A client without the token that asks again: its first request used the live lease up.
        if repeat := _find_repeat(caller, submission, prices):
            return repeat
        raise
    return _store(caller, submission, proven, prices, now)


def _check_values(submission: RatingSubmission) -> None:
    check_answers(submission.aesthetic, submission.artifacts, is_artifacts_unsure=submission.is_artifacts_unsure)
    check_idempotency_key(submission.idempotency_key)
    if submission.sha256 is not None and not SHA256.fullmatch(submission.sha256):
        raise RatingInvalid(_("The sha256 is the first eight hexadecimal digits of the hash, or up to all 64."))


def check_answers(aesthetic: int | None, artifacts: int | None, *, is_artifacts_unsure: bool) -> None:
    """Raise RatingInvalid unless at least one question is answered, and each within its scale."""
    if aesthetic is not None and not AESTHETIC.start <= aesthetic < AESTHETIC.stop:
        raise RatingInvalid(_("The rating must be a whole number from 1 to 10."))
    if artifacts is not None and not ARTIFACTS.start <= artifacts < ARTIFACTS.stop:
        raise RatingInvalid(_("The artifacts must be a whole number from 0 to 5."))
    if artifacts is not None and is_artifacts_unsure:
        raise RatingInvalid(_("The artifacts are either a number or cannot be judged, not both."))
    if aesthetic is None and artifacts is None:
        raise RatingInvalid(_("Answer at least one of the two questions, or skip the image."))


def check_idempotency_key(key: str | None) -> None:
    """Raise RatingInvalid for a key that is too long to store, or that is no text to PostgreSQL."""
    if len(key or "") > MAX_IDEMPOTENCY_KEY_LENGTH:
        raise RatingInvalid(
            _("The idempotency key may have %(most)d characters.") % {"most": MAX_IDEMPOTENCY_KEY_LENGTH}
        )
    if "\0" in (key or ""):
        raise RatingInvalid(_("The idempotency key is text, and a NUL is not."))


def _store(
    caller: Caller, submission: RatingSubmission, proven: Proven, prices: PriceList, now: datetime
) -> SubmittedRating:
    identity_id = caller.identity_id or find_identity_id(kind=caller.kind, external_id=caller.external_id)
    if identity_id:
        refresh_rater_once(identity_id=identity_id, profile=caller.profile)
    params = _statement_params(caller, submission, proven, prices, now) | {"identity": identity_id}
    statement, kept_as = KEPT_AS[_kind_of(proven)]
    rows = fetch_prepared(statement, params)
    if not rows and find_rater_id(identity_id) is None:
        params |= {"identity": ensure_rater(caller, now=now)}
        rows = fetch_prepared(statement, params)
    if not rows:
        return _explain(params)
    rating_id, state, dataset_id, rater_out_of_line, is_linked = rows[0]
    if rater_out_of_line is not None:
        align_ratings(rater_id=rater_out_of_line)
        state = kept_as.objects.values_list("state", flat=True).get(pk=rating_id)
    use_up(caller, proven, dataset_id=dataset_id, is_rated=True)
    if is_linked and rating_id in supersede_repeats(rating_ids=[rating_id], newest=[rating_id]):
        raise AlreadyRated(_("You have rated this image already."))
    promise = promise_for(_reward_of(submission, prices))
    return SubmittedRating(rating_id, promise, state, submission.aesthetic, submission.artifacts, now)


def _statement_params(
    caller: Caller, submission: RatingSubmission, proven: Proven, prices: PriceList, now: datetime
) -> dict[str, Any]:
    return {
        "now": now,
        "today": timezone.localdate(now),
        "image": submission.image_id,
        "aesthetic": submission.aesthetic,
        "artifacts": submission.artifacts,
        "idempotency_key": _idempotency_key_of(caller, submission),
        "is_artifacts_unsure": submission.is_artifacts_unsure,
        "reward": _reward_of(submission, prices),
        # What is not stored for its bytes needs no proof, so what is stored has shown the right ones.
        "proof": (Proof.HASH if submission.sha256 and proven.lease else proven.proof).value,
        "sha256": submission.sha256,
        "is_late": proven.is_late,
        "lease": proven.lease.lease_id if proven.lease else None,
        "issued_at": proven.lease.issued_at if proven.lease else None,
        "scale_version": proven.lease.scale_version if proven.lease else DEFAULT_SCALE_VERSION,
        "client_agent": clean_agent(submission.client_agent),
        "address_hash": caller.address_hash,
        "measurements": submission.measurements.as_json(),
        "kind": _kind_of(proven).name.lower(),
    }


def _kind_of(proven: Proven) -> LeaseKind:
    """Return what the answer is kept as: a rating, or that to a control."""
    return kind_of_lease(proven.lease.lease_id if proven.lease else None)


def _idempotency_key_of(caller: Caller, submission: RatingSubmission) -> str | None:
    """Return the key as it is stored: many people share the anonymous rater, and their keys must not meet."""
    key = submission.idempotency_key or None
    return f"{caller.address_hash}:{key}" if key and caller.is_shared else key


def _find_repeat(caller: Caller, submission: RatingSubmission, prices: PriceList) -> SubmittedRating | None:
    """Return the answer that the same idempotency key got before."""
    key = _idempotency_key_of(caller, submission)
    if key is None:
        return None
    identity_id = caller.identity_id or find_identity_id(kind=caller.kind, external_id=caller.external_id)
    params: dict[str, Any] = {
        "identity": identity_id,
        "idempotency_key": key,
        "lease": None,
        "image": submission.image_id,
        "kind": LeaseKind.RATING.name.lower(),
        "reward": _reward_of(submission, prices),
    }
    rows = fetch_prepared(CONFLICT, {name: value for name, value in params.items() if name != "reward"})
    return _explain(params) if rows and rows[0][1] else None


def _reward_of(submission: RatingSubmission, prices: PriceList) -> int:
    return reward_for(prices=prices, has_artifacts=submission.artifacts is not None)


def clean_agent(agent: str) -> str:
    """Return the agent as PostgreSQL can store it: no NUL, no control characters, at most 200 characters."""
    printable = "".join(character for character in agent if character.isprintable())
    return printable[:MAX_AGENT_LENGTH] or DEFAULT_AGENT


def _explain(params: dict[str, Any]) -> SubmittedRating:
    """Return the earlier answer for a repeated idempotency key, else raise why nothing was stored."""
    wanted = {name: params[name] for name in ("identity", "idempotency_key", "lease", "image", "kind")}
    rows = fetch_prepared(CONFLICT, wanted)
    if not rows:
        _refuse(params)
    image_id, is_same_key, rating_id, reward, *stored = rows[0]
    if not is_same_key:
        raise AlreadyRated(_("You have rated this image already."))
    if image_id != params["image"]:
        raise IdempotencyKeyReused(_("This idempotency key was used for another image."))
    state, aesthetic, artifacts, created_at, looked_at = stored
    promise = promise_for(reward or params["reward"])
    return SubmittedRating(rating_id, promise, state, aesthetic, artifacts, created_at, looked_at, is_repeat=True)


def _refuse(params: dict[str, Any]) -> NoReturn:
    if fetch_prepared(RATED_OTHERWISE, {name: params[name] for name in ("identity", "lease", "image", "kind")}):
        raise AlreadyRated(_("This image is already rated."))
    if params["sha256"] and fetch_prepared(IS_RATEABLE, {"image": params["image"]}):
        raise WrongBytes(_("The picture that was shown is not this image. Nothing was saved; look at it again."))
    raise ImageUnavailable(_("This image is no longer there to be rated. Go on with the next one."))
