"""Who is watched is told to the gate: they prove some work now and then, the more the more speaks against them."""

from math import log

from django.db import connection

from ratings.countermeasures.watched import HARDEST, replace_watched
from ratings.stats.parameters import Policy

# As the gate names those who call: a person by the account, all others by themselves. In quarantine as before it.
WATCHED = """
    SELECT CASE WHEN i.user_id IS NOT NULL THEN 'user:' || i.user_id ELSE i.kind || ':' || i.external_id END,
        coalesce((SELECT max(s.ban_log_e) FROM ratings_raterscore s WHERE s.rater_id = t.id), 0),
        (SELECT count(*) FROM ratings_ratersignal g WHERE g.rater_id = t.id AND g.is_striking)
    FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id
    WHERE t.state = 'watched' OR t.state_before = 'watched'
"""


def publish_watched(*, policy: Policy) -> int:
    """Tell the gate who is watched; return how many are. Raises ValkeyUnavailable."""
    with connection.cursor() as cursor:
        cursor.execute(WATCHED)
        found = cursor.fetchall()
    hardness: dict[str, int] = {}
    for holder, ban_log_e, striking in found:
        beyond = max((ban_log_e - log(policy.watched_at)) / log(10), 0.0)
        own = min(1 + int(beyond) + striking, HARDEST)
        hardness[holder] = max(own, hardness.get(holder, 0))
    replace_watched(hardness)
    return len(hardness)
