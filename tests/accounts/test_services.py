"""Keys are made and revoked, identities come into being, and the use of keys is written down."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection

from accounts.models import ApiKey, Identity, IdentityKind
from accounts.queries import keys_of
from accounts.services import (
    ALPHABET,
    KEY_LENGTH,
    MAX_LIVE_KEYS,
    NoSuchApiKey,
    TooManyApiKeys,
    create_api_key,
    digest_of,
    ensure_identity,
    record_key_usage,
    revoke_api_key,
)
from tests.factories import UserFactory
from tests.people import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db):
    return UserFactory()


def create(user, **fields):
    return create_api_key(**{"user": user, "name": "a program", "now": now()} | fields)


def fill_up(user, free=0):
    for _ in range(MAX_LIVE_KEYS - free):
        create(user)


def test_it_works(user):
    key, secret = create(user, name="my bot", scopes=["rate"])
    assert len(secret) == KEY_LENGTH
    assert set(secret) <= set(ALPHABET)
    row = ApiKey.objects.get()
    assert (row.pk, row.name, row.scopes, row.prefix) == (key.pk, "my bot", ["rate"], secret[:8])
    assert (row.digest, row.revoked_at, row.last_used_at) == (digest_of(secret), None, None)
    assert create(user)[1] != secret


def test_the_secret_is_nowhere_in_the_database(user):
    _, secret = create(user)
    row = ApiKey.objects.values().get()
    assert not any(secret[8:] in str(value) for value in row.values())


def test_making_a_key_accepts_the_ratings_licence_and_the_first_time_counts(user):
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    for moment in (first, second):
        create(user, now=moment)
        user.refresh_from_db()
        assert user.licence_accepted_at == first


def test_making_a_key_makes_the_identity_that_answers_with_it(user):
    create(user)
    create(user)
    identity = Identity.objects.get()
    assert (identity.kind, identity.external_id, identity.user_id) == ("account", str(user.pk), user.pk)


@pytest.mark.parametrize("scopes", [["admin"], ["rate", "RATE"], [""], ["rate", None]], ids=str)
def test_an_unknown_scope_is_refused(user, scopes):
    with pytest.raises(ValueError, match="is not a valid Scope"):
        create(user, scopes=scopes)
    assert not ApiKey.objects.exists()
    assert create(user, scopes=["moderate"])[0].scopes == ["moderate"]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [({"scopes": []}, "api_key_has_a_scope"), ({"name": ""}, "api_key_name_is_given")],
    ids=str,
)
def test_the_database_refuses_a_key_without_a_name_or_a_scope(user, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        create(user, **fields)


def test_twenty_keys_are_enough_until_one_is_revoked(user):
    fill_up(user)
    with pytest.raises(TooManyApiKeys, match="Revoke one first"):
        create(user)
    revoke_api_key(user=user, key_id=ApiKey.objects.latest("id").pk, now=now())
    create(user)
    with pytest.raises(TooManyApiKeys):
        create(user)


def test_the_keys_of_others_do_not_count(user):
    fill_up(UserFactory())
    assert create(user)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_eight_at_a_time_cannot_pass_the_limit():
    user = UserFactory()
    fill_up(user, free=3)
    barrier = threading.Barrier(8)

    def create_at_once(_):
        barrier.wait()
        try:
            return type(create(user)[0])
        except TooManyApiKeys as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = Counter(pool.map(create_at_once, range(8)))
    assert results == {ApiKey: 3, TooManyApiKeys: 5}
    assert ApiKey.objects.count() == MAX_LIVE_KEYS


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_eight_at_a_time_make_one_identity():
    barrier = threading.Barrier(8)

    def ensure(_):
        barrier.wait()
        try:
            return ensure_identity(kind=IdentityKind.BROWSER, external_id="ab" * 16)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ensure, range(8)))) == 1
    assert Identity.objects.count() == 1


def test_a_key_is_revoked_once_and_by_its_owner(user):
    key, _ = create(user)
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(NoSuchApiKey):
        revoke_api_key(user=UserFactory(), key_id=key.pk, now=moment)
    assert ApiKey.objects.get().revoked_at is None
    assert revoke_api_key(user=user, key_id=key.pk, now=moment).revoked_at == moment
    assert ApiKey.objects.get().revoked_at == moment
    for key_id in (key.pk, 0, 10**12):
        with pytest.raises(NoSuchApiKey):
            revoke_api_key(user=user, key_id=key_id, now=now())
    assert ApiKey.objects.get().revoked_at == moment


def test_a_key_is_revoked_although_valkey_is_down(user, settings):
    key, _ = create(user)
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    revoke_api_key(user=user, key_id=key.pk, now=now())
    assert ApiKey.objects.get().revoked_at is not None


def test_keys_come_newest_first_and_revoked_ones_last(user):
    first, second, third = (create(user, name=name)[0] for name in ("first", "second", "third"))
    revoke_api_key(user=user, key_id=second.pk, now=now())
    create(UserFactory())
    assert [key.pk for key in keys_of(user.pk)] == [third.pk, first.pk, second.pk]


def test_an_account_identity_needs_its_user(user):
    with pytest.raises(IntegrityError, match="identity_account_has_a_user"):
        ensure_identity(kind=IdentityKind.ACCOUNT, external_id="7")


def test_an_identity_needs_an_external_id():
    with pytest.raises(IntegrityError, match="identity_external_id_is_given"):
        ensure_identity(kind=IdentityKind.BROWSER, external_id="")


def test_a_user_has_one_account_identity(user):
    ensure_identity(kind=IdentityKind.ACCOUNT, external_id="one", user_id=user.pk)
    with pytest.raises(IntegrityError, match="identity_user_has_one_account"):
        ensure_identity(kind=IdentityKind.ACCOUNT, external_id="two", user_id=user.pk)


def test_use_is_written_for_the_keys_that_are_still_there(user):
    used, unused = create(user)[0], create(user)[0]
    moment = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert record_key_usage(last_used={used.pk: moment.timestamp(), 10**9: 1.0}) == 1
    assert ApiKey.objects.get(pk=used.pk).last_used_at == moment
    assert ApiKey.objects.get(pk=unused.pk).last_used_at is None
    assert record_key_usage(last_used={}) == 0
