"""The only way a comparison of what was handed out here comes into being, for page, API and tests."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.metrics import COMPARISONS_REFUSED, COMPARISONS_SUBMITTED
from accounts.queries import find_identity_id
from accounts.valkey import ValkeyUnavailable
from ratings.leases.set_token import SetLease, verify_set_lease
from ratings.leases.token import LeaseInvalid
from ratings.models import Comparison, Image, Outcome, Proof
from ratings.queries.prepared import fetch_prepared
from ratings.queries.raters import find_rater_id
from ratings.rewards import PriceList, promise_for, reward_for_comparison
from ratings.services.comparison_rows import COMPARED_OTHERWISE, CONFLICT, MEANWHILE, PROVEN_BYTES, SUBMIT
from ratings.services.comparison_states import supersede_repeated_comparisons
from ratings.services.quarantine import align_ratings
from ratings.services.rater import ensure_rater, refresh_rater
from ratings.services.rating import (
    DEFAULT_AGENT,
    MAX_IDEMPOTENCY_KEY_LENGTH,
    NOTHING_MEASURED,
    Measurements,
    clean_agent,
)
from ratings.services.refusals import (
    AlreadyRated,
    IdempotencyKeyReused,
    ImageUnavailable,
    NotLeased,
    RatingInvalid,
    RatingRefused,
    WrongBytes,
)
from ratings.set_selection import forget_set

REVISABLE = timedelta(hours=24)
DIGITS = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class ComparisonSubmission:
    """What a client sends. ``lease`` is the token that came with the set; ``best_id`` goes with the outcome `best`.

    ``hashes`` are the first eight or more hexadecimal digits of the SHA-256 of the bytes shown, one for each image in
    the order of the lease, or nothing where they are not known.
    """

    set_id: uuid.UUID
    lease: str
    outcome: str = Outcome.BEST
    best_id: uuid.UUID | None = None
    hashes: Sequence[str] = ()
    idempotency_key: str | None = None
    client_agent: str = DEFAULT_AGENT
    measurements: Measurements = NOTHING_MEASURED


@dataclass(frozen=True, slots=True)
class SubmittedComparison:
    """What became of it: the answer as it stands, and ``reward``, the kudos promised.

    ``is_repeat`` says that it had been stored before.
    """

    comparison_id: int
    reward: int
    state: str
    outcome: str
    best_id: uuid.UUID | None
    created_at: datetime
    is_repeat: bool = False

    @property
    def revisable_until(self) -> datetime:
        return self.created_at + REVISABLE


@dataclass(frozen=True, slots=True)
class ProvenSet:
    """The lease of a set, and under which of the caller's names it was given."""

    lease: SetLease
    holder: str
    is_late: bool


def submit_comparison(
    *, caller: Caller, submission: ComparisonSubmission, prices: PriceList, now: datetime
) -> SubmittedComparison:
    """Store one comparison, and the set if it was drawn for this caller.

    Raises RatingInvalid, NotLeased, AlreadyRated, ImageUnavailable, WrongBytes or IdempotencyKeyReused, all of them
    RatingRefused. The same idempotency key gets the same answer, however often it comes.
    """
    try:
        check_outcome(submission.outcome, submission.best_id)
        _check_texts(submission)
        submitted = _prove_and_store(caller, submission, prices, now)
    except RatingRefused as refusal:
        COMPARISONS_REFUSED.labels(refusal.reason).inc()
        raise
    if not submitted.is_repeat:
        COMPARISONS_SUBMITTED.labels(submitted.state).inc()
    return submitted


def prove_set(*, caller: Caller, set_id: uuid.UUID | None, token: str, now: datetime) -> ProvenSet:
    """Return what the token of a set says, under whichever of the caller's names. Raises NotLeased."""
    problem = ""
    now_ms = int(now.timestamp() * 1000)
    for holder in [caller.holder, caller.former_holder] if caller.former_holder else [caller.holder]:
        try:
            lease = verify_set_lease(token, holder=holder, now_ms=now_ms)
        except LeaseInvalid as error:
            problem = problem or str(error)
            continue
        if set_id is not None and lease.set_id != set_id:
            raise NotLeased(_("The lease is for another set."))
        return ProvenSet(lease, holder, lease.is_late(now_ms))
    raise NotLeased(problem)


