from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import ApiKey, Scope, User
from accounts.services import TooManyApiKeys, create_api_key


class Command(BaseCommand):
    help = "Make an API key with which a relay submits what its own users rate; it is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose key it is: an account made for the relay")
        parser.add_argument("--name", default="relay", help="what the key is called (default: relay)")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        name, longest = options["name"], ApiKey.name.field.max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"The name of a key has 1 to {longest} characters.")
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody who may sign in is called “{options['username']}”.")
        try:
            _, secret = create_api_key(user=user, name=name, scopes=[Scope.RELAY], now=timezone.now())
        except TooManyApiKeys as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Key of {user.username} for a relay (shown once): {secret}")
