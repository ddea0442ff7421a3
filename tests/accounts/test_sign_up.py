"""Sign up, confirm the address, sign in, forget the password: allauth as this service configures it, over HTTP."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tasks import delete_expired_sessions_task
from accounts.valkey import get_client
from tests.factories import PASSWORD
from tests.outages import NO_VALKEY
from tests.people import make_person

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "staple battery horse correct"
CODE = re.compile(r"^([0-9A-Z-]{6,})$", re.MULTILINE)
LINK = re.compile(r"http://testserver(/\S+)")
ALICE = {"email": "alice@example.org", "username": "alice", "password1": PASSWORD}


def text_of(response):
    """Return what a person reads."""
    page = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(page))


def sign_up(client=None, **fields):
    client = client or Client()
    return client, client.post("/accounts/signup/", ALICE | fields)


def confirm(client, code):
    return client.post("/accounts/confirm-email/", {"code": code})


def sign_in(client=None, *, login="alice", password=PASSWORD, **extra):
    client = client or Client()
    return client.post("/accounts/login/", {"login": login, "password": password}, **extra)


def is_signed_in(client):
    return client.get("/profile/").status_code == 200


def code_in(message):
    return CODE.search(message.body).group(1)


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


@pytest.fixture
def alice():
    return make_person("alice")


def test_it_works():
    client, answer = sign_up()
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    assert "alice@example.org" in text_of(client.get("/accounts/confirm-email/"))
    assert not is_signed_in(client)
    [message] = mail.outbox
    assert message.to == ["alice@example.org"]
    answer = confirm(client, code_in(message))
    assert (answer.status_code, answer["Location"]) == (302, "/rate/")
    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified
    user = User.objects.get()
    assert (user.username, user.email, user.is_staff, user.is_superuser) == ("alice", "alice@example.org", False, False)
    assert user.licence_accepted_at is None
    for login in ("alice", "ALICE", "alice@example.org", "Alice@Example.ORG"):
        other = Client()
        assert sign_in(other, login=login)["Location"] == "/rate/"
        assert is_signed_in(other)


def test_nobody_signs_in_before_the_address_is_confirmed():
    sign_up()
    client = Client()
    with later(seconds=11):
        assert sign_in(client)["Location"] == "/accounts/confirm-email/"
        assert not is_signed_in(client)
        confirm(client, code_in(mail.outbox[1]))
        assert is_signed_in(client)


def test_a_wrong_code_is_said_and_three_of_them_end_it():
    client, _ = sign_up()
    code = code_in(mail.outbox[0])
    for _ in range(2):
        assert "not the code in the e-mail" in text_of(confirm(client, "AAAA-AAAA"))
    assert confirm(client, "AAAA-AAAA")["Location"] == "/accounts/login/"
    confirm(client, code)
    assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified


def test_a_code_that_is_typed_carelessly_is_taken():
    client, _ = sign_up()
    confirm(client, f" {code_in(mail.outbox[0]).lower().replace('-', ' ')} ")
    assert is_signed_in(client)


def test_a_code_ends_after_a_while():
    client, _ = sign_up()
    with later(hours=1):
        confirm(client, code_in(mail.outbox[0]))
        assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified


def test_a_code_is_good_for_the_browser_that_asked_for_it():
    sign_up()
    other = Client()
    sign_up(other, email="eve@example.org", username="eve")
    confirm(other, code_in(mail.outbox[0]))
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_an_answer_that_cannot_be_is_refused_field_by_field(alice):
    cases = {
        "email": ("nonsense", "Enter a valid email address."),
        "username": ("alice", "A user with that username already exists."),
        "password1": ("2short", "at least 10 characters"),
    }
    for field, (value, words) in cases.items():
        fields = {"email": "new@example.org", "username": "newcomer"} | {field: value}
        _, answer = sign_up(**fields)
        assert answer.status_code == 200
        assert words in text_of(answer)
    assert User.objects.count() == 1
    assert sign_up(email="new@example.org", username="newcomer")[1].status_code == 302


@pytest.mark.parametrize("name", ["ALICE", "Alice"])
def test_names_that_differ_in_case_only_are_one(alice, name):
    _, answer = sign_up(email="new@example.org", username=name)
    assert "already exists" in text_of(answer)


@pytest.mark.parametrize("password", ["1234567890", "alice@example.org", "qwertyuiop", "battery"])
def test_a_password_that_is_easily_guessed_is_refused(password):
    _, answer = sign_up(password1=password)
    assert answer.status_code == 200
    assert not User.objects.exists()
    assert sign_up()[1].status_code == 302


def test_nobody_finds_out_by_signing_up_whose_address_is_known(alice):
    """Known or not, an address gets the same pages; only its owner reads the difference."""
    seen = []
    for email in ("alice@example.org", "nobody@example.org"):
        client, answer = sign_up(email=email, username="newcomer")
        steps = [answer, client.get("/accounts/confirm-email/"), *(confirm(client, "AAAA-AAAA") for _ in range(3))]
        steps += [sign_up(email=email, username="another")[1]]
        with later(seconds=11):
            steps += [sign_up(email=email, username="another")[1]]
        seen.append([(step.status_code, step.get("Location"), text_of(step).replace(email, "")) for step in steps])
    assert seen[0] == seen[1]
    to_alice = [message for message in mail.outbox if message.to == ["alice@example.org"]]
    assert len(to_alice) * 2 == len(mail.outbox)
    assert all("already exists" in message.body and not CODE.search(message.body) for message in to_alice)


def test_nobody_finds_out_by_signing_in_who_is_known(alice):
    for known, unknown in (("alice", "nobody"), ("alice@example.org", "nobody@example.org")):
        answers = [sign_in(login=login, password="wrong") for login in (known, unknown)]
        assert answers[0].status_code == answers[1].status_code == 200
        assert "do not belong together" in text_of(answers[0])
        assert text_of(answers[0]) == text_of(answers[1])


def test_nobody_finds_out_by_forgetting_a_password_who_is_known(alice):
    answers = [
        Client().post("/accounts/password/reset/", {"email": f"{who}@example.org"}) for who in ("alice", "nobody")
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["nobody@example.org"]]
    assert "/password/reset/key/" in mail.outbox[0].body
    assert "/password/reset/key/" not in mail.outbox[1].body


def test_a_forgotten_password_is_replaced_by_the_link_and_the_link_works_once(alice):
    signed_in_elsewhere = alice.web()
    assert is_signed_in(signed_in_elsewhere)
    Client().post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = LINK.search(mail.outbox[0].body).group(1)
    client = Client()
    page = client.get(link, follow=True)
    assert "New password" in text_of(page)
    address = page.redirect_chain[-1][0]
    assert link not in address
    refused = client.post(address, {"password1": NEW_PASSWORD, "password2": PASSWORD})
    assert refused.status_code == 200
    refused = client.post(address, {"password1": "short", "password2": "short"})
    assert refused.status_code == 200
    assert User.objects.get().check_password(PASSWORD)
    assert client.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 302
    assert sign_in(password=PASSWORD).status_code == 200
    assert sign_in(password=NEW_PASSWORD).status_code == 302
    assert not is_signed_in(signed_in_elsewhere)
    assert "does not work any more" in text_of(Client().get(link, follow=True))


@pytest.mark.parametrize("link", ["1-abc", "zzzzzz-c9xxxx-" + "0" * 32, "1-set-password", "0-0"])
def test_a_link_that_we_did_not_send_is_refused_in_words(alice, link):
    answer = Client().get(f"/accounts/password/reset/key/{link}/", follow=True)
    assert answer.status_code == 200
    assert "does not work any more" in text_of(answer)


def test_whoever_owns_an_address_gets_it_back_from_whoever_signed_up_with_it():
    """Mallory can sign up with Alice's address but not confirm it; Alice resets the password and is in."""
    mallory, _ = sign_up(username="mallory")
    with later(seconds=11):
        assert sign_up()[1].status_code == 302
    assert User.objects.count() == 1
    Client().post("/accounts/password/reset/", {"email": ALICE["email"]})
    client = Client()
    address = client.get(LINK.search(mail.outbox[-1].body).group(1), follow=True).redirect_chain[-1][0]
    client.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert sign_in(login="mallory", password=PASSWORD).status_code == 200
    assert not is_signed_in(mallory)


