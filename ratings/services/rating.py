"""The only way a rating comes into being, for page, API and tests."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from accounts.access import Caller
from accounts.metrics import RATINGS_REFUSED, RATINGS_SUBMITTED
from accounts.queries import find_identity_id
from ratings.models import Rating
from ratings.queries.prepared import fetch_prepared
from ratings.queries.raters import find_rater_id
from ratings.rewards import PriceList, promise_for, reward_for
from ratings.services.proving import DEFAULT_SCALE_VERSION, Proven, prove, use_up
from ratings.services.quarantine import align_ratings
from ratings.services.rater import ensure_rater, refresh_rater_once
from ratings.services.rating_rows import CONFLICT, RATED_OTHERWISE, SUBMIT
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotLeased,
    RatingInvalid,
    RatingRefused,
)
from ratings.services.superseding import supersede_repeats

MAX_AGENT_LENGTH = 200
MAX_IDEMPOTENCY_KEY_LENGTH = 40
DEFAULT_AGENT = "unknown:0:unknown"
AESTHETIC, ARTIFACTS = range(1, 11), range(6)


@dataclass(frozen=True, slots=True)
class RatingSubmission:
    """What a client sends. ``lease`` is the token that came with the image; old clients have none."""

    image_id: uuid.UUID
    aesthetic: int
    artifacts: int | None = None
    lease: str | None = None
    idempotency_key: str | None = None
    client_agent: str = DEFAULT_AGENT


@dataclass(frozen=True, slots=True)
class SubmittedRating:
    """What became of it. ``reward`` is the kudos promised; ``is_repeat`` that it had been stored before."""

    rating_id: int
    reward: int
    state: str
    is_repeat: bool = False


def submit_rating(*, caller: Caller, submission: RatingSubmission, prices: PriceList, now: datetime) -> SubmittedRating:
    """Store one rating.

    Raises RatingInvalid, NotLeased, AlreadyRated, ImageUnavailable or IdempotencyKeyReused, all of them
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
    if not AESTHETIC.start <= submission.aesthetic < AESTHETIC.stop:
        raise RatingInvalid("The rating must be a whole number from 1 to 10.")
    if submission.artifacts is not None and not ARTIFACTS.start <= submission.artifacts < ARTIFACTS.stop:
        raise RatingInvalid("The artifacts must be a whole number from 0 to 5.")
    if len(submission.idempotency_key or "") > MAX_IDEMPOTENCY_KEY_LENGTH:
        raise RatingInvalid(f"The idempotency key may have {MAX_IDEMPOTENCY_KEY_LENGTH} characters.")


def _store(
    caller: Caller, submission: RatingSubmission, proven: Proven, prices: PriceList, now: datetime
) -> SubmittedRating:
    identity_id = caller.identity_id or find_identity_id(kind=caller.kind, external_id=caller.external_id)
    if identity_id:
        refresh_rater_once(identity_id=identity_id, profile=caller.profile)
    params = _statement_params(caller, submission, proven, prices, now) | {"identity": identity_id}
    rows = fetch_prepared(SUBMIT, params)
    if not rows and find_rater_id(identity_id) is None:
        params |= {"identity": ensure_rater(caller, now=now)}
        rows = fetch_prepared(SUBMIT, params)
    promise = _promise_of(submission, prices)
    if not rows:
        return _explain(params, promise)
    rating_id, state, dataset_id, rater_out_of_line, is_linked = rows[0]
    if rater_out_of_line is not None:
        align_ratings(rater_id=rater_out_of_line)
        state = Rating.objects.values_list("state", flat=True).get(pk=rating_id)
    use_up(caller, proven, dataset_id=dataset_id, is_rated=True)
    if is_linked and rating_id in supersede_repeats(rating_ids=[rating_id], newest=[rating_id]):
        raise AlreadyRated("You have rated this image already.")
    return SubmittedRating(rating_id, promise, state)


def _statement_params(
    caller: Caller, submission: RatingSubmission, proven: Proven, prices: PriceList, now: datetime
) -> dict[str, object]:
    return {
        "now": now,
        "image": submission.image_id,
        "aesthetic": submission.aesthetic,
        "artifacts": submission.artifacts,
        "idempotency_key": _idempotency_key_of(caller, submission),
        "reward": reward_for(prices=prices, has_artifacts=submission.artifacts is not None),
        "proof": proven.proof.value,
        "is_late": proven.is_late,
        "lease": proven.lease.lease_id if proven.lease else None,
        "issued_at": proven.lease.issued_at if proven.lease else None,
        "scale_version": proven.lease.scale_version if proven.lease else DEFAULT_SCALE_VERSION,
        "client_agent": clean_agent(submission.client_agent),
        "address_hash": caller.address_hash,
    }


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
    params: dict[str, object] = {
        "identity": identity_id,
        "idempotency_key": key,
        "lease": None,
        "image": submission.image_id,
    }
    rows = fetch_prepared(CONFLICT, params)
    if not rows or not rows[0][3]:
        return None
    return _explain(params, _promise_of(submission, prices))


def _promise_of(submission: RatingSubmission, prices: PriceList) -> int:
    return promise_for(reward_for(prices=prices, has_artifacts=submission.artifacts is not None))


def clean_agent(agent: str) -> str:
    """Return the agent as PostgreSQL can store it: no NUL, no control characters, at most 200 characters."""
    printable = "".join(character for character in agent if character.isprintable())
    return printable[:MAX_AGENT_LENGTH] or DEFAULT_AGENT


def _explain(params: dict[str, object], promise: int) -> SubmittedRating:
    """Return the earlier answer for a repeated idempotency key, else raise why nothing was stored."""
    wanted = {name: params[name] for name in ("identity", "idempotency_key", "lease", "image")}
    rows = fetch_prepared(CONFLICT, wanted)
    if not rows:
        if fetch_prepared(RATED_OTHERWISE, {name: params[name] for name in ("identity", "lease", "image")}):
            raise AlreadyRated("This image is already rated.")
        raise ImageUnavailable("This image is no longer there to be rated. Go on with the next one.")
    rating_id, image_id, state, is_same_key = rows[0]
    if not is_same_key:
        raise AlreadyRated("You have rated this image already.")
    if image_id != params["image"]:
        raise IdempotencyKeyReused("This idempotency key was used for another image.")
    return SubmittedRating(rating_id, promise, state, is_repeat=True)
