"""The only way a rating comes into being, for page, API and tests."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import structlog

from accounts.access import Caller
from accounts.metrics import RATINGS_REFUSED, RATINGS_SUBMITTED
from accounts.queries import find_identity_id
from accounts.valkey import ValkeyUnavailable
from ratings.leases import book
from ratings.leases.token import Lease, LeaseInvalid, verify_lease
from ratings.models import Image, Proof, Rater, Rating, Skip
from ratings.queries.prepared import fetch_prepared
from ratings.queries.raters import find_rater_id
from ratings.rewards import PriceList, promise_for, reward_for
from ratings.services.quarantine import align_ratings
from ratings.services.rater import ensure_rater, refresh_rater
from ratings.services.superseding import supersede_repeats

log = structlog.get_logger(__name__)

MAX_AGENT_LENGTH = 200
MAX_IDEMPOTENCY_KEY_LENGTH = 40
DEFAULT_AGENT = "unknown:0:unknown"
DEFAULT_SCALE_VERSION = 1
AESTHETIC, ARTIFACTS = range(1, 11), range(6)


class RatingRefused(Exception):
    """A rating was not stored; the message says why in plain words."""

    reason = "refused"


class RatingInvalid(RatingRefused):
    """A value is outside its scale."""

    reason = "invalid"


class NotLeased(RatingRefused):
    """The image was not handed out to this rater, or too long ago."""

    reason = "not_leased"


class AlreadyRated(RatingRefused):
    """This rater has rated the image already, or the lease was used."""

    reason = "already_rated"


class ImageUnavailable(RatingRefused):
    """The image was withdrawn, or its dataset closed, after it had been handed out."""

    reason = "image_unavailable"


class IdempotencyKeyReused(RatingRefused):
    """The same idempotency key came with another image."""

    reason = "idempotency_key_reused"


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


@dataclass(frozen=True, slots=True)
class _Proven:
    """How it is known that the image was shown: the lease if any and under which name, and the kind of proof."""

    lease: Lease | None
    proof: Proof
    is_late: bool
    holder: str


# One statement, so one transaction: the rating, the image's counters, the rater's counters. Unique
# constraints decide every race; what was in the way is found out afterwards. A rating starts as `held`
# without proof, as `quarantined` with its rater, else as `counted`; only what counts is counted. The rater
# is updated from what the image's update returned, because the image has to be locked first, as everywhere. That
# update waits for a quarantine or a linking that is under way: if the rater went into quarantine or came out of it
# meanwhile, the last but one column names the rater; the last says whether the person has others by now.
SUBMIT = """
WITH rater AS (
    SELECT r.id, r.is_shared, r.state, r.is_trusted, r.rating_count, r.challenges_failed, r.images_generated,
        r.is_trusted_elsewhere, r.is_linked, i.user_id, coalesce(r.external_kudos, a.balance) AS kudos,
        extract(epoch FROM %(now)s - coalesce(r.external_created_at, u.date_joined, i.created_at))::bigint
            AS account_age, i.user_id IS NOT NULL OR i.kind = 'horde' AS earns
    FROM ratings_rater r JOIN accounts_identity i ON i.id = r.identity_id
        LEFT JOIN accounts_user u ON u.id = i.user_id
        LEFT JOIN kudos_account a ON a.identity_id = i.id
    WHERE r.identity_id = %(identity)s
), image AS (
    SELECT m.id, m.dataset_id, d.target_rating_count AS target
    FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE m.id = %(image)s AND m.status = 'active' AND d.state <> 'closed'
), given AS (
    INSERT INTO ratings_rating (
        dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at, lease_id,
        idempotency_key, reward, proof, is_late, issued_at, client_agent, address_hash, country, scale_version,
        rater_images_generated, rater_kudos, rater_account_age, rater_is_trusted, rater_rating_count,
        rater_challenges_failed, rater_is_trusted_elsewhere
    )
    SELECT image.dataset_id, image.id, rater.id, rater.is_shared, %(aesthetic)s, %(artifacts)s,
        CASE WHEN %(proof)s = 'held' THEN 'held'
             WHEN rater.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END,
        %(now)s, %(lease)s, %(idempotency_key)s, CASE WHEN rater.earns THEN %(reward)s ELSE 0 END,
        %(proof)s, %(is_late)s, %(issued_at)s, %(client_agent)s, %(address_hash)s, '', %(scale_version)s,
        rater.images_generated, rater.kudos, greatest(rater.account_age, 0), rater.is_trusted, rater.rating_count,
        rater.challenges_failed, rater.is_trusted_elsewhere
    FROM rater, image WHERE NOT rater.is_linked OR NOT EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_rating o ON o.rater_id = t.id AND o.image_id = image.id
        WHERE s.user_id = rater.user_id AND t.id <> rater.id AND NOT o.is_shared
    )
    ON CONFLICT DO NOTHING
    RETURNING id, image_id, rater_id, dataset_id, state
), image_counters AS (
    UPDATE ratings_image m SET
        rating_count = m.rating_count + 1,
        aesthetic_sum = m.aesthetic_sum + %(aesthetic)s,
        artifacts_count = m.artifacts_count + (%(artifacts)s::int IS NOT NULL)::int,
        artifacts_sum = m.artifacts_sum + coalesce(%(artifacts)s::int, 0),
        is_open = m.is_open AND m.rating_count + 1 < image.target
    FROM given JOIN image ON image.id = given.image_id
    WHERE m.id = given.image_id AND given.state = 'counted'
    RETURNING m.id
), rater_counters AS (
    UPDATE ratings_rater r SET
        rating_count = r.rating_count + 1,
        counted_count = r.counted_count + (given.state = 'counted')::int
    FROM given LEFT JOIN image_counters ON true WHERE r.id = given.rater_id AND NOT r.is_shared
    RETURNING r.id, r.is_linked, r.state IN ('quarantined', 'voided') AS is_out
)
SELECT g.id, g.state, g.dataset_id,
    CASE WHEN g.state = CASE WHEN r.is_out THEN 'counted' ELSE 'quarantined' END THEN r.id END,
    coalesce(r.is_linked, false)
