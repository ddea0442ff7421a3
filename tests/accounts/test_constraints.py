"""What the database refuses of accounts. Each row is saved first without what makes it wrong."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ApiKey, Identity
from accounts.services import create_api_key
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def refused(constraint):
    """Expect the refusal by this very constraint: PostgreSQL quotes its name."""
    return pytest.raises(IntegrityError, match=f'"{constraint}"')


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def rows(user):
    """One row of each model, as a queryset that updates it."""
    identity = Identity.objects.create(kind="account", external_id="1", user=user)
    key, _ = create_api_key(user=UserFactory(), name="tests", now=timezone.now())
    return {Identity: Identity.objects.filter(pk=identity.pk), ApiKey: ApiKey.objects.filter(pk=key.pk)}


@pytest.mark.parametrize(
    ("model", "constraint", "right", "wrong"),
    [
        (Identity, "identity_account_has_a_user", {"kind": "browser", "user": None}, {"kind": "account"}),
        (Identity, "identity_account_has_a_user", {"kind": "account"}, {"user": None}),
        (Identity, "identity_external_id_is_given", {"external_id": "0"}, {"external_id": ""}),
        (Identity, "identity_key_is_dated", {"key_digest": ""}, {"key_digest": "a" * 64}),
        (Identity, "identity_key_is_dated", {"key_confirmed_at": None}, {"key_confirmed_at": timezone.now()}),
        (ApiKey, "api_key_name_is_given", {"name": "k"}, {"name": ""}),
        (ApiKey, "api_key_has_a_scope", {"scopes": ["read"]}, {"scopes": []}),
    ],
)
def test_a_row_is_refused_for_what_is_wrong_in_it(rows, model, constraint, right, wrong):
    assert rows[model].update(**right) == 1
    with refused(constraint), transaction.atomic():
        rows[model].update(**wrong)


def test_an_identity_is_known_once():
    Identity.objects.create(kind="browser", external_id="same")
    Identity.objects.create(kind="horde", external_id="same")
    other = Identity.objects.create(kind="browser", external_id="other")
    with refused("identity_is_known_once"), transaction.atomic():
        Identity.objects.filter(pk=other.pk).update(external_id="same")


def test_a_user_has_one_account_and_any_number_of_other_identities(user):
    Identity.objects.create(kind="account", external_id="1", user=user)
    linked = [Identity.objects.create(kind="horde", external_id=name, user=user) for name in ("2", "3")]
    with refused("identity_user_has_one_account"), transaction.atomic():
        Identity.objects.filter(pk=linked[0].pk).update(kind="account")
    assert Identity.objects.filter(pk=linked[0].pk).update(kind="account", user=UserFactory()) == 1
