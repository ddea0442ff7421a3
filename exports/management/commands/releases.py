"""`manage.py releases`: which there are, whether they are as they were published, and which have been kept enough."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from exports.management.commands.build_release import HelpFormatter, counted, find_dataset
from exports.models import Release
from exports.queries import published_releases_of
from exports.services import (
    ReleaseInProgress,
    ReleaseNotVerified,
    releases_to_retire,
    retire_release,
    verify_release,
)
from ratings.models import Dataset

DESCRIPTION = "Look after the releases of datasets. To make one: manage.py build_release SLUG."
EXAMPLES = """\
examples:
  manage.py releases list                 every release, newest first, with its state and size
  manage.py releases verify demo          read every byte of the newest one again
  manage.py releases verify demo --all    of every one
  manage.py releases prune --dry-run      which have been kept long enough (RELEASE_KEEP_MONTHS)
  manage.py releases prune                take their files away; the newest of each year stays for good

The exit status is 1 if anything differs.
"""


class Command(BaseCommand):
    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXAMPLES, formatter_class=HelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        listing = actions.add_parser("list", help="every release with its state, rows and size")
        listing.add_argument("slug", metavar="SLUG", nargs="?", default="", help="of this dataset alone")
        verify = actions.add_parser("verify", help="check every byte against checksums, manifest, signature, database")
        verify.add_argument("slug", metavar="SLUG", help="the dataset, by the name in its address")
        verify.add_argument("version", metavar="VERSION", nargs="?", default="", help="the newest release if left out")
        verify.add_argument("--all", action="store_true", help="every release of the dataset")
        prune = actions.add_parser("prune", help="take away the files of what has been kept long enough")
        prune.add_argument("slug", metavar="SLUG", nargs="?", default="", help="of this dataset alone")
        prune.add_argument("--dry-run", action="store_true", help="only say which those are")

    def handle(self, *_args: object, **options: Any) -> None:
        getattr(self, f"do_{options['action']}")(**options)

    def do_list(self, *, slug: str, **_options: object) -> None:
        releases = Release.objects.filter(dataset__in=_datasets(slug)).select_related("dataset")
        sized = releases.annotate(byte_count=Sum("files__byte_count", default=0))
        for release in sized.order_by("dataset__slug", "-requested_at", "-pk"):
            rows = f"{counted(release.rating_count, 'rating')}, {counted(release.image_count, 'image')}"
            size = filesizeformat(release.byte_count).replace("\xa0", " ")
            about = release.failure or f"{rows}, {size}"
            self.stdout.write(f"{release}  {release.state}  {about}")

    def do_verify(self, *, slug: str, version: str, **options: Any) -> None:
        dataset = find_dataset(slug)
        releases = published_releases_of(dataset.slug, version)
        if not releases:
            which = f"{slug} {version}" if version else f"of {slug}"
            raise CommandError(f"There is no published release {which}.")
        problem_count = sum(self._problems_of(release) for release in (releases if options["all"] else releases[:1]))
        if problem_count:
            raise CommandError("1 problem found." if problem_count == 1 else f"{problem_count} problems found.")

    def _problems_of(self, release: Release) -> int:
        try:
            files = verify_release(release=release)
        except ReleaseNotVerified as error:
            self.stderr.write("\n".join(f"{release}: {problem}" for problem in error.problems))
            return len(error.problems)
        self.stdout.write(f"{release}: {len(files)} files are as they were published.")
        return 0

    def do_prune(self, *, slug: str, dry_run: bool, **_options: object) -> None:
        now = timezone.now()
        releases = [release for dataset in _datasets(slug) for release in releases_to_retire(dataset=dataset, now=now)]
        for release in releases:
            if not dry_run:
                self._retire(release)
            self.stdout.write(f"{release}: {'would be' if dry_run else 'is'} retired.")
        if not releases:
            self.stdout.write("No release has been kept long enough.")

    def _retire(self, release: Release) -> None:
        try:
            retire_release(release=release, now=timezone.now())
        except ReleaseInProgress as error:
            raise CommandError(f"{error} Try again when it is done.") from error


def _datasets(slug: str) -> list[Dataset]:
    return [find_dataset(slug)] if slug else list(Dataset.objects.order_by("slug"))
