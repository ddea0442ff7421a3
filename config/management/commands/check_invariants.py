from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.invariants import find_violations


class Command(BaseCommand):
    help = (
        "Check what must always be true: the ledger sums to zero, balances equal their entries, counters equal "
        "their rows, published files are there. Prints what is off; exit code 1 when anything is."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        violations = list(find_violations())
        for sentence in violations:
            self.stdout.write(sentence)
        if violations:
            count = len(violations)
            raise CommandError(f"{count} violation{'' if count == 1 else 's'} found.", returncode=1)
        self.stdout.write("Everything adds up.")
