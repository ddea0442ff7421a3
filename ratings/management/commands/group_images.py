"""`manage.py group_images`: images from before there were groups get theirs."""

from typing import Any

from django.core.management.base import BaseCommand

from ratings.models import Dataset
from ratings.services.grouping import group_ungrouped


class Command(BaseCommand):
    help = (
        "Find out which images belong together (prompt, set, looks), so that nobody is shown two of a kind in a row. "
        "For images from before this was done at import. May be stopped, and run again, while people rate."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        for dataset in Dataset.objects.order_by("slug"):
            count, place = group_ungrouped(dataset_id=dataset.pk)
            while place is not None:
                more, place = group_ungrouped(dataset_id=dataset.pk, after=place)
                count += more
            self.stdout.write(f"{dataset.slug}: {count} images grouped.")
