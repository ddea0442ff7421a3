"""`manage.py load_demo`: something to rate on the first start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ratings.importers.demo import DEMO_PICTURE_COUNT
from ratings.management.progress import ImportProgress
from ratings.services.demo import load_demo


class Command(BaseCommand):
    help = "Fill the dataset “demo” with pictures that are drawn on the spot. What is there already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--count",
            type=int,
            default=DEMO_PICTURE_COUNT,
            metavar="N",
            help=f"only the first N pictures, which are of all families (all {DEMO_PICTURE_COUNT} if left out)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        count = options["count"]
        if not 1 <= count <= DEMO_PICTURE_COUNT:
            raise CommandError(f"--count is between 1 and {DEMO_PICTURE_COUNT}.")
        with ImportProgress(label="Drawing demo pictures", total=count) as progress:
            report = load_demo(count=count, on_progress=progress.update)
        if report.refused:
            raise CommandError(f"{report.refused} demo pictures were refused.")
        self.stdout.write(f"Demo dataset: {report.imported} pictures drawn, {report.known} were there.")
