"""How it is known that somebody was shown an image: the signed lease that came with it, or the live one in the book."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.utils.translation import gettext as _

from accounts.access import Caller
from accounts.valkey import ValkeyUnavailable
from ratings.leases import book
from ratings.leases.token import Lease, LeaseInvalid, verify_lease
from ratings.models import Image, Proof
from ratings.services.refusals import NotLeased

log = structlog.get_logger(__name__)

DEFAULT_SCALE_VERSION = 1
# As many as one may hold.
MAX_RETURNED = book.MAX_OPEN


@dataclass(frozen=True, slots=True)
class Proven:
    """How it is known that the image was shown: the lease if any and under which name, and the kind of proof."""

    lease: Lease | None
    proof: Proof
    is_late: bool
    holder: str


def prove(caller: Caller, image_id: uuid.UUID, token: str | None, *, now_ms: int) -> Proven:
    """Return how it is known that the caller was shown an image, by the lease's ``token`` or without. Raises NotLeased.

    Without a token and without Valkey nothing is known, and the proof is HELD.
    """
    if token:
        return prove_token(caller, image_id, token, now_ms=now_ms)
    try:
        for holder in _holders_of(caller):
            if lease_id := book.find_live_lease(holder=holder, image_id=image_id, now_ms=now_ms):
                lease = Lease(lease_id, image_id, DEFAULT_SCALE_VERSION)
                return Proven(lease, Proof.LOOKUP, is_late=False, holder=holder)
    except ValkeyUnavailable:
        # The client is an old one and cannot prove anything itself: keep the rating, count it later.
        log.warning("rating_held", image_id=str(image_id))
        return Proven(None, Proof.HELD, is_late=False, holder=caller.holder)
    raise NotLeased(_("This image is not yours to rate just now: it was not handed out to you, or you rated it."))


def _holders_of(caller: Caller) -> list[str]:
    """Return the names under which the caller may hold leases: also that from before they were linked."""
    return [caller.holder, caller.former_holder] if caller.former_holder else [caller.holder]


def prove_token(caller: Caller, image_id: uuid.UUID, token: str, *, now_ms: int) -> Proven:
    """Return what the token of a lease proves. Raises NotLeased."""
    proven = _verify(caller, token, now_ms)
    if proven.lease is None or proven.lease.image_id != image_id:
        raise NotLeased(_("The lease is for another image."))
    return proven


def _verify(caller: Caller, token: str, now_ms: int) -> Proven:
    problem = ""
    for holder in _holders_of(caller):
        try:
            lease = verify_lease(token, holder=holder, now_ms=now_ms)
        except LeaseInvalid as error:
            problem = problem or str(error)
            continue
        return Proven(lease, Proof.LEASE, is_late=lease.is_late(now_ms), holder=holder)
    raise NotLeased(problem)


def use_up(caller: Caller, proven: Proven, *, dataset_id: uuid.UUID, is_rated: bool) -> None:
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


def return_leases(*, caller: Caller, tokens: Sequence[str], now: datetime) -> None:
    """Give leases back, so that these images go to others at once.

    Tokens that are used, made up, somebody else's or too old are passed over. What was taken stays counted: who takes
    images, looks and gives them back could else choose.
    """
    held = []
    for token in tokens[:MAX_RETURNED]:
        with suppress(NotLeased):
            held.append(_verify(caller, token, int(now.timestamp() * 1000)))
    image_ids = [one.lease.image_id for one in held if one.lease]
    datasets = dict(Image.objects.filter(pk__in=image_ids).values_list("pk", "dataset_id"))
    for one in held:
        if one.lease and one.lease.image_id in datasets:
            use_up(caller, one, dataset_id=datasets[one.lease.image_id], is_rated=False)
