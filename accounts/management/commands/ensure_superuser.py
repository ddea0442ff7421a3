import secrets
from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User


class Command(BaseCommand):
    help = "Create a superuser with a random password, printed once, if there is no superuser yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin", help="name of the superuser (default: admin)")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if User.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(15)
        name = options["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise CommandError(f"Somebody else is called “{name}” already: choose another name with --username.")
        user = User.objects.create_superuser(username=name, email=f"{name}@localhost.localdomain", password=password)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        self.stdout.write(f"Superuser “{name}” with password “{password}” (shown once; change it at /admin/).")
