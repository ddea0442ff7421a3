"""`manage.py import_legacy_export`: the ratings of an old export, as a dataset of history."""

import json
import sys
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.utils import timezone

from ratings.importers.legacy import LegacyExport, NotALegacyExport
from ratings.importers.sources import Refusal
from ratings.management.progress import ImportProgress
from ratings.models import Dataset
from ratings.services.dataset import DatasetExists, DatasetInvalid
from ratings.services.history import (
    HistoryBusy,
    HistoryDisturbed,
    HistoryReport,
    NotHistory,
    Stage,
    create_history,
    find_history,
    import_history,
)

SHOWN_REFUSALS = 20
STOPPED_BY_PERSON = 130
DESCRIPTION = """\
Take over the ratings of an export of the Stable Horde's ratings service: a Parquet file with one row a rating, in its
eleven, thirteen or fourteen columns, or the file legacy_export.parquet of one of our own releases.

They become a dataset of their own that is closed: the pictures are not here, and nobody rates them any more. Every
rating is kept as it was, people who rated an image twice included. A row that cannot be so is refused with its reason
and written to a file; the rest goes on.

The same command again adds nothing twice, and goes on where a run that was stopped or killed had come to. A later
export into the same dataset adds what it has more.
"""
EXAMPLES = """\
examples:
  manage.py import_legacy_export diffusiondb_export.parquet --dataset diffusiondb --licence CC-BY-SA-4.0 --dry-run
  manage.py import_legacy_export diffusiondb_export.parquet --dataset diffusiondb --licence CC-BY-SA-4.0
  manage.py build_release diffusiondb
"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keep the paragraphs and examples as they were written."""


class Command(BaseCommand):
    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXAMPLES, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the export")
        parser.add_argument("--dataset", required=True, metavar="SLUG", help="where the ratings go")
        parser.add_argument("--name", default="", metavar="TEXT", help="name of a dataset that is new")
        parser.add_argument(
            "--licence", default="", metavar="SPDX", help="licence of the ratings; needed for a dataset that is new"
        )
        parser.add_argument(
            "--image-licence",
            default="",
            metavar="SPDX",
            help="licence of the pictures that were rated (NOASSERTION if left out)",
        )
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, store nothing")
        parser.add_argument("--limit", type=row_count, metavar="N", help="only the first N rows of the file")
        parser.add_argument(
            "--refused",
            type=Path,
            metavar="FILE",
            help="where refusals are written to, as JSON lines (the name of the export with .refused.jsonl, here)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            export = LegacyExport(options["file"])
            if not export.row_count:
                raise CommandError(f"There is nothing in {export.path}: it has no rows.")
            report, refusals = self.run_import(export, find_dataset(options), options)
        except (NotALegacyExport, NotHistory, HistoryBusy, HistoryDisturbed, DatasetExists, DatasetInvalid) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The refusals could not be written: {error}") from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. What was stored stays; the same command goes on from here.")
            sys.exit(STOPPED_BY_PERSON)
        self.summarize(options, report, refusals)
        if not report.accepted:
            raise CommandError("There was not one row that could be taken over.")

    def run_import(
        self, export: LegacyExport, dataset: Dataset | None, options: dict[str, Any]
    ) -> tuple[HistoryReport, "Refusals"]:
        limit = options["limit"]
        total = export.row_count if limit is None else min(limit, export.row_count)
        path = options["refused"] or Path(f"{export.path.stem}.refused.jsonl")
        with Refusals(path) as refusals, Stages(options["dataset"], total) as stages:
            now = timezone.now()
            report = import_history(
                dataset=dataset,
                rows=export.read(now=now, limit=limit),
                now=now,
                on_refused=refusals.add,
                on_progress=stages.update,
            )
        return report, refusals

    def summarize(self, options: dict[str, Any], report: HistoryReport, refusals: "Refusals") -> None:
        if options["dry_run"]:
            self.stdout.write(f"{report.accepted:,} of {report.read:,} rows could be taken over; nothing was stored.")
        else:
            self.stdout.write(
                f"{options['dataset']}: {report.imported:,} ratings taken over, {report.known:,} known already; "
                f"{report.images:,} images are new."
            )
        if report.refused:
            self.stdout.write(f"{report.refused:,} rows were refused; all of them with their reasons: {refusals.path}")
        for refusal in refusals.first:
            self.stdout.write(f"refused: {refusal.name}: {refusal.reason}")
        if report.imported:
            self.stdout.write(f"Publish them: manage.py build_release {options['dataset']}")


class Stages:
    """One line of progress for reading, then one for storing."""

    def __init__(self, slug: str, total: int) -> None:
        self.slug = slug
        self.total = total
        self.stage = Stage.READING
        self.stack = ExitStack()
        self.progress = self.show("Reading", total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stack.close()

    def show(self, verb: str, total: int) -> ImportProgress:
        return self.stack.enter_context(ImportProgress(label=f"{verb} {self.slug}", total=total, noun="ratings"))

    def update(self, report: HistoryReport) -> None:
        if report.stage is not self.stage:
            self.stack.close()
            self.stage = report.stage
            self.progress = self.show("Storing", report.accepted)
        self.progress.update(report)


class Refusals:
    """Every refusal to a file, which is made when there is a first, and a few in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[Refusal] = []
        self.stack = ExitStack()
        self.file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stack.close()

    def add(self, refusal: Refusal) -> None:
        if self.file is None:
            self.file = self.stack.enter_context(self.path.open("w", encoding="utf-8"))
        if len(self.first) < SHOWN_REFUSALS:
            self.first.append(refusal)
        self.file.write(json.dumps({"name": refusal.name, "reason": refusal.reason}) + "\n")


def row_count(text: str) -> int:
    """Return a number of rows, at least 1."""
    if not text.isdecimal() or not 1 <= int(text) < 2**63:
        raise ArgumentTypeError("must be a whole number from 1")
    return int(text)


def find_dataset(options: dict[str, Any]) -> Dataset | None:
    """Return the dataset, made if it is new; a dry run makes none and returns none.

    Raises CommandError, NotHistory, DatasetExists, DatasetInvalid.
    """
    slug, licence, image_licence = options["dataset"], options["licence"], options["image_licence"]
    dataset = find_history(slug=slug)
    if dataset is not None:
        stated = (
            (options["name"], dataset.name),
            (licence, dataset.ratings_licence),
            (image_licence, dataset.licence),
        )
        if any(wanted and wanted != known for wanted, known in stated):
            raise CommandError(f"The dataset {slug} exists under another name or licence.")
        return None if options["dry_run"] else dataset
    if not licence:
        raise CommandError(f"There is no dataset {slug} yet: say under which licence its ratings are (--licence).")
    if options["dry_run"]:
        return None
    name = options["name"] or slug.replace("-", " ").capitalize()
    return create_history(slug=slug, name=name, ratings_licence=licence, licence=image_licence or "NOASSERTION")
