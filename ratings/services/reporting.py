"""Someone noticed something about an image. Moderators decide; what may be illegal is hidden until they have."""

import uuid
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.access import Caller
from ratings.models import Image, ImageStatus, ReportReason
from ratings.queries.raters import find_rater_id
from ratings.services.moderation import hide_images
from ratings.services.proving import use_up
from ratings.services.rater import ensure_rater
from ratings.services.refusals import RatingInvalid
from ratings.services.skipping import lock_image, prove_shown, store_skip

MAX_NOTE_LENGTH = 500
# Of raters whom no moderator vouches for, so many have to say that an image is illegal before it is hidden.
ENOUGH_REPORTS = 2

STORE = """
    INSERT INTO ratings_report (image_id, rater_id, reason, note, state, address_hash, created_at)
    VALUES (%(image)s, %(rater)s, %(reason)s, %(note)s, 'open', %(address)s, %(now)s)
    ON CONFLICT (image_id, rater_id, reason) DO UPDATE SET note = excluded.note WHERE excluded.note <> ''
"""
# Who has no account is told apart by address: two cookies of one browser are not two people.
IS_CREDIBLE = """
    SELECT coalesce(bool_or(t.is_trusted OR t.state = 'trusted'), false) OR count(DISTINCT CASE
        WHEN i.user_id IS NOT NULL THEN 'user ' || i.user_id
        WHEN i.kind IN ('browser', 'shared_key') THEN 'address ' || p.address_hash
        ELSE 'identity ' || i.id END) >= %(enough)s
    FROM ratings_report p JOIN ratings_rater t ON t.id = p.rater_id JOIN accounts_identity i ON i.id = t.identity_id
    WHERE p.image_id = %(image)s AND p.reason = 'illegal' AND p.state = 'open'
        AND t.state NOT IN ('quarantined', 'voided')
"""


def report_image(
    *, caller: Caller, image_id: uuid.UUID, lease: str | None, reason: str, note: str = "", now: datetime
) -> None:
    """Report an image that was handed out to this rater, who is not offered it again: a report is a skip as well.

    What a trusted rater or ``ENOUGH_REPORTS`` others say is illegal is hidden at once. One report for each rater, image
    and reason; sent again, it may bring another note. Reports earn nothing. Raises NotLeased or RatingInvalid.
    """
    check_report(reason, note)
    proven = prove_shown(caller, image_id, lease, now=now)
    image = store_report(caller, image_id, reason=reason, note=note, now=now)
    use_up(caller, proven, dataset_id=image.dataset_id, is_rated=False)


def check_report(reason: str, note: str) -> None:
    """Raise RatingInvalid for what is no report."""
    if reason not in ReportReason.values:
        raise RatingInvalid(
            _("The reason for a report is one of %(reasons)s.") % {"reasons": ", ".join(ReportReason.values)}
        )
    if len(_clean(note)) > MAX_NOTE_LENGTH:
        raise RatingInvalid(_("The note may have %(most)d characters.") % {"most": MAX_NOTE_LENGTH})


def store_report(caller: Caller, image_id: uuid.UUID, *, reason: str, note: str, now: datetime) -> Image:
    """Write down the report of an image that was shown to the caller, and return the image."""
    rater_id = find_rater_id(ensure_rater(caller, now=now))
    with transaction.atomic(), connection.cursor() as cursor:
        # Before the report is written, so that of two at the same time the second sees the first.
        image = lock_image(image_id)
        params = {"image": image_id, "rater": rater_id, "address": caller.address_hash, "now": now}
        cursor.execute(STORE, params | {"reason": reason, "note": _clean(note)})
        store_skip(rater_id, image_id, now=now)
        if reason == ReportReason.ILLEGAL and image.status == ImageStatus.ACTIVE and _is_credible(image_id):
            hide_images(image_ids=[image_id], by=None, reason="reported as illegal", now=now)
    return image


def _clean(note: str) -> str:
    return "".join(character for character in note if character.isprintable() or character == "\n").strip()


def _is_credible(image_id: uuid.UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IS_CREDIBLE, {"image": image_id, "enough": ENOUGH_REPORTS})
        return bool(cursor.fetchone()[0])
