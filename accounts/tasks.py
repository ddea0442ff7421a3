"""Background work of accounts."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from accounts.providers.own import KEY_USAGE
from accounts.services import record_key_usage
from accounts.valkey import get_client

SET_ASIDE = f"{KEY_USAGE}:aside"


@shared_task(soft_time_limit=30, time_limit=40)
def record_key_usage_task() -> None:
    """Write to the database which keys were used since the last run."""
    valkey = get_client()
    # Set aside first, deleted last: a run that dies leaves it to the next one.
    if not valkey.exists(SET_ASIDE) and valkey.exists(KEY_USAGE):
        valkey.rename(KEY_USAGE, SET_ASIDE)
    used = valkey.hgetall(SET_ASIDE)
    record_key_usage(last_used={int(key): float(at) for key, at in used.items()})
    valkey.delete(SET_ASIDE)


@shared_task(soft_time_limit=600, time_limit=660)
def delete_expired_sessions_task() -> None:
    """Forget who was signed in until a while ago."""
    SessionStore.clear_expired()
