"""Who is calling, from the headers and cookies of a real request."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts import access
from accounts.access import BROWSER_COOKIE, BROWSER_COOKIE_SECONDS, caller_from_key, caller_from_request
from accounts.models import ApiKey, Identity, IdentityKind, User
from accounts.providers.own import remember_key
from accounts.queries import find_key_holder
from accounts.services import create_api_key, ensure_identity, revoke_api_key
from tests.people import make_person, now

pytestmark = pytest.mark.django_db
HEX_ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def ask(rf):
    """Return who calls with these headers or cookies."""

    def call(function=caller_from_key, *, cookies=None, user=None, **headers):
        request = rf.get("/", headers=headers)
        request.COOKIES |= cookies or {}
        request.user, request.session = user or access_anonymous(), {}
        return function(request, now=now()) if function is caller_from_key else function(request)

    return call


def access_anonymous():
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()


def visit(client, **extra):
    """Open the rating page as a browser does; return the cookie it was given, if any."""
    return client.get("/rate/", **extra).cookies.get(BROWSER_COOKIE)


def holder_of(client, rf):
    request = rf.get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    request.user = access_anonymous()
    return caller_from_request(request).holder


def test_it_works(ask, rater, outsider):
    caller = ask(apikey=rater.key)
    assert (caller.kind, caller.external_id) == (IdentityKind.ACCOUNT, str(rater.user.pk))
    assert (caller.user_id, caller.identity_id, caller.scopes) == (rater.user.pk, rater.identity_id, ("rate", "read"))
    assert caller.is_anonymous is caller.is_shared is False
    assert ask(apikey=outsider.key).user_id == outsider.user.pk


def test_key_and_session_are_one_holder_of_leases(ask, rater):
    by_session = ask(caller_from_request, user=rater.user)
    assert by_session.holder == ask(apikey=rater.key).holder
    assert by_session.identity_id == rater.identity_id


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"apikey": ""},
        {"apikey": "  "},
        {"apikey": "0000000000"},
        {"authorization": "Bearer 0000000000"},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"authorization": "Bearer"},
    ],
    ids=str,
)
def test_no_key_or_the_anonymous_one_is_the_shared_caller(ask, headers):
    caller = ask(**headers)
    assert (caller.kind, caller.external_id, caller.identity_id) == (IdentityKind.SHARED_KEY, "0000000000", None)
    assert caller.is_shared
    assert caller.holder == f"address:{caller.address_hash}"


def test_people_behind_the_shared_key_are_told_apart_by_address(rf):
    callers = [caller_from_key(rf.get("/", REMOTE_ADDR=address), now=now()) for address in ("192.0.2.1", "192.0.2.2")]
    assert callers[0].holder != callers[1].holder


@pytest.mark.parametrize("key", ["short", "A" * 22, "A" * 23, "é" * 22, "\uff10" * 10, "A" * 10_000])
def test_a_key_that_is_none_is_refused(ask, key):
    with pytest.raises(access.InvalidApiKey):
        ask(apikey=key)


@pytest.mark.parametrize("key", ["short", "A" * 23, "é" * 22])
def test_nothing_is_asked_for_what_cannot_be_a_key(ask, key, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(access.InvalidApiKey):
        ask(apikey=key)


def test_a_key_with_one_letter_changed_is_refused(ask, rater):
    for place in (0, 7, 8, 21):
        letter = "a" if rater.key[place] != "a" else "b"
        with pytest.raises(access.InvalidApiKey):
            ask(apikey=rater.key[:place] + letter + rater.key[place + 1 :])
    assert ask(apikey=f" {rater.key} ").user_id == rater.user.pk


def test_a_key_is_remembered_for_a_minute_and_asked_for_anew_after_that(ask, rater, django_assert_num_queries):
    ask(apikey=rater.key)
    with django_assert_num_queries(0):
        assert ask(apikey=rater.key) == ask(apikey=rater.key)


def test_a_user_who_may_not_sign_in_has_no_key(ask, rater):
    User.objects.filter(pk=rater.user.pk).update(is_active=False)
    with pytest.raises(access.InvalidApiKey):
        ask(apikey=rater.key)


def test_a_new_account_is_known_by_its_first_key(ask):
    """Making a key makes the identity, so that the answer can be remembered right away."""
    person = make_person()
    assert ask(apikey=person.key).identity_id == Identity.objects.get(user=person.user).pk


def test_a_revoked_key_is_refused_although_it_was_remembered(ask, rater):
    ask(apikey=rater.key)
    revoke_api_key(user=rater.user, key_id=ApiKey.objects.get(user=rater.user).pk, now=now())
    with pytest.raises(access.InvalidApiKey):
        ask(apikey=rater.key)


def test_a_key_revoked_between_look_up_and_remembering_stays_refused(ask, rater):
    """Whoever read the row before it was revoked may not bring the key back to life for a minute."""
    key = ApiKey.objects.get(user=rater.user)
    holder = find_key_holder(prefix=key.prefix, digest=key.digest)
    revoke_api_key(user=rater.user, key_id=key.pk, now=now())
    remember_key(key.digest, holder, now=now())
    with pytest.raises(access.InvalidApiKey):
        ask(apikey=rater.key)


def test_without_valkey_keys_are_looked_up_in_the_database(ask, rater, settings):
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    assert ask(apikey=rater.key).user_id == rater.user.pk
    revoke_api_key(user=rater.user, key_id=ApiKey.objects.get(user=rater.user).pk, now=now())
    with pytest.raises(access.InvalidApiKey):
        ask(apikey=rater.key)


def test_scopes_are_those_of_the_key(ask, rater):
    _, key = create_api_key(user=rater.user, name="read only", scopes=["read"], now=now())
    assert ask(apikey=key).scopes == ("read",)
    assert ask(apikey=rater.key).scopes == ("rate", "read")


def test_a_browser_gets_its_cookie_once(dataset, rf):
    client = Client()
    cookie = visit(client)
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["secure"], cookie["max-age"], cookie["path"], cookie["domain"]) == (
        "Lax",
        "",
        BROWSER_COOKIE_SECONDS,
        "/",
        "",
    )
    assert HEX_ID.fullmatch(signing.loads(cookie.value, salt=BROWSER_COOKIE))
    first = holder_of(client, rf)
    assert visit(client) is None
    assert holder_of(client, rf) == first
    assert visit(Client()).value != cookie.value


def test_the_cookie_travels_only_by_https_when_the_page_came_by_https(dataset):
    assert visit(Client(), secure=True)["secure"] is True


def test_a_signed_in_browser_gets_no_cookie(dataset, rater):
    assert visit(rater.web()) is None


def test_looking_around_makes_no_identity(dataset):
    visit(Client())
    assert not Identity.objects.exists()


def test_a_browser_that_has_answered_is_known(ask):
    value = signing.dumps("ab" * 16, salt=BROWSER_COOKIE)
    before = ask(caller_from_request, cookies={BROWSER_COOKIE: value})
    assert (before.kind, before.external_id, before.identity_id) == (IdentityKind.BROWSER, "ab" * 16, None)
    identity_id = ensure_identity(kind=IdentityKind.BROWSER, external_id="ab" * 16)
    assert ask(caller_from_request, cookies={BROWSER_COOKIE: value}).identity_id == identity_id


@pytest.mark.parametrize(
    "spoil",
    [
        lambda browser_id: signing.dumps(browser_id, salt=BROWSER_COOKIE)[:-1] + "!",
        lambda browser_id: "x" + signing.dumps(browser_id, salt=BROWSER_COOKIE),
        lambda browser_id: signing.dumps(browser_id, salt="another"),
        lambda browser_id: signing.dumps(browser_id, key="another", salt=BROWSER_COOKIE),
        lambda browser_id: signing.dumps(7, salt=BROWSER_COOKIE),
        lambda browser_id: signing.dumps(None, salt=BROWSER_COOKIE),
        lambda browser_id: signing.dumps("not hex", salt=BROWSER_COOKIE),
        lambda browser_id: signing.dumps({"id": browser_id}, salt=BROWSER_COOKIE),
        lambda browser_id: browser_id,
        lambda browser_id: "",
        lambda browser_id: ":::",
        lambda browser_id: "\x00é",
    ],
    ids=[
        "tampered",
        "prefixed",
        "other salt",
        "other key",
        "number",
        "null",
        "no hex",
        "dict",
        "bare",
        "empty",
        "colons",
        "bytes",
    ],
)
def test_a_cookie_that_we_did_not_make_is_a_new_browser(ask, spoil):
    browser_id = "ab" * 16
    good = ask(caller_from_request, cookies={BROWSER_COOKIE: signing.dumps(browser_id, salt=BROWSER_COOKIE)})
    assert good.external_id == browser_id
    spoilt = ask(caller_from_request, cookies={BROWSER_COOKIE: spoil(browser_id)})
    assert spoilt.external_id != browser_id
    assert HEX_ID.fullmatch(spoilt.external_id)


def test_a_cookie_lasts_a_year(ask):
    value = signing.dumps("ab" * 16, salt=BROWSER_COOKIE)
    almost = timezone.now() + timedelta(seconds=BROWSER_COOKIE_SECONDS - 60)
    with time_machine.travel(almost):
        assert ask(caller_from_request, cookies={BROWSER_COOKIE: value}).external_id == "ab" * 16
    with time_machine.travel(almost + timedelta(seconds=120)):
        assert ask(caller_from_request, cookies={BROWSER_COOKIE: value}).external_id != "ab" * 16


def test_one_request_is_one_new_browser(rf):
    request = rf.get("/")
    request.user = access_anonymous()
    assert caller_from_request(request).holder == caller_from_request(request).holder


def test_the_cookie_of_a_browser_says_nothing_once_somebody_signs_in(ask, rater):
    value = signing.dumps("ab" * 16, salt=BROWSER_COOKIE)
    assert ask(caller_from_request, cookies={BROWSER_COOKIE: value}, user=rater.user).user_id == rater.user.pk
