"""Background work of exports."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from exports.queries import due_dataset_ids
from ratings.models import Dataset


@shared_task(soft_time_limit=300, time_limit=330)
def build_releases_task() -> None:
    """Have one release built of each dataset that is due; each in a task of its own, so that one may fail."""
    for dataset_id in due_dataset_ids(now=timezone.now()):
        build_release_task.delay(dataset_id=str(dataset_id))


@shared_task(soft_time_limit=300, time_limit=330)
def retire_releases_task() -> None:
    """Take away the files of releases that have been kept long enough; a dataset that is being built waits a day."""
    from exports.services import ReleaseInProgress, releases_to_retire, retire_release

    now = timezone.now()
    for dataset in Dataset.objects.order_by("slug"):
        for release in releases_to_retire(dataset=dataset, now=now):
            with suppress(ReleaseInProgress):
                retire_release(release=release, now=now)


# Below the hour after which the broker believes a task lost and hands it out again; should it do so all the same,
# the second build finds the first one's lock and says so.
@shared_task(soft_time_limit=3300, time_limit=3400)
def build_release_task(*, dataset_id: str) -> None:
    # Web processes import this module to hand the task out; Arrow would cost each of them 50 MB and half a second.
    from exports.services import build_release

    build_release(dataset=Dataset.objects.get(pk=dataset_id), now=timezone.now())
