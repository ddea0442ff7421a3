"""Which controls a rater could be given. What was read of them is bounded, whatever they have rated."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from accounts.access import Caller
from ratings.models import GoldState
from ratings.queries.candidates import PROBES, RATERS, SHARED_PROBES, SHARED_RATER, Candidate, Shelf
from ratings.queries.prepared import fetch_prepared
from ratings.stats.controls import Asked, ControlPolicy

# A control may be with as many raters at once as want it.
ANY_NUMBER = 1000
# Of how many of their ratings, from the newest that is old enough, a repeat is chosen.
REPEATS_AMONG = 400
AT_ONCE = 24

# Nothing is read of those whom nobody knows yet. Gold is counted only while that still matters.
ASKED = """
    SELECT t.id, t.rating_count,
        CASE WHEN t.rating_count < %(first)s THEN (
            SELECT count(*) FROM ratings_controlanswer c WHERE c.rater_id = t.id AND c.kind = 'gold'
        ) ELSE 0 END,
        t.state, coalesce((
            SELECT max(s.ban_log_e) >= ln(%(suspect_at)s::float8) FROM ratings_raterscore s WHERE s.rater_id = t.id
        ), false),
        CASE WHEN t.state = 'watched' THEN (
            SELECT count(*) FROM ratings_controlanswer c
            WHERE c.rater_id = t.id AND c.kind = 'gold' AND c.created_at >= (
                SELECT max(h.taken_at) FROM ratings_ratertransition h WHERE h.rater_id = t.id AND h.to_state = 'watched'
            )
        ) ELSE 0 END,
        CASE WHEN t.state IN ('quarantined', 'voided') THEN coalesce((
            SELECT greatest(0, %(repeats)s - (
                SELECT count(*) FROM ratings_controlanswer c
                WHERE c.rater_id = t.id AND c.kind = 'repeat' AND c.created_at >= a.opened_at
            )) FROM ratings_appeal a WHERE a.rater_id = t.id AND a.state = 'open'
        ), 0) ELSE 0 END
    FROM ratings_rater t WHERE t.identity_id = %(identity)s
"""
# Behind the shared key each address is somebody; how much it has rated is known to the engine alone.
ASKED_OF_ADDRESS = f"""
    SELECT t.id, coalesce((
            SELECT sum(s.rating_count)::int FROM ratings_raterscore s
            WHERE s.rater_id = t.id AND s.address_hash = %(address)s AND s.task = 'aesthetic'
        ), 0), (
            SELECT count(*) FROM ratings_controlanswer c
            WHERE c.rater_id = t.id AND c.address_hash = %(address)s AND c.is_shared
        ), 'new', coalesce((
            SELECT max(s.ban_log_e) >= ln(%(suspect_at)s::float8) FROM ratings_raterscore s
            WHERE s.rater_id = t.id AND s.address_hash = %(address)s
        ), false), 0, 0
    FROM ratings_rater t WHERE t.id = {SHARED_RATER}
"""
ANSWERED = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM unnest({RATERS}) p (id) CROSS JOIN LATERAL (
            SELECT FROM ratings_controlanswer c
            WHERE c.rater_id = p.id AND c.image_id = i.id AND c.kind = 'gold' AND NOT c.is_shared LIMIT 1
        ) c LIMIT 1
    ) answered ON true
"""
ANSWERED_BY_ADDRESS = f"""
    LEFT JOIN LATERAL (
        SELECT 1 AS hit FROM ratings_controlanswer c
        WHERE c.rater_id = {SHARED_RATER} AND c.address_hash = %(address)s AND c.image_id = i.id AND c.kind = 'gold'
            AND c.is_shared LIMIT 1
    ) answered ON true
"""
FOUND = f"i.id, {ANY_NUMBER}, i.width, i.height, i.group_key, 0::float8"
ON_SHELF = """
    i.status = 'active' AND i.adult_class = %(adult_class)s
    AND (%(model)s::text = '' OR i.model_name = %(model)s::text)
"""
NURSERY = f"""
    SELECT {FOUND} FROM (
        SELECT g.image_id FROM ratings_goldimage g
        WHERE g.dataset_id = %(dataset)s AND g.state = %(state)s AND (
            %(model)s::text = ''
            OR EXISTS (SELECT FROM ratings_image m WHERE m.id = g.image_id AND m.model_name = %(model)s::text)
        ) ORDER BY random() LIMIT %(limit)s
    ) g JOIN ratings_image i ON i.id = g.image_id {{probes}} {{answered}}
    WHERE {ON_SHELF} AND rated.hit IS NULL AND skipped.hit IS NULL AND answered.hit IS NULL
"""
OF_NURSERY = {
    False: NURSERY.format(probes=PROBES, answered=ANSWERED),
    True: NURSERY.format(probes=SHARED_PROBES, answered=ANSWERED_BY_ADDRESS),
}
REPEATS = f"""
    SELECT {FOUND} FROM (
        SELECT r.image_id, r.dataset_id, r.created_at, r.state, r.looked_at, r.rater_id FROM ratings_rating r
        WHERE r.rater_id = %(rater)s ORDER BY r.id DESC OFFSET %(between)s LIMIT %(limit)s
    ) r JOIN ratings_image i ON i.id = r.image_id
    WHERE r.dataset_id = %(dataset)s AND r.created_at <= %(before)s AND r.looked_at IS NULL
        AND r.state IN ('counted', 'quarantined') AND {ON_SHELF}
        AND NOT EXISTS (
            SELECT FROM ratings_controlanswer c WHERE c.rater_id = r.rater_id AND c.image_id = r.image_id
                AND c.kind = 'repeat' AND NOT c.is_shared
        )
        AND NOT EXISTS (SELECT FROM ratings_skip s WHERE s.rater_id = r.rater_id AND s.image_id = r.image_id)
    ORDER BY random()
"""
HELD = """
    SELECT i.id, 1, i.width, i.height, i.group_key, 0::float8 FROM ratings_image i
    WHERE i.id = %(image)s AND i.status = 'active' AND i.adult_class = %(adult_class)s
"""


