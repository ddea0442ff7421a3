"""The standing people of the tests: who a test acts as."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.test import Client
from django.utils import timezone

from accounts.access import Caller, account_caller, shared_caller
from accounts.models import User
from accounts.services import create_api_key
from ratings.services.rater import ensure_rater
from tests.factories import UserFactory


@dataclass
class Person:
    """A user with a key; ``api`` and ``web`` are clients that speak as them."""

    user: User
    key: str
    caller: Caller

    @property
    def identity_id(self) -> int:
        return self.caller.identity_id

    def api(self, **extra) -> Client:
        return Client(headers={"apikey": self.key, "Client-Agent": "tests:1:nobody"}, **extra)

    def web(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client


def make_person(username: str | None = None, **fields) -> Person:
    """Make a verified user with an API key, a rater and a kudos account."""
    user = UserFactory(**({"username": username} if username else {}), **fields)
    _, key = create_api_key(user=user, name="tests", now=timezone.now())
    caller = account_caller(user.pk, None, "a" * 32)
    return Person(user, key, account_caller(user.pk, ensure_rater(caller, now=timezone.now()), "a" * 32))


def make_stranger(address: str = "b") -> Caller:
    """Return a caller behind the shared anonymous key, told apart by ``address``."""
    return shared_caller(address * 32)


def now() -> datetime:
    return timezone.now()


def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)