FROM given g LEFT JOIN rater_counters r ON true
"""

CONFLICT = """
SELECT r.id, r.image_id, r.state, r.idempotency_key = %(idempotency_key)s AS is_same_key
FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
WHERE t.identity_id = %(identity)s AND (
    r.idempotency_key = %(idempotency_key)s OR r.lease_id = %(lease)s
    OR (r.image_id = %(image)s AND NOT r.is_shared)
) ORDER BY is_same_key DESC NULLS LAST LIMIT 1
"""

# The lease was used by somebody behind the same holder (two people at one address, say), or the person rated the
# image under another of their identities.
RATED_OTHERWISE = """
SELECT 1 FROM ratings_rating WHERE lease_id = %(lease)s
UNION ALL
SELECT 1 FROM accounts_identity i JOIN accounts_identity s ON s.user_id = i.user_id
    JOIN ratings_rater t ON t.identity_id = s.id
    JOIN ratings_rating r ON r.rater_id = t.id AND r.image_id = %(image)s AND NOT r.is_shared
WHERE i.id = %(identity)s
LIMIT 1
"""


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
        proven = _prove(caller, submission, now_ms=int(now.timestamp() * 1000))
    except NotLeased:
        # A client without the token that asks again: its first request used the live lease up.
        if repeat := _find_repeat(caller, submission, prices):
            return repeat
        raise
    return _store(caller, submission, proven, prices, now)


def skip_image(*, caller: Caller, image_id: uuid.UUID, lease: str, reason: str = "", now: datetime) -> None:
    """Do not offer an image that was handed out to this rater again. Raises NotLeased."""
    proven = _prove_token(caller, image_id, lease, now_ms=int(now.timestamp() * 1000))
    dataset_id = Image.objects.values_list("dataset_id", flat=True).get(pk=image_id)
    rater = Rater.objects.get(identity_id=ensure_rater(caller, now=now))
    Skip.objects.bulk_create(
        [Skip(rater=rater, image_id=image_id, reason=reason[:16], created_at=now)], ignore_conflicts=True
    )
    _use_up(caller, proven, dataset_id=dataset_id, is_rated=False)


def _check_values(submission: RatingSubmission) -> None:
    if not AESTHETIC.start <= submission.aesthetic < AESTHETIC.stop:
        raise RatingInvalid("The rating must be a whole number from 1 to 10.")
    if submission.artifacts is not None and not ARTIFACTS.start <= submission.artifacts < ARTIFACTS.stop:
        raise RatingInvalid("The artifacts must be a whole number from 0 to 5.")
    if len(submission.idempotency_key or "") > MAX_IDEMPOTENCY_KEY_LENGTH:
        raise RatingInvalid(f"The idempotency key may have {MAX_IDEMPOTENCY_KEY_LENGTH} characters.")


def _prove(caller: Caller, submission: RatingSubmission, *, now_ms: int) -> _Proven:
    if submission.lease:
        return _prove_token(caller, submission.image_id, submission.lease, now_ms=now_ms)
    try:
        for holder in _holders_of(caller):
            if lease_id := book.find_live_lease(holder=holder, image_id=submission.image_id, now_ms=now_ms):
                lease = Lease(lease_id, submission.image_id, DEFAULT_SCALE_VERSION)
                return _Proven(lease, Proof.LOOKUP, is_late=False, holder=holder)
    except ValkeyUnavailable:
        # The client is an old one and cannot prove anything itself: keep the rating, count it later.
        log.warning("rating_held", image_id=str(submission.image_id))
        return _Proven(None, Proof.HELD, is_late=False, holder=caller.holder)
    raise NotLeased("This image is not yours to rate just now: it was not handed out to you, or you rated it.")


def _holders_of(caller: Caller) -> list[str]:
    """Return the names under which the caller may hold leases: also that from before they were linked."""
    return [caller.holder, caller.former_holder] if caller.former_holder else [caller.holder]


def _prove_token(caller: Caller, image_id: uuid.UUID, token: str, *, now_ms: int) -> _Proven:
    problem = ""
    for holder in _holders_of(caller):
        try:
            lease = verify_lease(token, holder=holder, now_ms=now_ms)
        except LeaseInvalid as error:
            problem = problem or str(error)
            continue
        if lease.image_id != image_id:
            raise NotLeased("The lease is for another image.")
        return _Proven(lease, Proof.LEASE, is_late=lease.is_late(now_ms), holder=holder)
    raise NotLeased(problem)


def _store(
    caller: Caller, submission: RatingSubmission, proven: _Proven, prices: PriceList, now: datetime
) -> SubmittedRating:
    identity_id = caller.identity_id or find_identity_id(kind=caller.kind, external_id=caller.external_id)
    if identity_id:
        refresh_rater(identity_id=identity_id, profile=caller.profile)
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
    _use_up(caller, proven, dataset_id=dataset_id, is_rated=True)
    if is_linked and rating_id in supersede_repeats(rating_ids=[rating_id], newest=[rating_id]):
        raise AlreadyRated("You have rated this image already.")
    return SubmittedRating(rating_id, promise, state)


def _statement_params(
    caller: Caller, submission: RatingSubmission, proven: _Proven, prices: PriceList, now: datetime
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


def _use_up(caller: Caller, proven: _Proven, *, dataset_id: uuid.UUID, is_rated: bool) -> None:
    """Take the lease off the book. After the commit: a lease is used by the rating, never before it."""
    if proven.lease is None:
        return
    try:
        book.forget_lease(
            holder=proven.holder,
            crowd=caller.crowd,
            image_id=proven.lease.image_id,
            lease_id=proven.lease.lease_id,
            dataset_id=dataset_id,
            is_rated=is_rated,
        )
    except ValkeyUnavailable:
        return  # Counted; the live lease ends by itself, and the unique lease id refuses a second use.
