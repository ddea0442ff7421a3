"""Reads about a rater: their own ratings and standing."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from accounts.queries import identities_of_person
from kudos.queries import balance_of_person
from ratings.models import AdultClass, Comparison, ControlAnswer, ImageStatus, Rater, Rating, RatingState
from ratings.queries.silence import QuarantineNotice, find_notice

MANY_A_DAY = 1000
# To their rater the answers to controls are ratings; the numbers of both are of one sequence.
ANSWERS: tuple[type[Rating | ControlAnswer], ...] = (Rating, ControlAnswer)
NOTHING_HIDDEN: Mapping[RatingState, RatingState] = {}


class NoSuchRater(Exception):
    """There is no rater of this number."""


@dataclass(frozen=True, slots=True)
class MyRating:
    """One of a person's own ratings, newest first."""

    id: int
    image_id: uuid.UUID
    dataset_slug: str
    aesthetic: int | None
    artifacts: int | None
    is_artifacts_unsure: bool
    state: str
    reward: int
    is_settled: bool
    created_at: datetime
    has_picture: bool
    lease_id: uuid.UUID | None

    @property
    def kudos(self) -> int | None:
        """Return what it earns or has earned, or None for a rating that nothing is paid for."""
        is_lost = self.state in {RatingState.VOIDED, RatingState.SUPERSEDED} or not self.reward
        return self.reward if not is_lost and (self.is_settled or self.state == RatingState.COUNTED) else None

    @property
    def state_text(self) -> str:
        return str(RatingState(self.state).label)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rater stands: ratings today and in all, kudos promised and kudos settled."""

    today_count: int
    rating_count: int
    pending_kudos: int
    settled_kudos: int
    notice: QuarantineNotice | None = None


def find_rater_id(identity_id: int | None) -> int | None:
    """Return the rater of an identity, or None before its first rating."""
    if identity_id is None:
        return None
    return Rater.objects.filter(identity_id=identity_id).values_list("id", flat=True).first()


def find_raters_of_person(rater_id: int) -> list[int]:
    """Return a rater and those of identities that are linked to the same account, by id."""
    user = Rater.objects.filter(pk=rater_id, identity__user__isnull=False).values("identity__user_id")
    same_person = Q(pk=rater_id) | Q(identity__user_id__in=user)
    return list(Rater.objects.filter(same_person, is_shared=False).order_by("id").values_list("id", flat=True))


def my_ratings(
    *, identity_id: int | None, today: datetime, before_id: int | None = None, limit: int = 50
) -> list[MyRating]:
    """Return the newest ``limit`` ratings older than ``before_id``, under whichever identity the person gave them.

    A quarantine that they have not been told of yet is not seen in them.
    """
    raters = _raters_of_person(identity_id)
    seen_as = {} if find_notice(raters, today=today) else {RatingState.QUARANTINED: RatingState.COUNTED}
    rows = [row for rater in raters for kind in ANSWERS for row in _newest(kind, rater, before_id, limit)]
    rows.sort(key=lambda row: row.pk, reverse=True)
    return [_mine(row, seen_as) for row in rows[:limit]]


def my_rating(*, identity_id: int | None, rating_id: int) -> MyRating | None:
    """Return one of a person's own ratings; None when it is somebody else's, or one of many who share a key."""
    raters = _raters_of_person(identity_id)
    for kind in ANSWERS:
        rows = kind.objects.filter(pk=rating_id, rater__in=raters, is_shared=False)
        if row := rows.select_related("dataset", "image").first():
            return _mine(row)
    return None


def my_standing(*, identity_id: int | None, today: datetime) -> Standing:
    """Return the standing of an identity and those linked with it; ``today`` is when its day began.

    Nothing here reads everything a rater ever did: the total is the rater's counter, today's ratings are
    sought among the newest thousand, and pending rewards have an index of their own.
    """
    raters = _raters_of_person(identity_id)
    notice = find_notice(raters, today=today)
    states = [RatingState.COUNTED] if notice else [RatingState.COUNTED, RatingState.QUARANTINED]
    return Standing(
        sum(_count_since(rater, today) for rater in raters),
        sum(rater.rating_count for rater in raters),
        sum(_pending_kudos(raters, kind, states) for kind in (Rating, ControlAnswer, Comparison)),
        balance_of_person(identity_id),
        notice,
    )


def my_comparison_count(*, identity_id: int | None, today: datetime) -> int:
    """Return how many comparisons an identity, and those linked with it, made since ``today`` began."""
    return sum(_count_since(rater, today, [Comparison]) for rater in _raters_of_person(identity_id))


def _pending_kudos(
    raters: list[Rater], kind: type[Rating | ControlAnswer | Comparison], states: list[RatingState]
) -> int:
    if not raters:
        return 0
    rows = kind.objects.filter(rater__in=raters, state__in=states, settlement=None, reward__gt=0)
    pending: int = rows.aggregate(sum=Sum("reward", default=0))["sum"]
    return pending


def _mine(row: Rating | ControlAnswer, seen_as: Mapping[RatingState, RatingState] = NOTHING_HIDDEN) -> MyRating:
    state = RatingState(row.state)
    return MyRating(
        row.pk,
        row.image_id,
        row.dataset.slug,
        row.said_aesthetic if isinstance(row, ControlAnswer) else row.aesthetic,
        row.said_artifacts if isinstance(row, ControlAnswer) else row.artifacts,
        row.is_artifacts_unsure,
        seen_as.get(state, state),
        row.reward,
        row.settlement_id is not None,
        row.created_at,
        row.image.status == ImageStatus.ACTIVE and row.image.adult_class == AdultClass.SAFE,
        row.lease_id,
    )


def _raters_of_person(identity_id: int | None) -> list[Rater]:
    """Return the rater of an identity, and those of identities that are linked to the same account."""
    if identity_id is None:
        return []
    rater = Rater.objects.filter(identity_id=identity_id).first()
    if rater is None or not rater.is_linked:
        return [rater] if rater else []
    return list(Rater.objects.filter(identity_id__in=identities_of_person(identity_id)).order_by("id"))


def _newest(
    kind: type[Rating | ControlAnswer], rater: Rater, before_id: int | None, limit: int
) -> list[Rating | ControlAnswer]:
    rows = kind.objects.filter(rater=rater).order_by("-id").select_related("dataset", "image")
    return list((rows.filter(id__lt=before_id) if before_id else rows)[:limit])


def _count_since(
    rater: Rater, start: datetime, kinds: Sequence[type[Rating | ControlAnswer | Comparison]] = ANSWERS
) -> int:
    count = 0
    for kind in kinds:
        newest = kind.objects.filter(rater=rater).order_by("-id").values_list("created_at", flat=True)[:MANY_A_DAY]
        count += sum(created_at >= start for created_at in newest)
    return count
