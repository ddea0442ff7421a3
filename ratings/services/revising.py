"""A rater thinks better of a rating of their own: the last values count, those before are kept.

For a day, and not after they have seen what others said: `look_at_crowd` shows that, and ends it.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from accounts.access import Caller
from ratings.rewards import PriceList, promise_for, reward_for
from ratings.services import control
from ratings.services.control import lock_control
from ratings.services.rating import REVISABLE, SubmittedRating, check_answers, check_idempotency_key
from ratings.services.refusals import ImageUnavailable, NoSuchRating, NotComplete, RatingLocked

# Enough for who cannot decide; an end for a program that runs wild.
MAX_REVISIONS = 20
SETTLED_STATES = ("voided", "superseded")

# Whose key many share has no rating of their own. Of two by identities that were linked since, the one that counts.
LOCK = """
    SELECT r.id, r.image_id, r.aesthetic, r.artifacts, r.is_artifacts_unsure, r.state, r.created_at, r.looked_at,
        r.revision_count, r.reward, r.settlement_id IS NOT NULL, i.user_id IS NOT NULL OR i.kind = 'horde',
        m.status = 'active' AND d.state <> 'closed'
    FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id JOIN accounts_identity i ON i.id = t.identity_id
        JOIN ratings_image m ON m.id = r.image_id JOIN ratings_dataset d ON d.id = r.dataset_id
    WHERE {which} AND NOT r.is_shared AND (i.id = %(identity)s OR i.user_id = %(user)s)
    ORDER BY r.state = 'superseded', r.id LIMIT 1 FOR NO KEY UPDATE OF r
"""
WAS_SENT = "SELECT 1 FROM ratings_revision WHERE rating_id = %s AND idempotency_key = %s"
# Rating first, image second, as everywhere.
REVISE = """
WITH before AS (
    INSERT INTO ratings_revision (
        rating_id, number, aesthetic, artifacts, is_artifacts_unsure, revised_at, idempotency_key
    )
    SELECT id, revision_count + 1, aesthetic, artifacts, is_artifacts_unsure, %(now)s, %(idempotency_key)s
    FROM ratings_rating WHERE id = %(rating)s
), noted AS (
    INSERT INTO ratings_ratingchange (dataset_id, rating_id)
    SELECT dataset_id, id FROM ratings_rating WHERE id = %(rating)s
), image_counters AS (
    UPDATE ratings_image m SET
        rating_count = m.rating_count + by.n,
        aesthetic_sum = m.aesthetic_sum + by.aesthetic,
        artifacts_count = m.artifacts_count + by.artifacts_n,
        artifacts_sum = m.artifacts_sum + by.artifacts,
        is_open = m.status = 'active' AND m.rating_count + by.n < coalesce(m.wanted_count, d.target_rating_count)
    FROM ratings_dataset d, (
        SELECT r.image_id, (new.aesthetic IS NOT NULL)::int - (r.aesthetic IS NOT NULL)::int AS n,
            coalesce(new.aesthetic, 0) - coalesce(r.aesthetic, 0) AS aesthetic,
            (new.artifacts IS NOT NULL)::int - (r.artifacts IS NOT NULL)::int AS artifacts_n,
            coalesce(new.artifacts, 0) - coalesce(r.artifacts, 0) AS artifacts
        FROM ratings_rating r, (SELECT %(aesthetic)s::int AS aesthetic, %(artifacts)s::int AS artifacts) new
        WHERE r.id = %(rating)s AND r.state = 'counted'
    ) by
    WHERE m.id = by.image_id AND d.id = m.dataset_id
)
UPDATE ratings_rating SET aesthetic = %(aesthetic)s, artifacts = %(artifacts)s,
    is_artifacts_unsure = %(is_artifacts_unsure)s, reward = %(reward)s, revision_count = revision_count + 1
WHERE id = %(rating)s
"""
COMPLETE = """m.id = r.image_id AND m.status = 'active' AND NOT m.is_open AND m.rating_count >= d.target_rating_count
        AND NOT EXISTS (SELECT FROM ratings_goldimage g WHERE g.image_id = m.id AND g.state <> 'retired')
"""
LOOK = """
    UPDATE ratings_rating r SET looked_at = coalesce(r.looked_at, %(now)s)
    FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE r.id = %(rating)s AND {complete}
    RETURNING m.prompt, m.model_name
"""
CROWD = """
    SELECT aesthetic, artifacts, count(*) FROM ratings_rating
    WHERE image_id = %(image)s AND state = 'counted' AND id <> %(rating)s AND rater_id IS DISTINCT FROM (
        SELECT c.rater_id FROM ratings_controlanswer c WHERE c.id = %(rating)s
    ) GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class RatingRevision:
    """What a rater says now. Answers as in RatingSubmission; ``keeps_artifacts`` leaves that one as it is."""

    aesthetic: int | None
    artifacts: int | None = None
    is_artifacts_unsure: bool = False
    keeps_artifacts: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class CrowdAnswer:
    """What the others said of a complete image, and where it comes from. ``score`` is the mean of ``rating_count``."""

    prompt: str
    model_name: str
    aesthetic: tuple[int, ...]
    artifacts: tuple[int, ...]
    rating_count: int
    score: float | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """A rating as it stands, locked."""

    rating_id: int
    image_id: uuid.UUID
    aesthetic: int | None
    artifacts: int | None
    is_artifacts_unsure: bool
    state: str
    created_at: datetime
    looked_at: datetime | None
    revision_count: int
    reward: int
    is_settled: bool
    earns: bool
    is_available: bool
    is_control: bool = False


