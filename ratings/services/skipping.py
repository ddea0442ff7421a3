"""Images that a rater did not want to rate: out of their sight for a while, and back when they think better of it."""

import uuid
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.access import Caller
from ratings.models import Image, Report, Skip, SkipReason
from ratings.queries.raters import find_rater_id
from ratings.services.proving import Proven, prove, use_up
from ratings.services.rater import ensure_rater
from ratings.services.refusals import NotLeased, RatingInvalid

# So many people who skip an image for the same reason report it.
ENOUGH_SKIPS = 5

# A reason may come later, and is not lost when the skip is sent once more without.
STORE = """
    INSERT INTO ratings_skip (rater_id, image_id, reason, created_at)
    VALUES (%(rater)s, %(image)s, %(reason)s, %(now)s)
    ON CONFLICT (rater_id, image_id) DO UPDATE SET created_at = excluded.created_at,
        reason = CASE WHEN excluded.reason = '' THEN ratings_skip.reason ELSE excluded.reason END
"""
# Several identities of one person are one.
COUNT_PEOPLE = """
    SELECT count(DISTINCT CASE WHEN i.user_id IS NULL THEN 'identity ' || i.id ELSE 'user ' || i.user_id END)
    FROM ratings_skip s JOIN ratings_rater t ON t.id = s.rater_id JOIN accounts_identity i ON i.id = t.identity_id
    WHERE s.image_id = %(image)s AND s.reason = %(reason)s AND t.state NOT IN ('quarantined', 'voided')
"""


def skip_image(*, caller: Caller, image_id: uuid.UUID, lease: str | None, reason: str = "", now: datetime) -> None:
    """Do not offer an image that was handed out to this rater again for thirty days.

    Sent again with a reason, it adds the reason. Skips of ``ENOUGH_SKIPS`` people with the same reason make a report.
    Raises NotLeased or RatingInvalid.
    """
    if reason and reason not in SkipReason.values:
        raise RatingInvalid(
            _("The reason for skipping is one of %(reasons)s, or none.") % {"reasons": ", ".join(SkipReason.values)}
        )
    proven = prove_shown(caller, image_id, lease, now=now)
    rater_id = find_rater_id(ensure_rater(caller, now=now))
    with transaction.atomic():
        image = lock_image(image_id)
        store_skip(rater_id, image_id, reason=reason, now=now)
        if reason:
            _report_what_many_skip(image_id, reason, now)
    use_up(caller, proven, dataset_id=image.dataset_id, is_rated=False)


def unskip_image(*, caller: Caller, image_id: uuid.UUID, lease: str | None, now: datetime) -> None:
    """Take a skip back, if there is one. Raises NotLeased."""
    prove_shown(caller, image_id, lease, now=now)
    if caller.identity_id is not None:
        Skip.objects.filter(rater__identity_id=caller.identity_id, image_id=image_id).delete()


def prove_shown(caller: Caller, image_id: uuid.UUID, lease: str | None, *, now: datetime) -> Proven:
    """Return how it is known that the caller was shown an image. Raises NotLeased, also when nothing can be known."""
    proven = prove(caller, image_id, lease, now_ms=int(now.timestamp() * 1000))
    if proven.lease is None:
        raise NotLeased(_("Who has which image cannot be looked up just now. Send the lease that came with it."))
    return proven


def lock_image(image_id: uuid.UUID) -> Image:
    """Return an image that nobody else changes, skips or reports until the transaction ends."""
    rows = Image.objects.filter(pk=image_id).only("dataset_id", "status")
    return rows.select_for_update(no_key=True).get()


def store_skip(rater_id: int | None, image_id: uuid.UUID, *, reason: str = "", now: datetime) -> None:
    """Write a skip down, or on: one for each rater and image."""
    with connection.cursor() as cursor:
        cursor.execute(STORE, {"rater": rater_id, "image": image_id, "reason": reason, "now": now})


def _report_what_many_skip(image_id: uuid.UUID, reason: str, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_PEOPLE, {"image": image_id, "reason": reason})
        people = cursor.fetchone()[0]
    if people >= ENOUGH_SKIPS:
        report = Report(image_id=image_id, reason=reason, created_at=now)
        Report.objects.bulk_create([report], ignore_conflicts=True)