def test_five_wrong_passwords_are_enough_for_a_while(alice):
    for _ in range(5):
        assert "do not belong together" in text_of(sign_in(password="wrong"))
    assert "Wait a few minutes" in text_of(sign_in(password="wrong"))
    assert "Wait a few minutes" in text_of(sign_in())
    with later(minutes=6):
        assert sign_in().status_code == 302


def test_whoever_tries_many_names_is_stopped_and_nobody_else(alice):
    here = {"REMOTE_ADDR": "192.0.2.1"}
    for number in range(10):
        sign_in(login=f"person{number}", password="wrong", **here)
    assert "Wait a few minutes" in text_of(sign_in(login="person10", password="wrong", **here))
    assert "do not belong" in text_of(sign_in(login="person11", password="wrong", REMOTE_ADDR="192.0.2.2"))
    assert sign_in(REMOTE_ADDR="192.0.2.2").status_code == 302


def test_a_network_of_ipv6_is_one_who_tries(alice):
    for number in range(10):
        sign_in(login=f"person{number}", password="wrong", REMOTE_ADDR=f"2001:db8:1:2::{number:x}")
    assert "Wait a few minutes" in text_of(sign_in(login="person10", password="wrong", REMOTE_ADDR="2001:db8:1:2::99"))


def test_behind_a_proxy_the_client_counts_and_not_what_it_claims(alice, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(10):
        claimed = {"X-Forwarded-For": f"203.0.113.{number}, 192.0.2.1"}
        sign_in(login=f"person{number}", password="wrong", headers=claimed)
    claimed = {"X-Forwarded-For": "203.0.113.99, 192.0.2.1"}
    assert "Wait a few minutes" in text_of(sign_in(login="person10", password="wrong", headers=claimed))
    assert sign_in(headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 302


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": ""}, {"X-Forwarded-For": "nonsense"}], ids=str)
def test_who_comes_past_the_proxies_can_sign_in_too(alice, settings, headers):
    settings.TRUSTED_PROXY_COUNT = 2
    assert sign_in(headers=headers, REMOTE_ADDR="").status_code == 302


def test_addresses_of_people_are_not_kept_to_count_attempts(alice):
    sign_in(password="wrong", REMOTE_ADDR="192.0.2.99")
    names = [name.decode() for name in get_client().keys("*rl*")]
    assert names
    assert not any("192.0.2.99" in name for name in names)


def test_too_many_of_anything_is_429_in_words():
    for _ in range(20):
        assert Client().post("/accounts/signup/", {}).status_code == 200
    answer = Client().post("/accounts/signup/", {})
    assert answer.status_code == 429
    assert "Wait a minute" in text_of(answer)
    assert sign_up(Client(REMOTE_ADDR="192.0.2.2"))[1].status_code == 302


def test_without_valkey_people_stay_signed_in_and_sign_in_up_and_out(alice, dataset, settings):
    signed_in = alice.web()
    settings.REDIS_URL = NO_VALKEY
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": NO_VALKEY}}
    assert is_signed_in(signed_in)
    assert signed_in.get("/rate/").status_code == 200
    client = Client()
    assert sign_in(client, password="wrong").status_code == 200
    assert sign_in(client).status_code == 302
    assert is_signed_in(client)
    assert client.post("/accounts/logout/").status_code == 302
    assert not is_signed_in(client)
    client, answer = sign_up(email="new@example.org", username="newcomer")
    assert answer.status_code == 302
    confirm(client, code_in(mail.outbox[-1]))
    assert is_signed_in(client)


def test_signing_out_during_an_outage_is_final(alice, settings):
    client, location = alice.web(), settings.CACHES["default"]
    assert is_signed_in(client)
    cookie = client.cookies["sessionid"].value
    settings.CACHES = {"default": location | {"LOCATION": NO_VALKEY}}
    client.post("/accounts/logout/")
    settings.CACHES = {"default": location}
    again = Client()
    again.cookies["sessionid"] = cookie
    assert not is_signed_in(again)


def test_sessions_that_have_ended_are_deleted(alice):
    alice.web()
    delete_expired_sessions_task()
    assert Session.objects.count() == 1
    with later(days=15):
        delete_expired_sessions_task()
    assert not Session.objects.exists()


def test_the_way_back_leads_to_a_page_of_ours_only(alice):
    for target, lands in (("/kudos/", "/kudos/"), ("https://evil.example/", "/rate/"), ("//evil.example/", "/rate/")):
        answer = Client().post(
            f"/accounts/login/?next={target}", {"login": "alice", "password": PASSWORD, "next": target}
        )
        assert answer["Location"] == lands


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"])
def test_forms_are_for_our_own_pages_only(alice, path):
    client = Client(enforce_csrf_checks=True)
    assert client.post(path, {"login": "alice", "password": PASSWORD}).status_code == 403
