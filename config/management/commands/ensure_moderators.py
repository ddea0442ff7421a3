from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.moderators import GROUP, PermissionMissing, ensure_moderators


class Command(BaseCommand):
    help = "Make the group of moderators, or give it exactly the permissions it should have."

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        try:
            has_changed = ensure_moderators()
        except PermissionMissing as error:
            raise CommandError(str(error)) from error
        if has_changed and options["verbosity"]:
            self.stdout.write(f"The group “{GROUP}” may do what docs/moderation.md says.")