class Lot(StrEnum):
    """What may come instead of an image as any other."""

    GOLD = "gold"
    REPEAT = "repeat"
    RAISE = "raise"


@dataclass(frozen=True, slots=True)
class AskedRater:
    """What a rater was asked so far; ``rater_id`` is None before their first answer."""

    rater_id: int | None
    asked: Asked


def read_asked(*, caller: Caller, policy: ControlPolicy, suspect_at: float) -> AskedRater:
    """Return what the caller was asked so far, in one read."""
    params: dict[str, Any] = {"suspect_at": suspect_at}
    if caller.is_shared:
        params |= {"identity": caller.external_id, "address": caller.address_hash}
    else:
        params |= {"identity": caller.identity_id or 0, "first": policy.first_ratings}
        params |= {"repeats": int(policy.appeal_repeats)}
    rows = fetch_prepared(ASKED_OF_ADDRESS if caller.is_shared else ASKED, params)
    if not rows:
        return AskedRater(None, Asked())
    rater_id, *asked = rows[0]
    return AskedRater(rater_id, Asked(*asked))


def gold_candidates(*, caller: Caller, shelf: Shelf) -> list[Candidate]:
    """Return gold in use that no rater of the person has seen, in random order."""
    return _of_nursery(caller, shelf, GoldState.IN_USE)


def raising_candidates(*, caller: Caller, shelf: Shelf) -> list[Candidate]:
    """Return images that are to become gold and that the person has not rated."""
    return _of_nursery(caller, shelf, GoldState.RAISING)


def repeat_candidates(
    *, asker: AskedRater, shelf: Shelf, policy: ControlPolicy, now: datetime, dice: Random
) -> list[Candidate]:
    """Return images that the rater has rated long enough ago, and never twice."""
    if asker.rater_id is None:
        return []
    between = int(policy.appeal_after if asker.asked.repeats_due else policy.repeat_after)
    spare = max(asker.asked.given - between - AT_ONCE, 0)
    params = {
        "rater": asker.rater_id,
        "between": between + dice.randrange(min(spare, REPEATS_AMONG) + 1),
        "before": now - timedelta(days=policy.repeat_days),
        "limit": AT_ONCE,
    }
    return [Candidate(*row) for row in fetch_prepared(REPEATS, params | _of_shelf(shelf))]


def held_control(*, image_id: object, shelf: Shelf) -> list[Candidate]:
    """Return the image of a control that the caller holds, if it may still be shown."""
    params = {"image": image_id, "adult_class": shelf.adult_class}
    return [Candidate(*row) for row in fetch_prepared(HELD, params)]


def _of_nursery(caller: Caller, shelf: Shelf, state: GoldState) -> list[Candidate]:
    params = {
        "identity": caller.external_id if caller.is_shared else caller.identity_id or 0,
        "user": caller.user_id,
        "address": caller.address_hash,
        "state": state.value,
        "limit": AT_ONCE,
    }
    rows = fetch_prepared(OF_NURSERY[caller.is_shared], params | _of_shelf(shelf))
    return [Candidate(*row) for row in rows]


def _of_shelf(shelf: Shelf) -> dict[str, object]:
    return {"dataset": shelf.dataset_id, "model": shelf.model_name, "adult_class": shelf.adult_class}
