"""`manage.py replay_ratings`: our quality engine for everybody's ratings, without the database."""

import csv
from argparse import RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from rich.console import Console
from rich.table import Table

from ratings.importers.ratings_file import RatingsFile, RatingsFileBroken, read_ratings
from ratings.stats.levels import Flags, Levels, NotARating, guess_levels
from ratings.stats.replay import BATCH, Question, Replayed, replay
from ratings.stats.rows import RatingsInvalid
from ratings.stats.standing import Standing, reason_of

RATER_FIELDS = (
    "rater_id", "n", "bias", "noise", "reliability", "reliability_low", "reliability_high", "p_honest", "state",
    "decided_at_n", "reason",
)  # fmt: skip
SCORE_FIELDS = ("item_id", "n", "n_counted", "mean", "score", "ci_low", "ci_high", "effective_n")
SECONDS_BETWEEN_LINES = 10.0

DESCRIPTION = """\
Who rates honestly, and what is each item worth? Run a file of ratings through the quality engine of this service, as
if they came in one after another. Nothing is read from or written to the database.

FILE is CSV (also .csv.gz, or separated by tabs or semicolons) or Parquet, one rating a row, with the columns

  rater_id, item_id   any text or number
  rating              a number on any scale: 1 to 5, half stars, 0 to 100 ...
  timestamp           optional: seconds, or a date as 2026-05-01T12:00:00; without it the rows are in order of time
  artifacts           optional: a second question that was answered together with the rating; may be empty

Other columns are not looked at. Where a rater rated an item more than once, the last rating counts.

It writes two files into DIR, replacing those of an earlier run:

  raters.csv   rater_id, n            ratings
               bias                   how much higher than others, in units of the scale
               noise                  standard deviation of what is not the item, in units of the scale
               reliability, _low, _high   0 to 1 with its 95 % interval: p_honest times the squared correlation with
                                      the true scores
               p_honest               probability that the rater looks at what they rate
               state                  new, calibrated, trusted, watched or quarantined (does not count)
               decided_at_n           after how many ratings of theirs the state was decided, as ratings came in
               reason                 what speaks against the rater
  scores.csv   item_id, n, n_counted  ratings, and those of raters who are not quarantined
               mean                   plain mean of all ratings
               score                  consensus of honest raters; rank by it
               ci_low, ci_high        95 % interval of the score
               effective_n            how many full ratings the weights come to
"""
EPILOG = """\
examples:
  manage.py replay_ratings ratings.csv --out result
  manage.py replay_ratings ratings.parquet --out result --scale 0.5 5
  manage.py replay_ratings ratings.csv.gz --out result --seeds panel.txt

Four or more ratings an item and ten or more a rater are what it needs to tell honest from not. More than a quarter of
all ratings by people who conspire (the same made-up answer for each item) can only be seen with --seeds.
docs/quality.md explains the method and what it was measured on.
"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keep the paragraphs and examples as they were written."""


