"""The first superuser comes by a command, once."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ensure(capsys):
    def run(*arguments):
        call_command("ensure_superuser", *arguments)
        return capsys.readouterr().out

    return run


def test_it_works(ensure):
    name, password = re.search("Superuser “(.+)” with password “(.+)”", ensure()).groups()
    assert (name, len(password)) == ("admin", 20)
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.check_password(password)


def test_the_superuser_signs_in_without_confirming_an_address(ensure):
    password = re.search("password “(.+)”", ensure("--username", "root")).group(1)
    client = Client()
    answer = client.post("/accounts/login/", {"login": "root", "password": password})
    assert answer.status_code == 302
    assert client.get("/admin/").status_code == 200


def test_it_does_nothing_when_there_is_a_superuser(ensure):
    ensure()
    assert ensure() == ""
    assert ensure("--username", "another") == ""
    assert User.objects.count() == 1


def test_every_installation_has_another_password(ensure):
    first = ensure()
    User.objects.all().delete()
    assert ensure() != first


def test_a_person_who_has_the_name_is_not_raised_to_superuser(ensure):
    UserFactory(username="admin")
    with pytest.raises(CommandError, match="--username"):
        ensure()
    person = User.objects.get()
    assert not person.is_superuser
    assert person.check_password(PASSWORD)
    assert "“owner”" in ensure("--username", "owner")
