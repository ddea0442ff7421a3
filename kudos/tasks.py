"""Background work of kudos."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from kudos.award import current_award
from kudos.services.payouts import send_payouts

# A run ends before the next one is due; the last request may take a quarter of a minute more.
PATIENCE = timedelta(seconds=40)


@shared_task(soft_time_limit=90, time_limit=120)
def send_payouts_task() -> None:
    """Send the payouts that are due to AI Horde."""
    send_payouts(award=current_award(), patience=PATIENCE, clock=timezone.now)
