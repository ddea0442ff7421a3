"""The only way to a key of a relay is a command."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, User
from accounts.services import MAX_LIVE_KEYS, create_api_key, digest_of
from tests.factories import UserFactory
from tests.people import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(capsys):
    def run(*arguments):
        call_command("make_relay_key", *arguments)
        return capsys.readouterr().out

    return run


def test_it_works(make):
    UserFactory(username="horde")
    said = make("horde", "--name", "AI Horde")
    key = ApiKey.objects.get()
    assert (key.user.username, key.name, key.scopes) == ("horde", "AI Horde", ["relay"])
    assert key.digest == digest_of(said.split()[-1])


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_a_name_that_cannot_be_stored_is_refused(make, name):
    UserFactory(username="horde")
    with pytest.raises(CommandError, match="1 to 60 characters"):
        make("horde", "--name", name)
    assert not ApiKey.objects.exists()


def test_nobody_and_somebody_who_may_not_sign_in_get_none(make):
    with pytest.raises(CommandError, match="Nobody"):
        make("horde")
    UserFactory(username="horde")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="Nobody"):
        make("horde")


def test_the_limit_of_keys_holds(make):
    user = UserFactory(username="horde")
    for number in range(MAX_LIVE_KEYS):
        create_api_key(user=user, name=str(number), now=now())
    with pytest.raises(CommandError, match="Revoke"):
        make("horde")


def test_it_makes_an_account_that_nobody_can_sign_in_to(make):
    make("horde", "--create")
    user = User.objects.get()
    assert (user.username, user.email, user.has_usable_password(), user.is_active) == ("horde", "", False, True)
    assert ApiKey.objects.get().user == user
    for name in ("horde", "", "a name with spaces"):
        with pytest.raises(CommandError, match="no new account"):
            make(name, "--create")
    assert User.objects.count() == ApiKey.objects.count() == 1
