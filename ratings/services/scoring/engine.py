"""The engine as one who decides: quarantine that the evidence has made due."""

from datetime import datetime

import structlog

from accounts.metrics import QUALITY_ALARMS, RATERS_QUARANTINED
from accounts.services import ensure_engine_user
from ratings.models import RaterScore
from ratings.services.quarantine import quarantine_rater
from ratings.services.scoring.standing import due_quarantines
from ratings.stats.parameters import Policy

log = structlog.get_logger(__name__)

# So many at once, and more than half of all who rate: then it is the evidence that a person has to look at.
MANY = 10


def carry_out_quarantines(*, policy: Policy, now: datetime, is_nightly: bool = False) -> int:
    """Put the raters into quarantine whom the evidence says to; return how many. A person ends it, or an appeal.

    ``is_nightly`` is for just after the fit from scratch, which may say more than the updates between two fits.
    Should it say so of most raters, none is, and the error in the log says why.
    """
    due = due_quarantines(policy=policy, is_nightly=is_nightly)
    if not due or _is_most(len(due), policy):
        return 0
    by = ensure_engine_user()
    for evidence, step in due:
        quarantine_rater(rater_id=evidence.rater_id, by=by, reason=step.reason[:500], now=now)
        RATERS_QUARANTINED.inc()
    return len(due)


def _is_most(count: int, policy: Policy) -> bool:
    if count < MANY:
        return False
    known = RaterScore.objects.filter(rating_count__gte=policy.first_ratings, is_silent=False)
    of = known.values("rater_id").distinct().count()
    if 2 * count <= of:
        return False
    QUALITY_ALARMS.labels("most_raters").inc()
    log.error("quality_would_quarantine_most", count=count, of=of)
    return True
