import pytest

from accounts.models import Identity
from accounts.numbers import find_identity_by_number, name_with_number, number_of
from tests.people import make_person

pytestmark = pytest.mark.django_db

SHARED = {"kind": "shared_key", "external_id": "0000000000"}
HORDE = {"kind": "horde", "external_id": "3251", "name": "somebody#3251"}
BROWSER = {"kind": "browser", "external_id": "b" * 32}
RELAY = {"kind": "relay", "external_id": "a relay"}


def number(identity):
    return number_of(kind=identity.kind, external_id=identity.external_id, identity_id=identity.pk)


def shown(identity):
    return name_with_number(
        kind=identity.kind,
        external_id=identity.external_id,
        identity_id=identity.pk,
        name=identity.name,
        username=identity.user.username if identity.user else None,
    )


@pytest.mark.parametrize("fields", [SHARED, HORDE, BROWSER, RELAY], ids=lambda fields: fields["kind"])
def test_there_and_back(fields):
    identity = Identity.objects.create(**fields)
    assert find_identity_by_number(number=number(identity)) == identity


def test_numbers_and_names():
    anonymous, horde, browser, relay = (Identity.objects.create(**f) for f in (SHARED, HORDE, BROWSER, RELAY))
    account = Identity.objects.get(pk=make_person("ada").identity_id)
    assert [number(one) for one in (anonymous, horde, account)] == [0, 3251, 1_000_000_000 + account.pk]
    assert (shown(anonymous), shown(horde), shown(account)) == (
        "anonymous#0",
        "somebody#3251",
        f"ada#{1_000_000_000 + account.pk}",
    )
    assert shown(browser) == f"anonymous#{number(browser)}"
    assert shown(relay) == f"relay#{number(relay)}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a#b#3251", "a#b#3251"), ("", "horde#3251"), ("renamed", "renamed#3251"), ("#3251", "#3251#3251")],
)
def test_the_number_is_never_taken_from_the_name(name, expected):
    assert shown(Identity.objects.create(**HORDE | {"name": name})) == expected


def test_who_has_no_number_there_is_given_one_of_ours():
    identity = Identity.objects.create(**HORDE | {"external_id": "none yet"})
    assert number(identity) == 1_000_000_000 + identity.pk


@pytest.mark.parametrize("wrong", [-1, 0, 3252, 999_999_999, 1_000_000_000, 10**12, 2**63 - 1, 2**63, 10**40])
def test_a_number_of_nobody_finds_nobody(wrong):
    Identity.objects.create(**HORDE)
    assert find_identity_by_number(number=wrong) is None


def test_the_number_of_ours_does_not_find_somebody_who_has_another():
    """One number for each: a user of AI Horde is not found by 1,000,000,000 and their identity as well."""
    for fields in (HORDE, SHARED):
        identity = Identity.objects.create(**fields)
        assert find_identity_by_number(number=1_000_000_000 + identity.pk) is None
