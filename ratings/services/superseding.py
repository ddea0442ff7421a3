"""One person, one say on an image: of ratings under several identities of theirs, the first is the one that counts."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from ratings.services.counters import VOIDABLE, WAS_COUNTED, lock_ratings, move_counters, note_changes

LIVE_RATINGS = """
    ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id JOIN accounts_identity i ON i.id = t.identity_id
    WHERE i.user_id = %(user)s AND t.is_linked AND r.state = ANY(%(states)s)
"""
REPEATED = f"""
    SELECT unnest(ids) FROM (
        SELECT array_agg(r.id) AS ids FROM {LIVE_RATINGS} GROUP BY r.image_id HAVING count(*) > 1
    ) repeated
"""
PEOPLE_WHO_REPEAT = """
    SELECT DISTINCT i.user_id FROM ratings_rating g JOIN ratings_rater a ON a.id = g.rater_id AND a.is_linked
        JOIN accounts_identity i ON i.id = a.identity_id
    WHERE g.id = ANY(%s) AND EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_rating o ON o.rater_id = t.id AND o.image_id = g.image_id
        WHERE s.user_id = i.user_id AND o.id <> g.id AND o.state = ANY(%s)
    )
"""
KEEP_THE_FIRST = """
    DELETE FROM moderated m USING (
        SELECT m.id, row_number() OVER (PARTITION BY m.image_id ORDER BY r.id = ANY(%s), r.created_at, r.id) AS place
        FROM moderated m JOIN ratings_rating r ON r.id = m.id
    ) p WHERE p.id = m.id AND p.place = 1
"""
SUPERSEDE = """
    UPDATE ratings_rating r SET state = 'superseded' FROM moderated m WHERE r.id = m.id RETURNING r.id
"""


def supersede_ratings(*, user_id: int, newest: Sequence[int] = ()) -> set[int]:
    """Let the later ratings of an image by one person count no more; return their ids. Doing it again changes nothing.

    ``newest`` are ratings that have not been acknowledged yet: they yield to others, whatever their clocks say.
    Counters of images and raters follow. A pending reward is dropped with its rating; what was settled stays.
    Locks are taken as for voiding: ratings, images, raters.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REPEATED, {"user": user_id, "states": VOIDABLE})
        repeated = [pk for (pk,) in cursor.fetchall()]
        return _supersede(cursor, repeated, newest) if repeated else set()


def supersede_repeats(*, rating_ids: Sequence[int], newest: Sequence[int] = ()) -> set[int]:
    """Do the same for the people who gave these ratings, if an image of them has another of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE_WHO_REPEAT, [list(rating_ids), VOIDABLE])
        people = [user_id for (user_id,) in cursor.fetchall()]
    return {pk for user_id in people for pk in supersede_ratings(user_id=user_id, newest=newest)}


def _supersede(cursor: CursorWrapper, rating_ids: list[int], newest: Sequence[int]) -> set[int]:
    # What was voided or superseded meanwhile is no longer in the way, and is not locked.
    condition = "r.id = ANY(%(ids)s) AND r.state = ANY(%(states)s)"
    lock_ratings(cursor, condition=condition, params={"ids": rating_ids, "states": VOIDABLE})
    cursor.execute(KEEP_THE_FIRST, [list(newest)])
    move_counters(cursor, sign=-1, which=WAS_COUNTED)
    note_changes(cursor)
    cursor.execute(SUPERSEDE)
    return {int(pk) for (pk,) in cursor.fetchall()}
