"""`manage.py verify_release`: is what lies on disk still what was published?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports.management.commands.build_release import find_dataset
from exports.queries import published_releases_of
from exports.services import ReleaseNotVerified, verify_release


class Command(BaseCommand):
    help = (
        "Read every byte of a release's files and check it against their checksums, the manifest and the database. "
        "The exit status is 1 if anything differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the dataset, by the name in its address")
        parser.add_argument("version", metavar="VERSION", nargs="?", default="", help="the newest release if left out")
        parser.add_argument("--all", action="store_true", help="every release of the dataset")

    def handle(self, *_args: object, **options: Any) -> None:
        dataset = find_dataset(options["slug"])
        releases = published_releases_of(dataset.slug, options["version"])
        if not releases:
            which = f"{dataset.slug} {options['version']}" if options["version"] else f"of {dataset.slug}"
            raise CommandError(f"There is no published release {which}.")
        problem_count = 0
        for release in releases if options["all"] else releases[:1]:
            try:
                files = verify_release(release=release)
            except ReleaseNotVerified as error:
                problem_count += len(error.problems)
                self.stderr.write("\n".join(f"{release}: {problem}" for problem in error.problems))
            else:
                self.stdout.write(f"{release}: {len(files)} files are as they were published.")
        if problem_count:
            raise CommandError("1 problem found." if problem_count == 1 else f"{problem_count} problems found.")