def revise_rating(
    *, caller: Caller, rated: int | uuid.UUID, revision: RatingRevision, prices: PriceList, now: datetime
) -> SubmittedRating:
    """Replace the answers of the caller's own rating: that of the number, or that of the image, ``rated``.

    The image's counters move by the difference, in the same transaction. The reward stays what was promised, and grows
    while it is pending if the artifacts are told that were not before: nobody is paid for changing their mind, nor
    fined for saying that they cannot judge after all. The same values, and the same idempotency key, change nothing.
    Raises RatingInvalid, NoSuchRating, RatingLocked or ImageUnavailable.
    """
    check_answers(revision.aesthetic, revision.artifacts, is_artifacts_unsure=revision.is_artifacts_unsure)
    check_idempotency_key(revision.idempotency_key)
    with transaction.atomic(), connection.cursor() as cursor:
        stored = _lock(cursor, caller, rated)
        if revision.keeps_artifacts:
            revision = replace(revision, artifacts=stored.artifacts, is_artifacts_unsure=stored.is_artifacts_unsure)
        if _is_repeat(cursor, stored, revision):
            return _answer(stored, stored, stored.reward, prices, is_repeat=True)
        _check_revisable(stored, now)
        reward = _reward_of(stored, revision, prices)
        cursor.execute(
            control.REVISE if stored.is_control else REVISE,
            {
                "rating": stored.rating_id,
                "aesthetic": revision.aesthetic,
                "artifacts": revision.artifacts,
                "is_artifacts_unsure": revision.is_artifacts_unsure,
                "idempotency_key": revision.idempotency_key or None,
                "reward": reward,
                "now": now,
            },
        )
    return _answer(stored, revision, reward, prices)


def look_at_crowd(*, caller: Caller, rating_id: int, now: datetime) -> CrowdAnswer:
    """Return what others said of a complete image that the caller has rated; the rating is not to be revised any more.

    Raises NoSuchRating or NotComplete.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        stored = _lock(cursor, caller, rating_id)
        look = control.LOOK if stored.is_control else LOOK
        cursor.execute(look.format(complete=COMPLETE), {"rating": rating_id, "now": now})
        source = cursor.fetchone()
        if source is None:
            raise NotComplete(_("What others said is shown when the image has all its ratings."))
        cursor.execute(CROWD, {"image": stored.image_id, "rating": rating_id})
        cells = cursor.fetchall()
    aesthetic = tuple(sum(n for value, _, n in cells if value == level) for level in range(1, 11))
    artifacts = tuple(sum(n for _, value, n in cells if value == level) for level in range(6))
    count, total = sum(aesthetic), sum(level * n for level, n in enumerate(aesthetic, start=1))
    prompt, model_name = source
    return CrowdAnswer(prompt, model_name, aesthetic, artifacts, count, round(total / count, 2) if count else None)


def _lock(cursor: CursorWrapper, caller: Caller, rated: int | uuid.UUID) -> _Stored:
    which = "r.id = %(rated)s" if isinstance(rated, int) else "r.image_id = %(rated)s"
    params = {"rated": rated, "identity": caller.identity_id, "user": caller.user_id}
    cursor.execute(LOCK.format(which=which), params)
    row = cursor.fetchone()
    # Of an image that was asked about twice the last answer is meant.
    if (answer := lock_control(cursor, caller, rated)) and (row is None or answer[0] > row[0]):
        return replace(_Stored(*answer), is_control=True)
    if row is None:
        raise NoSuchRating(_("You have no such rating."))
    return _Stored(*row)


def _is_repeat(cursor: CursorWrapper, stored: _Stored, revision: RatingRevision) -> bool:
    before = stored.aesthetic, stored.artifacts, stored.is_artifacts_unsure
    if before == (revision.aesthetic, revision.artifacts, revision.is_artifacts_unsure):
        return True
    if not revision.idempotency_key:
        return False
    cursor.execute(control.WAS_SENT if stored.is_control else WAS_SENT, [stored.rating_id, revision.idempotency_key])
    return cursor.fetchone() is not None


def _check_revisable(stored: _Stored, now: datetime) -> None:
    if stored.looked_at is not None:
        raise RatingLocked(_("You have seen what others said of this image, so your rating stays as it is."))
    if now - stored.created_at > REVISABLE:
        raise RatingLocked(_("A rating can be changed for 24 hours, and these are over."))
    if stored.state in SETTLED_STATES or stored.revision_count >= MAX_REVISIONS:
        raise RatingLocked(_("This rating can be changed no more."))
    if not stored.is_available:
        raise ImageUnavailable(_("This image is no longer there to be rated."))


def _reward_of(stored: _Stored, revision: RatingRevision, prices: PriceList) -> int:
    adds_artifacts = stored.artifacts is None and revision.artifacts is not None
    if not adds_artifacts or stored.is_settled or not stored.earns:
        return stored.reward
    return max(stored.reward, reward_for(prices=prices, has_artifacts=True))


def _answer(
    stored: _Stored, said: RatingRevision | _Stored, reward: int, prices: PriceList, *, is_repeat: bool = False
) -> SubmittedRating:
    return SubmittedRating(
        stored.rating_id,
        promise_for(reward or reward_for(prices=prices, has_artifacts=said.artifacts is not None)),
        stored.state,
        said.aesthetic,
        said.artifacts,
        stored.created_at,
        stored.looked_at,
        is_repeat,
    )
