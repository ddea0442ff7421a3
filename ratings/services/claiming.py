"""Rate first, sign up later: what a browser rated becomes its person's, if they say that it was they who rated.

A claim links the browser's identity to the account, as linking does with one of AI Horde, and rewrites no answer.
docs/decisions/0016 tells why rewards are promised only then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Identity, IdentityKind, User
from accounts.services import ensure_identity
from ratings.models import Comparison, ControlAnswer, PagePreferences, Rating, RatingState
from ratings.queries.prepared import fetch_prepared
from ratings.rewards import PriceList, reward_for, reward_for_comparison
from ratings.services.comparison_states import supersede_comparisons
from ratings.services.linking import LinkedAlready, LinkRefused, LinkWords, point_identity
from ratings.services.rater import open_rater
from ratings.services.superseding import supersede_ratings

CLAIMABLE = timedelta(days=30)
# Each is looked up with every image that is handed out.
MAX_CLAIMED = 5
WORDS = LinkWords(
    already=gettext_noop("What this browser rated is yours already."),
    elsewhere=gettext_noop("What this browser rated belongs to another account."),
    too_many=gettext_noop("You have added what %(most)d browsers rated, and no more can be added."),
    out_of_count=gettext_noop(
        "Ratings of your account or of this browser are under review. They can be added when it is over."
    ),
)

# Locks ratings in the order of everywhere else. What has been settled, or promised, is left as it is: a claim that was
# interrupted may run again. Who could not judge the artifacts is paid as for saying nothing of them, as in `submit`.
PROMISE = """
WITH claimed AS (
    SELECT r.id, {amount} AS amount FROM {table} r
    WHERE r.rater_id = (SELECT id FROM ratings_rater WHERE identity_id = %(identity)s)
        AND r.created_at >= %(since)s AND r.reward = 0 AND r.settlement_id IS NULL AND r.state <> 'superseded'
    ORDER BY r.id FOR NO KEY UPDATE
)
UPDATE {table} r SET reward = c.amount
FROM claimed c WHERE r.id = c.id AND r.reward = 0 AND r.settlement_id IS NULL AND r.state <> 'superseded'
RETURNING r.reward
"""
PROMISES = (
    PROMISE.format(table="ratings_comparison", amount="%(best_of_set)s::int"),
    PROMISE.format(
        table="ratings_rating",
        amount="CASE WHEN r.artifacts IS NOT NULL THEN %(with_artifacts)s ELSE %(plain)s END::int",
    ),
    PROMISE.format(
        table="ratings_controlanswer",
        amount="CASE WHEN r.said_artifacts IS NOT NULL THEN %(with_artifacts)s ELSE %(plain)s END::int",
    ),
)


class NothingToClaim(LinkRefused):
    """The browser has rated nothing, or nothing lately."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a browser answered in the last 30 days, and the kudos that are promised for it once somebody claims it."""

    rating_count: int
    comparison_count: int
    kudos: int
    oldest_at: datetime


def find_claim(*, browser_id: str | None, prices: PriceList, now: datetime) -> Claim | None:
    """Return what could be claimed from a browser that is nobody's yet, or None."""
    identity = Identity.objects.filter(kind=IdentityKind.BROWSER, external_id=browser_id or "", user=None).first()
    if identity is None:
        return None
    lately = {"rater__identity": identity, "created_at__gte": now - CLAIMABLE}
    rated = (
        Rating.objects.filter(**lately)
        .exclude(state=RatingState.SUPERSEDED)
        .aggregate(all=Count("id"), artifacts=Count("artifacts"), oldest_at=Min("created_at"))
    )
    controls = ControlAnswer.objects.filter(**lately)
    asked = controls.aggregate(all=Count("id"), artifacts=Count("said_artifacts"), oldest_at=Min("created_at"))
    compared = (
        Comparison.objects.filter(**lately)
        .exclude(state=RatingState.SUPERSEDED)
        .aggregate(all=Count("id"), oldest_at=Min("created_at"))
    )
    times = [found["oldest_at"] for found in (rated, asked, compared) if found["all"]]
    if not times:
        return None
    amounts = _amounts(prices)
    count, with_artifacts = rated["all"] + asked["all"], rated["artifacts"] + asked["artifacts"]
    kudos = amounts["plain"] * (count - with_artifacts) + amounts["with_artifacts"] * with_artifacts
    kudos += amounts["best_of_set"] * compared["all"]
    return Claim(count, compared["all"], kudos, min(times))


def claim_browser(*, user: User, browser_id: str, prices: PriceList, now: datetime) -> int:
    """Add what a browser rated to the account, and return the kudos promised for the last 30 days of it.

    1. Make sure that the account has a rater, and point the browser's identity to the user. Whoever rates at that
       moment waits for it, or it for them.
    2. Of images that both have rated, the later rating counts no more.
    3. Promise the rewards. A browser earns nothing, so none was promised before.

    Each is a transaction of its own, because each takes its locks in another order; a claim that was interrupted is
    completed by asking again from the same browser. Raises LinkRefused.
    """
    identity = Identity.objects.filter(kind=IdentityKind.BROWSER, external_id=browser_id, rater__isnull=False).first()
    if identity is None:
        raise NothingToClaim(_("This browser has rated nothing."))
    with transaction.atomic():
        own_id = ensure_identity(kind=IdentityKind.ACCOUNT, external_id=str(user.pk), user_id=user.pk)
        open_rater(own_id)
    try:
        with transaction.atomic():
            point_identity(identity_id=identity.pk, user=user, kind=IdentityKind.BROWSER, most=MAX_CLAIMED, words=WORDS)
            _keep_training(identity.pk, own_id)
    except LinkedAlready:
        pass  # The last time was interrupted; what it had left follows.
    supersede_comparisons(user_id=user.pk)
    supersede_ratings(user_id=user.pk)
    return _promise(identity.pk, prices, now)


def _promise(identity_id: int, prices: PriceList, now: datetime) -> int:
    params = {"identity": identity_id, "since": now - CLAIMABLE, **_amounts(prices)}
    with transaction.atomic():
        return sum(reward for sql in PROMISES for (reward,) in fetch_prepared(sql, params))


def _amounts(prices: PriceList) -> dict[str, int]:
    return {
        "plain": reward_for(prices=prices, has_artifacts=False),
        "with_artifacts": reward_for(prices=prices, has_artifacts=True),
        "best_of_set": reward_for_comparison(prices=prices),
    }


def _keep_training(browser_identity_id: int, own_id: int) -> None:
    """Who practised in the browser need not do so again."""
    trained = PagePreferences.objects.filter(identity_id=browser_identity_id).exclude(trained_at=None).first()
    if trained is None:
        return
    own, _ = PagePreferences.objects.get_or_create(identity_id=own_id)
    PagePreferences.objects.filter(pk=own.pk, trained_at=None).update(trained_at=trained.trained_at)
