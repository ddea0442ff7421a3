from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import ApiKey, Scope, User
from accounts.services import TooManyApiKeys, create_api_key


class Command(BaseCommand):
    help = "Make an API key with which a relay submits what its own users rate; it is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose key it is: an account made for the relay")
        parser.add_argument("--create", action="store_true", help="make the account; nobody can sign in to it")
        parser.add_argument("--name", default="relay", help="what the key is called (default: relay)")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        name, longest = options["name"], ApiKey.name.field.max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"The name of a key has 1 to {longest} characters.")
        if options["create"]:
            make_account(options["username"])
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody who may sign in is called “{options['username']}”.")
        try:
            _, secret = create_api_key(user=user, name=name, scopes=[Scope.RELAY], now=timezone.now())
        except TooManyApiKeys as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Key of {user.username} for a relay (shown once): {secret}")


def make_account(username: str) -> None:
    """Make an account without password or address, which only its keys speak for. Raises CommandError."""
    user = User(username=username)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["email", "password"])
        user.save(force_insert=True)
    except (ValidationError, IntegrityError) as error:
        said = " ".join(error.messages) if isinstance(error, ValidationError) else "the name is taken"
        raise CommandError(f"There can be no new account “{username}”: {said}") from error
