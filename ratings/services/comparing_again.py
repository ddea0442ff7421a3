"""A rater thinks better of a comparison, or does not want to make it: revising, skipping, giving back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.access import Caller
from ratings.models import Comparison, ComparisonRevision, Outcome, RatingState, SetSkip, SkipReason
from ratings.queries.prepared import fetch_prepared
from ratings.queries.raters import find_rater_id, find_raters_of_person
from ratings.rewards import PriceList, promise_for, reward_for_comparison
from ratings.services.comparison import (
    REVISABLE,
    SubmittedComparison,
    check_idempotency_key,
    check_outcome,
    prove_set,
    use_up_set,
)
from ratings.services.comparison_rows import SKIP
from ratings.services.rater import ensure_rater
from ratings.services.refusals import NotLeased, RatingInvalid, RatingRefused
from ratings.services.reporting import check_report, store_report

# Enough for who cannot decide; an end for a program that runs wild.
MAX_REVISIONS = 20
OVER = (RatingState.VOIDED, RatingState.SUPERSEDED)
SKIP_REASONS = tuple(SkipReason.values)


class ComparisonLocked(RatingRefused):
    """The comparison can be revised no more."""

    reason = "locked"


class NoSuchComparison(RatingRefused):
    """There is no such comparison, or it is somebody else's."""

    reason = "not_found"


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What a rater says now of images that they have compared."""

    outcome: str
    best_id: uuid.UUID | None = None
    idempotency_key: str | None = None


def revise_comparison(
    *, caller: Caller, compared: int | uuid.UUID, answer: NewAnswer, prices: PriceList, now: datetime
) -> SubmittedComparison:
    """Replace the answer of the caller's own comparison: that of the number, or that of the set, ``compared``.

    For a day; the answer before is kept. The same answer, and the same idempotency key, change nothing.
    Raises RatingInvalid, NoSuchComparison or ComparisonLocked.
    """
    check_outcome(answer.outcome, answer.best_id)
    check_idempotency_key(answer.idempotency_key)
    promise = promise_for(reward_for_comparison(prices=prices))
    with transaction.atomic():
        row = _lock_own(caller, compared)
        if _is_repeat(row, answer):
            return _submitted(row, promise, is_repeat=True)
        _check_revisable(row, answer, now)
        row.revision_count += 1
        ComparisonRevision.objects.create(
            comparison=row,
            number=row.revision_count,
            outcome=row.outcome,
            best_id=row.best_id,
            revised_at=now,
            idempotency_key=answer.idempotency_key or None,
        )
        row.outcome, row.best_id = Outcome(answer.outcome), answer.best_id
        row.save(update_fields=["outcome", "best", "revision_count"])
    return _submitted(row, promise)


def find_own_comparison(*, caller: Caller, comparison_id: int) -> Comparison:
    """Return a comparison that the caller has made. Raises NoSuchComparison."""
    row = Comparison.objects.filter(pk=comparison_id, rater__in=_raters_of(caller), is_shared=False).first()
    if row is None:
        raise NoSuchComparison(_("You have made no such comparison."))
    return row


def is_revisable(comparison: Comparison, *, now: datetime) -> bool:
    """Return whether the answer may still be replaced."""
    is_over = comparison.state in OVER or comparison.revision_count >= MAX_REVISIONS
    return not is_over and now - comparison.created_at <= REVISABLE


def skip_set(*, caller: Caller, set_id: uuid.UUID, token: str, reason: str = "", now: datetime) -> None:
    """Do not offer these images together again for thirty days. Sent again with a reason, it adds the reason.

    Raises NotLeased or RatingInvalid.
    """
    if reason and reason not in SKIP_REASONS:
        raise RatingInvalid(
            _("The reason for skipping is one of %(reasons)s, or none.") % {"reasons": ", ".join(SKIP_REASONS)}
        )
    proven = prove_set(caller=caller, set_id=set_id, token=token, now=now)
    rater_id = find_rater_id(ensure_rater(caller, now=now))
    params: dict[str, object] = {"rater": rater_id, "images_key": proven.lease.images_key, "reason": reason, "now": now}
    fetch_prepared(SKIP, params)
    use_up_set(caller=caller, proven=proven, is_answered=False)


def unskip_set(*, caller: Caller, set_id: uuid.UUID, token: str, now: datetime) -> None:
    """Take a skip back, if there is one. Raises NotLeased."""
    proven = prove_set(caller=caller, set_id=set_id, token=token, now=now)
    SetSkip.objects.filter(rater__identity_id=caller.identity_id or 0, images_key=proven.lease.images_key).delete()


def report_from_set(
    *, caller: Caller, set_id: uuid.UUID, image_id: uuid.UUID, token: str, reason: str, note: str = "", now: datetime
) -> None:
    """Report one image of a set, as `report_image` does; the set is not to be answered any more.

    Raises NotLeased or RatingInvalid.
    """
    check_report(reason, note)
    proven = prove_set(caller=caller, set_id=set_id, token=token, now=now)
    if image_id not in proven.lease.image_ids:
        raise NotLeased(_("This image is not one of the set."))
    store_report(caller, image_id, reason=reason, note=note, now=now)
    use_up_set(caller=caller, proven=proven, is_answered=False)


def return_sets(*, caller: Caller, tokens: Sequence[str], now: datetime) -> int:
    """Give leases back, as far as they are the caller's; return how many."""
    count = 0
    for token in tokens:
        try:
            proven = prove_set(caller=caller, set_id=None, token=token, now=now)
        except NotLeased:
            continue
        use_up_set(caller=caller, proven=proven, is_answered=False)
        count += 1
    return count


def _lock_own(caller: Caller, compared: int | uuid.UUID) -> Comparison:
    which = Q(pk=compared) if isinstance(compared, int) else Q(image_set_id=compared)
    rows = Comparison.objects.filter(which, rater__in=_raters_of(caller), is_shared=False)
    # Of two by identities that were linked since, the one that counts.
    found = sorted(rows.select_for_update(no_key=True, of=("self",)), key=lambda row: (row.state in OVER, row.pk))
    if not found:
        raise NoSuchComparison(_("You have made no such comparison."))
    return found[0]


def _raters_of(caller: Caller) -> list[int]:
    rater_id = find_rater_id(caller.identity_id)
    return [] if rater_id is None else find_raters_of_person(rater_id)


def _is_repeat(row: Comparison, answer: NewAnswer) -> bool:
    if (row.outcome, row.best_id) == (answer.outcome, answer.best_id):
        return True
    key = answer.idempotency_key
    return bool(key) and row.revisions.filter(idempotency_key=key).exists()


def _check_revisable(row: Comparison, answer: NewAnswer, now: datetime) -> None:
    if answer.best_id is not None and answer.best_id not in row.image_ids:
        raise RatingInvalid(_("The best image must be one of the set."))
    if now - row.created_at > REVISABLE:
        raise ComparisonLocked(_("A comparison can be changed for 24 hours, and these are over."))
    if not is_revisable(row, now=now):
        raise ComparisonLocked(_("This comparison can be changed no more."))


def _submitted(row: Comparison, promise: int, *, is_repeat: bool = False) -> SubmittedComparison:
    return SubmittedComparison(row.pk, promise, row.state, row.outcome, row.best_id, row.created_at, is_repeat)