def use_up_set(*, caller: Caller, proven: ProvenSet, is_answered: bool, dataset_id: uuid.UUID | None = None) -> None:
    """Take the lease off the book. After the commit: a lease is used by the comparison, never before it."""
    if dataset_id is None:
        dataset_id = Image.objects.filter(pk=proven.lease.image_ids[0]).values_list("dataset_id", flat=True).first()
    if dataset_id is None:
        return  # The images were deleted since; the live lease ends by itself.
    try:
        forget_set(
            caller=caller,
            holder=proven.holder,
            lease=proven.lease,
            dataset_id=dataset_id,
            is_answered=is_answered,
        )
    except ValkeyUnavailable:
        return  # Counted; the live lease ends by itself, and the unique lease id refuses a second use.


def check_outcome(outcome: str, best_id: uuid.UUID | None) -> None:
    """Raise RatingInvalid unless this is an outcome, with a best image if and only if it needs one."""
    if outcome not in Outcome.values:
        raise RatingInvalid(_("The outcome is one of %(outcomes)s.") % {"outcomes": ", ".join(Outcome.values)})
    if (outcome == Outcome.BEST) != (best_id is not None):
        raise RatingInvalid(_("Choose which image is the best, or say that there is none; not both."))


def check_idempotency_key(key: str | None) -> None:
    """Raise RatingInvalid for a key that is no text or too long."""
    if len(key or "") > MAX_IDEMPOTENCY_KEY_LENGTH or "\0" in (key or ""):
        raise RatingInvalid(
            _("The idempotency key is text of up to %(most)d characters.") % {"most": MAX_IDEMPOTENCY_KEY_LENGTH}
        )


def _check_texts(submission: ComparisonSubmission) -> None:
    check_idempotency_key(submission.idempotency_key)
    if not all(DIGITS.fullmatch(digits) for digits in submission.hashes):
        raise RatingInvalid(_("A hash is the first 8 to 64 hexadecimal digits of the SHA-256 of the bytes shown."))


def _prove_and_store(
    caller: Caller, submission: ComparisonSubmission, prices: PriceList, now: datetime
) -> SubmittedComparison:
    try:
        proven = prove_set(caller=caller, set_id=submission.set_id, token=submission.lease, now=now)
    except NotLeased:
        # The same request once more, later than a lease is accepted.
        if repeat := _find_repeat(caller, submission, prices):
            return repeat
        raise
    if submission.best_id is not None and submission.best_id not in proven.lease.image_ids:
        raise RatingInvalid(_("The best image must be one of the set."))
    proof = _proof_of(proven.lease, submission.hashes)
    return _store(caller, submission, proven, proof, prices, now)


def _proof_of(lease: SetLease, hashes: Sequence[str]) -> Proof:
    if not hashes:
        return Proof.LEASE
    if len(hashes) != len(lease.image_ids):
        raise RatingInvalid(_("Send one hash for each image of the set, in their order, or none."))
    params: dict[str, object] = {"images": list(lease.image_ids), "digits": list(hashes)}
    [(proven_count,)] = fetch_prepared(PROVEN_BYTES, params)
    if proven_count != len(lease.image_ids):
        raise WrongBytes(_("What was shown to you was not these images. Nothing was stored; go on with the next ones."))
    return Proof.HASH


def _store(
    caller: Caller,
    submission: ComparisonSubmission,
    proven: ProvenSet,
    proof: Proof,
    prices: PriceList,
    now: datetime,
) -> SubmittedComparison:
    identity_id = _identity_of(caller)
    if identity_id:
        refresh_rater(identity_id=identity_id, profile=caller.profile)
    params = _statement_params(caller, submission, proven, proof, prices, now) | {"identity": identity_id}
    rows = _insert(params)
    if not rows and find_rater_id(identity_id) is None:
        params |= {"identity": ensure_rater(caller, now=now)}
        rows = _insert(params)
    promise = promise_for(reward_for_comparison(prices=prices))
    if not rows:
        return _explain(params, promise)
    comparison_id, rater_id, state, dataset_id = rows[0]
    use_up_set(caller=caller, proven=proven, dataset_id=dataset_id, is_answered=True)
    state = _state_after(comparison_id, rater_id, state)
    return SubmittedComparison(comparison_id, promise, state, submission.outcome, submission.best_id, now)


