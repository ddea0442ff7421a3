"""`manage.py build_release`: one dataset, one immutable release."""

import sys
import time
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import timedelta
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from exports.models import Release
from exports.queries import held_back_count
from exports.services import Progress, ReleaseFailed, ReleaseInProgress, build_release
from exports.writers.folders import release_folder
from ratings.models import Dataset

STOPPED_BY_PERSON = 130
DESCRIPTION = """\
Build, verify and publish one release of a dataset: every rating that counts and every image that is shown, as they
are at one moment. Answers of the last days are left to the next one, so that moderators come first.

The files are written aside (tables as Parquet and CSV, texts, manifest.json, SHA256SUMS and its signature), read back
from disk, compared with the database, and published in one step; from then on
they never change. The version is today's date, with .1, .2 and so on when the day has one already.

If anything goes wrong nothing is published, the reason is kept with the release, and the exit status is 1. A build
that was killed leaves nothing that the next one does not clear up. Two builds of one dataset never run at once.
"""
EXAMPLES = """\
examples:
  manage.py build_release demo
  manage.py build_release demo --hold-back 0   with the answers of the last minute
  manage.py releases verify demo        check every byte of the newest release again
"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keep the paragraphs and examples as they were written."""


def hours(text: str) -> timedelta:
    try:
        return timedelta(hours=max(0.0, float(text)))
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is no number of hours.") from None


class Command(BaseCommand):
    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXAMPLES, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the dataset, by the name in its address")
        parser.add_argument(
            "--hold-back",
            metavar="HOURS",
            type=hours,
            help="leave out answers younger than this; by default RELEASE_HOLD_BACK_HOURS",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        dataset = find_dataset(options["slug"])
        started_at = time.monotonic()
        try:
            with BuildProgress() as progress:
                release = build_release(
                    dataset=dataset, now=timezone.now(), hold_back=options["hold_back"], on_progress=progress.update
                )
        except (ReleaseInProgress, ReleaseFailed) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Nothing was published.")
            sys.exit(STOPPED_BY_PERSON)
        self.summarize(release, time.monotonic() - started_at)

    def summarize(self, release: Release, seconds: float) -> None:
        folder = release_folder(release.dataset.slug, release.version)
        self.stdout.write(
            f"Published {release}: {counted(release.rating_count, 'rating')}, {counted(release.image_count, 'image')}, "
            f"in {seconds:.1f} s.\n"
            f"It is in {folder}\n"
            f"Check it: cd {folder} && sha256sum -c SHA256SUMS"
        )
        if waiting := held_back_count(release):
            self.stdout.write(
                f"{counted(waiting, 'rating')} that came too lately for this one will be in the next. "
                "With --hold-back 0 all are taken."
            )


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class BuildProgress:
    """A bar for each table on a terminal; nothing elsewhere, where the last lines say it all."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Bars(*columns, console=console, disable=not console.is_terminal)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, progress: Progress) -> None:
        if progress.table not in self._tasks:
            self._tasks[progress.table] = self._bars.add_task(progress.table, total=progress.total)
        self._bars.update(self._tasks[progress.table], completed=progress.done)


def find_dataset(slug: str) -> Dataset:
    """Return the dataset, or say in one sentence which ones there are."""
    dataset = Dataset.objects.filter(slug=slug).first()
    if dataset is None:
        known = ", ".join(Dataset.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(f"There is no dataset {slug!r}; there is {known or 'none yet'}.")
    return dataset
