"""Who a key of AI Horde speaks for: asked over real HTTP, remembered, and known from before when AI Horde is down."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts import valkey
from accounts.access import Caller
from accounts.models import ApiKey, Identity, IdentityKind, User
from accounts.providers import horde as provider
from accounts.providers import horde_provider
from accounts.providers.base import KeyOwner, ProviderUnavailable
from accounts.providers.horde import NoHorde
from accounts.services import revoke_api_key
from ratings.models import Rater
from tests.horde import FIND_USER, Raw, wait_for
from tests.outages import NO_VALKEY
from tests.people import now

pytestmark = pytest.mark.django_db
KEY = "hordeKey_-abcdefghijkl"
OTHER = "otherKey00000000000000"
SHARED = "01234567-89ab-cdef-0123-456789abcdef"
assert len(KEY) == len(OTHER) == 22


@pytest.fixture
def ada(horde):
    """A user of AI Horde, number 4711."""
    horde.add_user(KEY, 4711, username="Ada Lovelace#4711", trusted=True)
    return horde


def find(key=KEY, at=None):
    return horde_provider().find_owner(key, now=at or now())


@pytest.fixture
def patient(monkeypatch):
    """Let every wait be so long that it ends only when the test says so, however slow the machine is."""
    for name in ("SECONDS", "LONG_WAIT_SECONDS"):
        monkeypatch.setattr(provider, name, 60.0)
    monkeypatch.setattr(provider, "LIMITS", provider.Limits(seconds=60.0, size=64 * 1024))
    return monkeypatch


def go_down(horde):
    horde.instead = (500, {"message": "Oops"})


def get_new(key=KEY):
    return Client().get("/api/v1/rating/new", headers={"apikey": key})


def make_known(key=KEY, number="4711", **fields):
    """Make the identity as its first rating did."""
    digest = provider.digest_horde_key(key)
    fields = {"key_digest": digest, "key_confirmed_at": now()} | fields
    return Identity.objects.create(kind="horde", external_id=number, name=f"Ada#{number}", **fields)


def test_it_works(ada):
    owner = find()
    assert (owner.kind, owner.external_id, owner.identity_id, owner.user_id) == (IdentityKind.HORDE, "4711", None, None)
    assert owner.scopes == ("rate", "read")
    profile = owner.profile
    assert (profile.name, profile.is_trusted, profile.images_generated, profile.kudos) == (
        "Ada Lovelace#4711",
        True,
        45,
        1500,
    )
    assert timedelta(days=100) - timedelta(minutes=1) < now() - profile.created_at < timedelta(days=100, minutes=1)
    assert ada.asked == [FIND_USER]
    assert ada.keys == [KEY]


def test_the_caller_holds_leases_under_their_number(ada, rf):
    from accounts.access import caller_from_key

    caller = caller_from_key(rf.get("/", headers={"apikey": KEY}), now=now())
    assert isinstance(caller, Caller)
    assert (caller.kind, caller.external_id, caller.holder) == (IdentityKind.HORDE, "4711", "horde:4711")
    assert caller.former_holder == caller.crowd == ""


def test_the_answer_holds_for_ten_minutes(ada):
    start = now()
    find(at=start)
    find(at=start + timedelta(minutes=9))
    assert len(ada.asked) == 1
    find(at=start + timedelta(minutes=11))
    assert len(ada.asked) == 2


def test_nobodys_key_is_refused_and_asked_for_again_after_a_minute(horde):
    start = now()
    assert find(at=start) is None
    horde.add_user(KEY, 1)
    assert find(at=start + timedelta(seconds=50)) is None
    assert len(horde.asked) == 1
    assert find(at=start + timedelta(seconds=70)).external_id == "1"


def test_an_unknown_key_gets_a_401_with_a_message(horde, dataset):
    response = get_new()
    assert response.status_code == 401
    assert response.json()["message"] == "Invalid API key."


def test_a_shared_key_is_refused_in_words_without_asking(horde, dataset):
    response = get_new(SHARED)
    assert response.status_code == 401
    assert "shared key" in response.json()["message"]
    assert horde.asked == []


@pytest.mark.parametrize(
    "key", ["", "a", "A" * 21, "A" * 23, "é" * 22, "A" * 10_000, "A" * 21 + " ", "A" * 21 + "\n", "0000000000"], ids=len
)
def test_nothing_is_asked_for_what_cannot_be_a_key(horde, key):
    assert find(key) is None
    assert horde.asked == []


def test_our_own_keys_are_shown_to_nobody(horde, rater, dataset):
    assert get_new(rater.key).status_code == 200
    revoke_api_key(user=rater.user, key_id=ApiKey.objects.get(user=rater.user).pk, now=now())
    assert get_new(rater.key).status_code == 401
    valkey.get_client().flushdb()
    assert get_new(rater.key).status_code == 401
    User.objects.filter(pk=rater.user.pk).update(is_active=False)
    assert get_new(rater.key).status_code == 401
    assert horde.asked == []


def test_without_an_address_nobody_is_asked(settings, dataset):
    settings.HORDE_URL = ""
    assert isinstance(horde_provider(), NoHorde)
    assert find() is find(SHARED) is None
    assert get_new().status_code == get_new(SHARED).status_code == 401


GOOD = {"username": "a#1", "kudos": 1, "trusted": False, "account_age": 1, "usage": {"requests": 3}}
BAD_ANSWERS = {
    "not JSON": Raw(b"<html>down for maintenance</html>"),
    "empty": Raw(b""),
    "not UTF-8": Raw(b'{"username": "\xff\xfe#1"}'),
    "an array": [GOOD],
    "null": None,
    "an error with 200": {"message": "Oops", "rc": "Oops"},
    "deep": Raw(b"[" * 50_000),
    "large": Raw(b'"' + b"a" * 100_000 + b'"'),
    "no images": {k: v for k, v in GOOD.items() if k != "usage"},
    **{
        f"no {name}": {k: v for k, v in GOOD.items() if k != name}
        for name in ("username", "kudos", "trusted", "account_age")
    },
    **{
        f"{name}={value!r:.20}": GOOD | {name: value}
        for name, value in [
            ("username", None),
            ("username", 1),
            ("username", "no number"),
            ("username", "a#"),
            ("username", "a#b"),
            ("username", "a#-1"),
            ("username", "a#12345678901"),
            ("username", "a#1\n"),
            ("username", "anonymous#0"),
            ("username", "a" * 200 + "#1"),
            ("kudos", -(10**16)),
            ("kudos", "5"),
            ("kudos", True),
            ("kudos", 10**16),
            ("kudos", 10**400),
            ("kudos", None),
            ("kudos", float("nan")),
            ("kudos", float("inf")),
            ("trusted", 1),
            ("trusted", None),
            ("account_age", -1),
            ("account_age", 10**12),
            ("account_age", "1"),
            ("id", 2),
            ("usage", []),
            ("usage", {"requests": -1}),
            ("usage", {"requests": 1.5}),
            ("records", {"request": {"image": "3"}}),
        ]
    },
}


@pytest.mark.parametrize("body", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_a_malformed_answer_counts_as_none(horde, body):
    horde.instead = (200, body)
    with pytest.raises(ProviderUnavailable):
        find()
    horde.instead = (200, GOOD)
    assert find().external_id == "1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"message": "Oops"}),
        (403, {"message": "Your address is blocked."}),
        (429, {"message": "slow down"}),
        (404, Raw(b"<html>no such page</html>")),
        (404, {}),
        (204, {}),
        (302, GOOD),
    ],
    ids=str,
)
def test_other_statuses_count_as_down(horde, status, body):
    horde.instead = (status, body)
    with pytest.raises(ProviderUnavailable):
        find()


def test_redirects_are_not_followed(ada, horde):
    ada.headers = {"Location": f"{ada.url}/elsewhere"}
    ada.instead = (302, {})
    with pytest.raises(ProviderUnavailable):
        find()
    assert ada.asked == [FIND_USER]


def test_a_user_with_negative_kudos_is_a_user(horde):
    horde.add_user(KEY, 1, kudos=-150.5)
    assert find().profile.kudos == -150


def test_an_answer_that_is_not_understood_is_no_outage_for_others(ada):
    """One strange account must not lock out everybody who is not remembered."""
    ada.add_user(OTHER, 12, kudos="many")
    for _ in range(4):
        with pytest.raises(ProviderUnavailable):
            find(OTHER)
    assert find().external_id == "4711"


def test_images_are_those_of_the_records_else_all_requests(horde):
    horde.add_user(KEY, 1, records={"request": {"image": 0}}, usage={"requests": 9})
    assert find().profile.images_generated == 0
    horde.add_user(OTHER, 2, records={}, usage={"requests": 9})
    assert find(OTHER).profile.images_generated == 9


def test_a_name_is_stored_without_what_cannot_be_printed(horde):
    horde.add_user(KEY, 1, username="a\x00b\u202e#1")
    assert find().profile.name == "ab#1"


def test_an_unknown_key_gets_a_503_while_it_is_down(ada, dataset):
    go_down(ada)
    response = get_new()
    assert response.status_code == 503
    assert "AI Horde does not answer" in response.json()["message"]
    assert response["Retry-After"] == "10"
    assert "application/json" in response["Content-Type"]


def test_a_known_key_goes_on_from_the_last_answer(ada):
    start = now()
    find(at=start)
    go_down(ada)
    owner = find(at=start + timedelta(days=20))
    assert (owner.external_id, owner.profile.kudos, owner.profile.confirmed_at) == ("4711", 1500, start)


def test_a_known_key_survives_a_flush_of_valkey(ada, django_assert_num_queries):
    identity = make_known()
    go_down(ada)
    owner = find()
    assert owner == KeyOwner(IdentityKind.HORDE, "4711", identity.pk, None, ("rate", "read"), None)
    with pytest.raises(ProviderUnavailable):
        find(OTHER)


def test_a_known_key_survives_without_valkey(ada, settings):
    make_known()
    go_down(ada)
    settings.REDIS_URL = NO_VALKEY
    assert find().external_id == "4711"


def test_without_valkey_ai_horde_is_asked_each_time(ada, settings):
    settings.REDIS_URL = NO_VALKEY
    assert find().external_id == find().external_id == "4711"
    assert len(ada.asked) == 2


def test_a_key_that_was_confirmed_long_ago_is_not_known_any_more(ada):
    make_known(key_confirmed_at=now() - timedelta(days=31))
    go_down(ada)
    with pytest.raises(ProviderUnavailable):
        find()


def test_a_key_that_was_withdrawn_stays_refused_while_it_is_down(ada):
    make_known()
    start = now()
    find(at=start)
    del ada.users[KEY]
    assert find(at=start + timedelta(minutes=11)) is None
    go_down(ada)
    assert find(at=start + timedelta(days=1)) is None


def test_the_key_itself_is_kept_nowhere(ada, dataset):
    image = get_new().json()
    Client().post(
        f"/api/v1/rating/{image['id']}", {"rating": 7}, content_type="application/json", headers={"apikey": KEY}
    )
    client = valkey.get_client()
    dumped = b"".join(name + (client.dump(name) or b"") for name in client.scan_iter())
    assert b"kudoscope:horde:" in dumped
    assert KEY.encode() not in dumped
    identity = Identity.objects.get(kind="horde")
    assert identity.key_digest == provider.digest_horde_key(KEY)
    assert KEY not in json.dumps(list(Identity.objects.values()), default=str)


def test_a_get_writes_nothing(ada, dataset):
    with connection.execute_wrapper(refuse_writing):
        assert get_new().status_code == 200
    assert not Identity.objects.exists()
    assert not Rater.objects.exists()


def refuse_writing(execute, sql, params, many, context):
    assert sql.lstrip().split()[0].upper() in {"SELECT", "SAVEPOINT", "RELEASE"}, sql
    return execute(sql, params, many, context)


def test_who_is_linked_to_a_closed_account_is_refused(ada, outsider):
    make_known(user=outsider.user)
    assert find().user_id == outsider.user.pk
    User.objects.filter(pk=outsider.user.pk).update(is_active=False)
    assert find() is None
    go_down(ada)
    valkey.get_client().flushdb()
    assert find() is None


def test_the_address_in_answers_is_always_ours(ada, dataset, settings):
    settings.PUBLIC_URL = "https://ratings.example.org"
    answer = get_new().json()
    assert answer["url"] == f"https://ratings.example.org/images/{answer['id']}.webp"


def test_after_three_failures_it_is_left_alone_for_a_while(ada):
    go_down(ada)
    for _ in range(6):
        with pytest.raises(ProviderUnavailable):
            find()
    assert len(ada.asked) == 3
    ada.instead = None
    with pytest.raises(ProviderUnavailable):
        find()
    provider._breaker.open_until = 0.0
    assert find().external_id == "4711"
    assert find(OTHER) is None


def test_a_trial_that_gets_no_turn_leaves_the_trial_to_the_next(ada, monkeypatch):
    monkeypatch.setattr(provider, "LONG_WAIT_SECONDS", 0.01, raising=False)
    go_down(ada)
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            find()
    ada.instead = None
    provider._breaker.open_until = 0.0
    for _ in range(provider.CALLS_AT_ONCE):
        provider._turns.acquire()
    with pytest.raises(ProviderUnavailable):
        find()
    provider._turns.release(provider.CALLS_AT_ONCE)
    assert find().external_id == "4711"


def test_nobodys_keys_do_not_open_the_breaker(ada):
    for number in range(6):
        assert find(f"nobody{number:016}") is None
    assert find().external_id == "4711"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["slow", "drip"])
def test_nobody_waits_longer_than_two_seconds(ada, trouble):
    ada.delay, ada.drip = (30.0, 0.0) if trouble == "slow" else (0.0, 0.3)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        find()
    # Far from the half minute that the answer takes, also on a machine that is busy with other things.
    assert time.monotonic() - started < 15
    ada._released.set()


def ask(key):
    """Ask in a thread of its own; return the number or the exception, and how long it took."""
    started = time.monotonic()
    try:
        return find(key).external_id, time.monotonic() - started
    except ProviderUnavailable as error:
        return error, time.monotonic() - started
    finally:
        connection.close()


@pytest.mark.slow
def test_a_slow_ai_horde_holds_three_threads_and_no_more(ada, patient):
    """Two ask and one waits for its turn; others learn in half a second that there is no answer."""
    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(provider._run_in_turn, lambda: ada.sleep(60)) for _ in range(2)]
        wait_for(lambda: provider._turns._value == 0)
        asking = [pool.submit(ask, KEY) for _ in range(4)]
        wait_for(lambda: sum(call.done() for call in asking) == 3)
        assert all(isinstance(call.result()[0], ProviderUnavailable) for call in asking if call.done())
        ada._released.set()
        assert [call.result() for call in slow] == [None, None]
        assert [call.result()[0] for call in asking].count("4711") == 1


@pytest.mark.slow
def test_a_burst_of_new_users_is_served_while_ai_horde_is_well(ada, patient):
    """As many threads as a server's process has, and users of whom none is known."""
    patient.setattr(provider, "SHORT_WAIT_SECONDS", 60.0)
    ada.delay = 0.05
    keys = [ada.add_user(f"burst{number:017}", number) for number in range(1, 13)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(ask, keys))
    assert [outcome for outcome, _ in outcomes] == [str(number) for number in range(1, 13)]


@pytest.mark.slow
def test_how_a_call_went_counts_also_when_nobody_waits_for_it_any_more(ada, patient):
    """Who had to wait for a turn has less time for the answer, which says nothing about AI Horde."""
    ada.delay = 60
    patient.setattr(provider, "SECONDS", 0.2)
    provider._breaker.record_failure()
    outcome, _ = ask(KEY)
    assert isinstance(outcome, ProviderUnavailable)
    assert provider._breaker.failure_count == 1
    wait_for(lambda: ada.asked == [FIND_USER])
    ada._released.set()
    wait_for(lambda: provider._breaker.failure_count == 0)