class Command(BaseCommand):
    help = DESCRIPTION
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the ratings")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the two files go")
        parser.add_argument(
            "--batch",
            type=int,
            default=BATCH,
            metavar="N",
            help=f"ratings that come in at a time ({BATCH} if left out)",
        )
        parser.add_argument(
            "--scale", type=float, nargs=2, metavar=("MIN", "MAX"), help="ends of the scale (guessed if left out)"
        )
        parser.add_argument(
            "--seeds",
            type=Path,
            metavar="FILE",
            help="ids of raters who were verified beforehand, one a line: shows conspiracies, and withstands them",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch is a number of ratings, 1 or more.")
        started_at = monotonic()
        try:
            file = read_ratings(options["file"])
            questions = find_questions(file, options["scale"])
            seeds = read_seeds(options["seeds"], file) if options["seeds"] else None
            options["out"].mkdir(parents=True, exist_ok=True)
            result = replay(
                file.item,
                file.rater,
                questions,
                batch_size=options["batch"],
                seeds=seeds,
                on_progress=Progress(self.stderr.write, len(file.rater)),
            )
            write_results(options["out"], file, result)
        except (RatingsFileBroken, RatingsInvalid, NotARating, OSError) as error:
            raise CommandError(str(error)) from error
        console = Console(file=cast("IO[str]", self.stdout), markup=False, highlight=False, soft_wrap=True)
        summarize(console, file, questions, result, monotonic() - started_at)
        console.print(f"{options['out'] / 'raters.csv'} and {options['out'] / 'scores.csv'} are written.")


class Progress:
    """A line every ten seconds."""

    def __init__(self, write: Any, total: int) -> None:
        self.write = write
        self.total = total
        self.told_at = monotonic()

    def __call__(self, rows: int) -> None:
        if monotonic() - self.told_at >= SECONDS_BETWEEN_LINES:
            self.told_at = monotonic()
            self.write(f"{rows:,} of {self.total:,} ratings")


def find_questions(file: RatingsFile, scale: list[float] | None) -> list[Question]:
    """Return the questions of the file with their scales. Raises NotARating and RatingsFileBroken."""
    levels = guess_levels(file.rating)
    if scale:
        low, high = scale
        if not low < high:
            raise NotARating(f"--scale wants the lower end first, not {low:g} {high:g}.")
        outside = np.flatnonzero((file.rating < low) | (file.rating > high))
        if len(outside):
            where = f"{file.rater_ids[file.rater[outside[0]]]!r} rated {file.item_ids[file.item[outside[0]]]!r}"
            raise RatingsFileBroken(
                f"{len(outside):,} ratings are not on the scale {low:g} to {high:g}; "
                f"the first: {where} with {file.rating[outside[0]]:g}."
            )
        levels = Levels(low, high, guess_levels(np.r_[file.rating, low, high]).step)
    questions = [Question(levels, file.rating)]
    if file.artifacts is not None and not np.isnan(file.artifacts).all():
        given = file.artifacts[~np.isnan(file.artifacts)]
        questions.append(Question(guess_levels(given), file.artifacts))
    return questions


def read_seeds(path: Path, file: RatingsFile) -> Flags:
    """Return which raters are seeds. Raises RatingsFileBroken when none of those named is in the file."""
    try:
        named = {line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()}
    except UnicodeDecodeError as error:
        raise RatingsFileBroken(f"{path.name} is not UTF-8 text.") from error
    seeds = np.array([rater in named for rater in file.rater_ids], dtype=np.bool_)
    if not seeds.any():
        raise RatingsFileBroken(f"None of the raters named in {path.name} has rated anything.")
    return seeds


def write_results(out: Path, file: RatingsFile, result: Replayed) -> None:
    """Write both files, each in one step."""
    write_csv(out / "raters.csv", RATER_FIELDS, rater_rows(file, result))
    write_csv(out / "scores.csv", SCORE_FIELDS, score_rows(file, result))


def write_csv(path: Path, fields: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        writer.writerows(rows)
    unfinished.replace(path)


def rater_rows(file: RatingsFile, result: Replayed) -> Iterable[tuple[object, ...]]:
    raters, verdicts = result.raters, result.verdicts
    for index, rater_id in enumerate(file.rater_ids):
        numbers = (raters.bias, raters.noise, raters.reliability, raters.reliability_low, raters.reliability_high)
        yield (
            rater_id,
            int(raters.count[index]),
            *(f"{column[index]:.4f}" for column in numbers),
            f"{raters.p_honest[index]:.10g}",
            Standing(int(verdicts.standing[index])).name.lower(),
            int(result.decided_at[index]) or "",
            reason_of(raters, index, int(verdicts.kind[index])),
        )


def score_rows(file: RatingsFile, result: Replayed) -> Iterable[tuple[object, ...]]:
    images = result.images
    for index, item_id in enumerate(file.item_ids):
        numbers = (images.mean, images.score, images.low, images.high, images.effective_count)
        yield (item_id, int(images.count[index]), int(images.counted[index]), *(f"{c[index]:.4f}" for c in numbers))


def summarize(console: Console, file: RatingsFile, questions: list[Question], result: Replayed, seconds: float) -> None:
    """Tell what was read and what came out."""
    levels = questions[0].levels
    console.print(
        f"{len(file.rater):,} ratings of {len(file.item_ids):,} items by {len(file.rater_ids):,} raters, on a scale "
        f"from {levels.low:g} to {levels.high:g} in steps of {levels.step:g}, in {seconds:.1f} s."
    )
    if file.replaced_count:
        console.print(f"{file.replaced_count:,} ratings were left out: the rater rated the item again later.")
    if not file.has_time:
        console.print("There is no column timestamp: the order of the rows is taken for the order of time.")
    standing = Counter(result.verdicts.standing.tolist())
    ratings = np.bincount(result.verdicts.standing, result.raters.count, len(Standing))
    table = Table("state", "raters", "ratings", show_edge=False)
    for level in Standing:
        table.add_row(level.name.lower(), f"{standing[level]:,}", f"{int(ratings[level]):,}")
    console.print(table)
    console.print(f"Scores as ratings came in and from scratch: rank correlation {result.online_correlation:.4f}.")
    if result.chained is not None:
        correlation = (
            f"Scores with all raters and with the seeds' chain: rank correlation {result.chained.correlation:.4f}"
        )
        alarm = "ALARM: raters conspire; the scores rest on the seeds' chain" if result.chained.is_ring else "no ring"
        console.print(f"{correlation}, {alarm}.")