def _insert(params: dict[str, object]) -> list[tuple[int, int, str, uuid.UUID]]:
    """Store set and comparison; no set either when there is no comparison."""
    with transaction.atomic():
        rows = fetch_prepared(SUBMIT, params)
        if not rows:
            transaction.set_rollback(True)
    return rows


def _state_after(comparison_id: int, rater_id: int, state: str) -> str:
    """Bring the comparison into line with what was decided about the rater while it was stored. Raises AlreadyRated."""
    [(is_out, is_linked)] = fetch_prepared(MEANWHILE, {"rater": rater_id})
    if is_out != (state == "quarantined"):
        align_ratings(rater_id=rater_id)
        state = Comparison.objects.values_list("state", flat=True).get(pk=comparison_id)
    if is_linked and comparison_id in supersede_repeated_comparisons(
        comparison_ids=[comparison_id], newest=[comparison_id]
    ):
        raise AlreadyRated(_("You have compared these images already."))
    return state


def _identity_of(caller: Caller) -> int | None:
    return caller.identity_id or find_identity_id(kind=caller.kind, external_id=caller.external_id)


def _statement_params(
    caller: Caller,
    submission: ComparisonSubmission,
    proven: ProvenSet,
    proof: Proof,
    prices: PriceList,
    now: datetime,
) -> dict[str, object]:
    lease = proven.lease
    return {
        "now": now,
        "set": lease.set_id,
        "images": list(lease.image_ids),
        "count": len(lease.image_ids),
        "images_key": lease.images_key,
        "outcome": submission.outcome,
        "best": submission.best_id,
        "idempotency_key": _idempotency_key_of(caller, submission),
        "reward": reward_for_comparison(prices=prices),
        "proof": proof.value,
        "is_late": proven.is_late,
        "lease": lease.lease_id,
        "issued_at": lease.issued_at,
        "scale_version": lease.scale_version,
        "client_agent": clean_agent(submission.client_agent),
        "address_hash": caller.address_hash,
        "measurements": submission.measurements.as_json(),
    }


def _idempotency_key_of(caller: Caller, submission: ComparisonSubmission) -> str | None:
    """Return the key as it is stored: many people share the anonymous rater, and their keys must not meet."""
    key = submission.idempotency_key or None
    return f"{caller.address_hash}:{key}" if key and caller.is_shared else key


def _find_repeat(caller: Caller, submission: ComparisonSubmission, prices: PriceList) -> SubmittedComparison | None:
    """Return the answer that the same idempotency key got before."""
    key = _idempotency_key_of(caller, submission)
    if key is None:
        return None
    params: dict[str, object] = {
        "identity": _identity_of(caller),
        "idempotency_key": key,
        "lease": None,
        "set": submission.set_id,
    }
    rows = fetch_prepared(CONFLICT, params)
    if not rows or not rows[0][-1]:
        return None
    return _explain(params, promise_for(reward_for_comparison(prices=prices)))


def _explain(params: dict[str, object], promise: int) -> SubmittedComparison:
    """Return the earlier answer for a repeated idempotency key, else raise why nothing was stored."""
    rows = fetch_prepared(CONFLICT, {name: params[name] for name in ("identity", "idempotency_key", "lease", "set")})
    if not rows:
        if fetch_prepared(COMPARED_OTHERWISE, {name: params[name] for name in ("identity", "lease", "set")}):
            raise AlreadyRated(_("These images are already compared."))
        raise ImageUnavailable(_("One of these images is no longer there. Go on with the next ones."))
    comparison_id, set_id, state, outcome, best_id, created_at, is_same_key = rows[0]
    if not is_same_key:
        raise AlreadyRated(_("You have compared these images already."))
    if set_id != params["set"]:
        raise IdempotencyKeyReused(_("This idempotency key was used for another set."))
    return SubmittedComparison(comparison_id, promise, state, outcome, best_id, created_at, is_repeat=True)
