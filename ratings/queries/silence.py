"""What raters are told of their own quarantine: for a while nothing, then that it is so and that they can appeal.

Whoever runs a script would otherwise learn within minutes which answers give it away. Until then everything that a
rater sees of their ratings and rewards is as if nothing had happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from ratings.models import OUT_OF_COUNT, Appeal, AppealState, Rater, RaterState, RaterTransition


@dataclass(frozen=True, slots=True)
class QuarantineNotice:
    """What a rater is told: since when their ratings do not count, and how their appeal stands."""

    begun_at: datetime
    appeal: str = ""
    """State of their appeal, if one is under way."""


def find_notice(raters: Sequence[Rater], *, today: datetime) -> QuarantineNotice | None:
    """Return what the person with these raters is told as of the day that began at ``today``, or None."""
    out = [rater.pk for rater in raters if rater.state in OUT_OF_COUNT]
    if not out:
        return None
    told_before = today - timedelta(seconds=settings.QUARANTINE_SILENCE_SECONDS)
    steps = RaterTransition.objects.filter(rater__in=out, to_state=RaterState.QUARANTINED)
    begun_at = steps.order_by("-id").values_list("taken_at", flat=True).first()
    if begun_at is None or begun_at > told_before:
        return None
    appeals = Appeal.objects.filter(rater__in=raters, state__in=[AppealState.OPEN, AppealState.TO_PERSON])
    return QuarantineNotice(begun_at, appeals.values_list("state", flat=True).first() or "")
