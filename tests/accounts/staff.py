"""People of the administration, beside those of tests.people."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from config.moderators import GROUP
from tests.factories import UserFactory


@dataclass
class Staff:
    """Somebody with a client that is signed in."""

    user: User
    web: Client


def make_staff(username: str = "staff", **fields) -> Staff:
    """Make somebody who may enter the administration and has no permission."""
    user = UserFactory(username=username, **({"is_staff": True} | fields))
    client = Client()
    client.force_login(user)
    return Staff(user, client)


def make_moderator(username: str = "moderator") -> Staff:
    staff = make_staff(username)
    staff.user.groups.add(Group.objects.get(name=GROUP))
    return staff


def make_superuser(username: str = "root") -> Staff:
    return make_staff(username, is_superuser=True)
