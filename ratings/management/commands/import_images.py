"""`manage.py import_images`: one sub-command for each kind of source."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from rich.console import Console
from rich.table import Table

from ratings.importers.folder import SUFFIXES, Folder, NoSuchFolder
from ratings.importers.licences import is_spdx_expression
from ratings.importers.sources import Refusal, SourceImage
from ratings.management.progress import ImportProgress
from ratings.models import AdultClass, Dataset
from ratings.services.dataset import DatasetExists, DatasetInvalid, create_dataset
from ratings.services.importing import ImportReport, import_images

SHOWN_REFUSALS = 50
STOPPED_BY_PERSON = 130

FOLDER_HELP = f"""\
Import the pictures in a folder and its sub-folders ({", ".join(SUFFIXES)}).

Every picture is decoded completely and stored as WebP of 1024 and 512 pixels without its metadata; the folder is
only read. The same bytes are the same image: running the command again adds what is new and nothing twice, and a
run that was interrupted goes on where it stopped. What cannot be imported is listed with the reason, and the
rest goes on. The exit status is 1 only if nothing was imported and nothing was known.
"""
FOLDER_EXAMPLE = """\
examples:
  manage.py import_images folder ~/pictures --dataset harbours --licence CC-BY-4.0
  manage.py import_images folder ~/pictures --dataset harbours --index ~/pictures/index.jsonl --refused refused.jsonl

an index line, of which only "file" is needed (docs/importing.md has every key):
  {"file": "boats/1.png", "id": "b1", "prompt": "two boats", "model": "sdxl", "sha256": "9f86d0...", "steps": 30}
"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keep the paragraphs and examples as they were written."""


class Command(BaseCommand):
    help = "Import pictures into a dataset, which is created if there is none of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE", title="sources")
        folder = sources.add_parser(
            "folder",
            help="a folder of picture files, with or without an index",
            description=FOLDER_HELP,
            epilog=FOLDER_EXAMPLE,
            formatter_class=HelpFormatter,
        )
        folder.add_argument("path", type=Path, metavar="PATH", help="the folder")
        folder.add_argument("--index", type=Path, metavar="FILE", help="JSON lines that say more of each picture")
        folder.set_defaults(find_images=find_in_folder)
        add_common_arguments(folder)

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            found = peek(options["find_images"](options))
            dataset, is_new = find_or_create_dataset(options)
            report, refusals = self.run_import(dataset, found, options)
        except (NoSuchFolder, DatasetExists, DatasetInvalid, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped. What was imported stays; the same command goes on from here.")
            sys.exit(STOPPED_BY_PERSON)
        self.summarize(dataset, report, refusals, is_new=is_new, is_dry_run=options["dry_run"])
        if not report.imported + report.known:
            raise CommandError("Nothing could be imported.")

    def run_import(
        self, dataset: Dataset, found: Iterator[SourceImage | Refusal], options: dict[str, Any]
    ) -> tuple[ImportReport, list[Refusal]]:
        with ExitStack() as stack:
            progress = stack.enter_context(ImportProgress(label=f"Importing into {dataset.slug}"))
            refusals = RefusalLog(stack.enter_context(options["refused"].open("w")) if options["refused"] else None)
            report = import_images(
                dataset=dataset,
                sources=found,
                on_refused=refusals.add,
                on_progress=progress.update,
                is_dry_run=options["dry_run"],
            )
        return report, refusals.first

    def summarize(
        self, dataset: Dataset, report: ImportReport, refusals: list[Refusal], *, is_new: bool, is_dry_run: bool
    ) -> None:
        console = Console(file=cast("IO[str]", self.stdout), markup=False, highlight=False, soft_wrap=True)
        table = Table("", dataset.slug + (" (new)" if is_new else ""), show_edge=False)
        table.columns[1].justify = "right"
        table.add_row("would be imported" if is_dry_run else "imported", f"{report.imported:,}")
        table.add_row("known already", f"{report.known:,}")
        table.add_row("refused", f"{report.refused:,}")
        console.print(table)
        for refusal in refusals:
            console.print(f"refused: {printable(refusal.name)}: {printable(refusal.reason)}")
        if report.refused > len(refusals):
            console.print(f"... and {report.refused - len(refusals):,} more; --refused FILE writes all of them down")


class RefusalLog:
    """Every refusal to a file, if there is one, and the first few in memory."""

    def __init__(self, file: TextIO | None) -> None:
        self.file = file
        self.first: list[Refusal] = []

    def add(self, refusal: Refusal) -> None:
        if len(self.first) < SHOWN_REFUSALS:
            self.first.append(refusal)
        if self.file:
            self.file.write(json.dumps({"name": refusal.name, "reason": refusal.reason}) + "\n")


def add_common_arguments(parser: CommandParser) -> None:
    """Add what every source needs to know."""
    parser.add_argument("--dataset", required=True, metavar="SLUG", help="where the pictures go")
    parser.add_argument(
        "--licence",
        default="",
        metavar="SPDX",
        help="licence of these pictures, as CC0-1.0, CC-BY-4.0 or MIT; needed for a dataset that is new",
    )
    parser.add_argument("--name", metavar="TEXT", help="name of a dataset that is new (made from the slug if left out)")
    parser.add_argument(
        "--target", type=int, metavar="N", help="ratings that each picture of a new dataset is to get (5 if left out)"
    )
    parser.add_argument(
        "--adult-class",
        choices=AdultClass.values,
        default=AdultClass.SAFE,
        help="class of pictures of which the index says nothing; only safe ones are shown to everybody",
    )
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
    parser.add_argument("--refused", type=Path, metavar="FILE", help="write all refusals to this file as JSON lines")


def find_in_folder(options: dict[str, Any]) -> Iterator[SourceImage | Refusal]:
    """Return what a folder holds. Raises NoSuchFolder."""
    return Folder(
        options["path"],
        index=options["index"],
        licence=options["licence"],
        adult_class=AdultClass(options["adult_class"]),
    ).find_images()


def peek(found: Iterator[SourceImage | Refusal]) -> Iterator[SourceImage | Refusal]:
    """Return the same again. Raises CommandError if there is nothing at all, before a dataset is made for it."""
    first = next(found, None)
    if first is None:
        raise CommandError("There is nothing to import here: not one file.")
    return chain([first], found)


def find_or_create_dataset(options: dict[str, Any]) -> tuple[Dataset, bool]:
    """Return the dataset and whether it is new; a dry run creates none. Raises CommandError and DatasetInvalid."""
    slug, licence = options["dataset"], options["licence"]
    if licence and not is_spdx_expression(licence):
        raise CommandError(f"“{licence}” is not an SPDX expression; CC0-1.0, CC-BY-4.0 and MIT are.")
    if dataset := Dataset.objects.filter(slug=slug).first():
        if options["name"] or options["target"]:
            raise CommandError(f"The dataset {slug} exists: --name and --target are for one that is new.")
        return dataset, False
    if not licence:
        raise CommandError(
            f"There is no dataset {slug} yet: to create it, say under which licence its pictures are (--licence)."
        )
    fields = {
        "slug": slug,
        "name": options["name"] or slug.replace("-", " ").capitalize(),
        "licence": licence,
        "target_rating_count": 5 if options["target"] is None else options["target"],
    }
    return (Dataset(**fields) if options["dry_run"] else create_dataset(**fields)), True


def printable(text: str) -> str:
    """Return the text without what could steer a terminal: names of files are other people's words."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
