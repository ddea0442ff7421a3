"""The Celery application; its schedule is CELERY_BEAT_SCHEDULE of the settings, in version control."""

import os

from celery import Celery, shared_task
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

app = Celery("kudoscope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery replaces the root handlers unless somebody listens; the settings have configured logging."""


@shared_task(soft_time_limit=10, time_limit=15)
def worker_heartbeat_task() -> None:
    """Leave a mark that /readyz reads: schedule, broker and worker all work."""
    from config.health import record_worker_heartbeat

    record_worker_heartbeat()


@shared_task(soft_time_limit=3000, time_limit=3300)
def check_invariants_task() -> None:
    """Run every invariant nightly; what is off is logged as an error."""
    from config.invariants import report_violations

    report_violations()
