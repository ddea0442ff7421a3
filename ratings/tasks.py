"""Background work of ratings."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from kudos.award import current_award
from kudos.services.payouts import create_payouts, send_payouts
from ratings.controls import current_control_policy
from ratings.queries.datasets import all_dataset_ids, dataset_detail, dataset_overview, open_dataset_ids
from ratings.queries.payable import payable_identities
from ratings.queries.progress import keep_progress
from ratings.selection import refresh_tail_pool
from ratings.services.appealing import decide_appeals
from ratings.services.nursery import maintain_nursery
from ratings.services.scoring import carry_out_quarantines, is_fit_due, recompute_scores, update_scores
from ratings.services.settlement import settle_rewards
from ratings.services.signals import measure_pushes, measure_signals
from ratings.services.watching import publish_watched
from ratings.stats.parameters import Policy

# Batches of one dataset before it is the next one's turn.
MOST_BATCHES = 20
# A run of sending ends before the next one is due; the last request may take a quarter of a minute more.
SENDING_PATIENCE = timedelta(seconds=40)


def current_policy() -> Policy:
    """Return the thresholds that the settings state."""
    return Policy(**settings.QUALITY_POLICY)


@shared_task(soft_time_limit=300, time_limit=330)
def settle_rewards_task() -> None:
    """Settle what has been pending for longer than the hold time."""
    settle_rewards(hold=timedelta(seconds=settings.REWARD_HOLD_SECONDS), now=timezone.now())


@shared_task(soft_time_limit=300, time_limit=330)
def create_payouts_task() -> None:
    """Put the kudos of raters in good standing into the outbox: who they are is nothing that kudos knows."""
    create_payouts(
        payable=payable_identities(), minimum=settings.PAYOUT_MINIMUM, award=current_award(), now=timezone.now()
    )


@shared_task(soft_time_limit=90, time_limit=120)
def send_payouts_task() -> None:
    """Send the payouts that are due to AI Horde, but for those of raters who were taken out of the count since."""
    send_payouts(award=current_award(), patience=SENDING_PATIENCE, clock=timezone.now, payable=payable_identities())


@shared_task(soft_time_limit=600, time_limit=620)
def count_for_pages_task() -> None:
    """Count what the pages about datasets show, before a visitor has to wait for it."""
    overviews = dataset_overview()
    keep_progress(overviews)
    for overview in overviews:
        dataset_detail(overview.slug)


@shared_task(soft_time_limit=60, time_limit=70)
def refresh_tail_pools_task() -> None:
    """Renew the pools of the datasets that are nearly finished."""
    for dataset_id in open_dataset_ids():
        refresh_tail_pool(dataset_id=dataset_id)


@shared_task(soft_time_limit=600, time_limit=620)
def update_scores_task() -> None:
    """Take new answers of every dataset into its scores, and act on what they say of raters."""
    policy = current_policy()
    for dataset_id in all_dataset_ids():
        for _ in range(MOST_BATCHES):
            taken = update_scores(dataset_id=dataset_id, policy=policy, now=timezone.now())
            if taken.is_all or taken.is_waiting:
                break
        if is_fit_due(dataset_id=dataset_id):
            recompute_scores(dataset_id=dataset_id, policy=policy, now=timezone.now())
    carry_out_quarantines(policy=policy, now=timezone.now())
    decide_appeals(policy=current_control_policy(), now=timezone.now())
    publish_watched(policy=policy)


@shared_task(soft_time_limit=3000, time_limit=3300)
def recompute_scores_task() -> None:
    """Fit every dataset from scratch, nightly, and act on what only that can say of raters."""
    policy = current_policy()
    for dataset_id in all_dataset_ids():
        recompute_scores(dataset_id=dataset_id, policy=policy, now=timezone.now())
    carry_out_quarantines(policy=policy, now=timezone.now(), is_nightly=True)


@shared_task(soft_time_limit=500, time_limit=530)
def maintain_nurseries_task() -> None:
    """Keep every dataset that hands images out in gold."""
    for dataset_id in open_dataset_ids():
        maintain_nursery(dataset_id=dataset_id, policy=current_control_policy(), now=timezone.now())


@shared_task(soft_time_limit=600, time_limit=620)
def measure_signals_task() -> None:
    """Measure how those answer who have answered since the last time."""
    for dataset_id in all_dataset_ids():
        measure_signals(dataset_id=dataset_id, now=timezone.now())


@shared_task(soft_time_limit=3000, time_limit=3300)
def measure_pushes_task() -> None:
    """Look for images that several raters push, nightly: it takes all answers of a dataset."""
    for dataset_id in all_dataset_ids():
        measure_pushes(dataset_id=dataset_id, now=timezone.now())
