"""A person's own pages: profile, keys, ledger, and allauth's ways in and out."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import ApiKey, User
from accounts.services import MAX_LIVE_KEYS, create_api_key
from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.rewards import current_prices
from ratings.services.rating import RatingSubmission, submit_rating
from tests.factories import PASSWORD
from tests.people import now

OWN_PAGES = ["/profile/", "/profile/keys/", "/kudos/"]
KEYS = "/profile/keys/"


def rate(person, lease, **given):
    image = lease(person.caller)
    submission = RatingSubmission(image.image_id, lease=image.lease, **given)
    return submit_rating(caller=person.caller, submission=submission, prices=current_prices(), now=now())


def pay(person, amount, note=""):
    account = ensure_user_accounts([person.identity_id])[person.identity_id]
    legs = ((account, amount), (system_account_id(AccountKind.TREASURY), -amount))
    reference = f"test:{person.user.pk}:{amount}:{note}"
    post_transactions(reason=Reason.RATING, postings=[Posting(reference, legs, note)], now=now())


def read(response):
    """Return the text of a page as a person would read it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


class TestProfile:
    def test_it_works(self, rater, lease):
        rate(rater, lease, aesthetic=7, artifacts=2)
        rate(rater, lease, aesthetic=9)
        pay(rater, 12)

        text = read(rater.web().get("/profile/"))

        assert "Rated today (UTC) 2" in text
        assert "Rated in all 2" in text
        assert "Kudos pending 10" in text
        assert "Kudos settled 12" in text
        assert text.count("5 pending") == 2
        assert "9 \u2013 demo" in text
        assert "7 2 demo" in text
        assert f"{rater.key[:8]}… · rate, read" in text

    def test_a_newcomer_is_shown_where_to_begin(self, rater):
        text = read(rater.web().get("/profile/"))

        assert "You have not rated anything with this account yet." in text

    def test_it_shows_nothing_of_others(self, rater, outsider, lease):
        rate(rater, lease, aesthetic=7)

        response = outsider.web().get("/profile/")

        assert response.context["ratings"] == []
        assert rater.key[:8] not in response.content.decode()

    def test_long_lists_go_on(self, rater, lease, monkeypatch):
        monkeypatch.setattr("ratings.views.profile.PAGE_LENGTH", 2)
        for value in (1, 2, 3):
            rate(rater, lease, aesthetic=value)
        web = rater.web()

        first = web.get("/profile/")
        older = re.search(r'href="(\?before=\d+)"', first.content.decode())[1]
        second = web.get(f"/profile/{older}")

        assert [row.aesthetic for row in first.context["ratings"]] == [3, 2]
        assert [row.aesthetic for row in second.context["ratings"]] == [1]
        assert "Newest" in read(second)

    @pytest.mark.parametrize("path", ["/profile/", "/kudos/"])
    @pytest.mark.parametrize("before", ["x", "0", "-1", "9" * 30, "1.5"])
    def test_a_wrong_place_is_not_found(self, rater, path, before):
        assert rater.web().get(path, {"before": before}).status_code == 404

    @pytest.mark.parametrize("path", ["/profile/", "/kudos/"])
    def test_past_the_end(self, rater, path):
        assert rater.web().get(path, {"before": 1}).status_code == 200


class TestAnonymous:
    @pytest.mark.parametrize("path", OWN_PAGES)
    def test_is_sent_to_sign_in(self, db, client, path):
        response = client.get(path)

        assert response.status_code == 302
        assert response["Location"] == f"/accounts/login/?next={path}"

    def test_cannot_make_or_revoke_keys(self, rater, client):
        key = ApiKey.objects.get()

        assert client.post(KEYS, {"name": "x", "scopes": ["rate"]}).status_code == 302
        assert client.post(f"{KEYS}{key.pk}/revoke/").status_code == 302

        assert ApiKey.objects.get().revoked_at is None


class TestMakingKeys:
    def test_it_works(self, rater):
        web = rater.web()

        response = web.post(KEYS, {"name": "my bot", "scopes": ["rate"]})

        secret = response.context["secret"]
        text = response.content.decode()
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert text.count(secret) == 2
        assert "http://testserver/api/v1/rating/new" in text
        assert secret not in web.get("/profile/").content.decode()
        key = ApiKey.objects.get(name="my bot")
        assert (key.user, key.scopes, secret[:8]) == (rater.user, ["rate"], key.prefix)

    def test_there_is_a_page_for_it(self, rater):
        assert "What the key is for" in read(rater.web().get(KEYS))

    @pytest.mark.parametrize(
        ("given", "complaint"),
        [
            ({"scopes": ["rate"]}, "This field is required."),
            ({"name": "  ", "scopes": ["rate"]}, "This field is required."),
            ({"name": "x" * 61, "scopes": ["rate"]}, "at most 60 characters"),
            ({"name": "x"}, "This field is required."),
            ({"name": "x", "scopes": ["rule"]}, "rule is not one of the available choices"),
            ({"name": "a\x00b", "scopes": ["rate"]}, "Null characters are not allowed."),
            ({}, "This field is required."),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field(self, rater, given, complaint):
        response = rater.web().post(KEYS, given)

        assert response.status_code == 400
        assert complaint in read(response)
        assert 'aria-invalid="true"' in response.content.decode()
        assert ApiKey.objects.count() == 1

    def test_there_is_an_end_to_it(self, rater):
        for number in range(MAX_LIVE_KEYS - 1):
            create_api_key(user=rater.user, name=str(number), now=now())

        response = rater.web().post(KEYS, {"name": "one more", "scopes": ["rate"]}, follow=True)

        assert "Revoke one first." in read(response)
        assert not ApiKey.objects.filter(name="one more").exists()

    def test_a_token_of_this_site_is_wanted(self, rater):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(rater.user)

        assert strict.post(KEYS, {"name": "x", "scopes": ["rate"]}).status_code == 403
        assert strict.post(f"{KEYS}{ApiKey.objects.get().pk}/revoke/").status_code == 403
        assert ApiKey.objects.get().revoked_at is None


class TestRevokingKeys:
    def test_it_works(self, rater):
        key = ApiKey.objects.get()

        response = rater.web().post(f"{KEYS}{key.pk}/revoke/", follow=True)

        key.refresh_from_db()
        assert key.revoked_at is not None
        assert "The key “tests” is revoked and no longer works." in read(response)
        assert "revoked" in read(response)

    def test_a_second_time_is_not_found(self, rater):
        web, path = rater.web(), f"{KEYS}{ApiKey.objects.get().pk}/revoke/"
        web.post(path)

        assert web.post(path).status_code == 404

    def test_somebody_elses_key_is_not_found(self, rater, outsider):
        key = rater.user.api_keys.get()

        assert outsider.web().post(f"{KEYS}{key.pk}/revoke/").status_code == 404

        key.refresh_from_db()
        assert key.revoked_at is None

    @pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
    def test_an_unknown_key_is_not_found(self, rater, number):
        assert rater.web().post(f"{KEYS}{number}/revoke/").status_code == 404

    def test_a_look_revokes_nothing(self, rater):
        assert rater.web().get(f"{KEYS}{ApiKey.objects.get().pk}/revoke/").status_code == 405


class TestLedger:
    def test_it_works(self, rater):
        pay(rater, 40)
        pay(rater, -15, "taken back")

        response = rater.web().get("/kudos/")

        assert "Your balance is 25" in read(response)
        assert [(line.amount, line.balance_after) for line in response.context["lines"]] == [(-15, 25), (40, 40)]
        assert "Ratings settled: taken back" in read(response)

    def test_an_empty_one_says_when_it_fills(self, rater):
        assert "Nothing has been settled yet." in read(rater.web().get("/kudos/"))

    def test_it_shows_nothing_of_others(self, rater, outsider):
        pay(rater, 40)

        assert outsider.web().get("/kudos/").context["lines"] == []

    def test_long_lists_go_on(self, rater, monkeypatch):
        monkeypatch.setattr("kudos.views.PAGE_LENGTH", 2)
        for amount in (1, 2, 3):
            pay(rater, amount)
        web = rater.web()

        older = re.search(r'href="(\?before=\d+)"', web.get("/kudos/").content.decode())[1]

        assert [line.amount for line in web.get(f"/kudos/{older}").context["lines"]] == [1]


class TestSigningUp:
    def test_it_works(self, db, client):
        page = client.get("/accounts/signup/").content.decode()
        for hint in ('autocomplete="email"', 'autocomplete="username"', 'autocomplete="new-password"'):
            assert hint in page

        given = {"email": "new@example.org", "username": "newcomer", "password1": PASSWORD}
        response = client.post("/accounts/signup/", given, follow=True)
        code = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", mail.outbox[0].body, re.MULTILINE)[1]
        assert "Confirm your e-mail address" in read(response)
        response = client.post("/accounts/confirm-email/", {"code": code})

        assert response["Location"] == "/rate/"
        assert EmailAddress.objects.get().verified
        assert client.get("/profile/").status_code == 200

    def test_a_wrong_code_is_said_in_words(self, db, client):
        given = {"email": "new@example.org", "username": "newcomer", "password1": PASSWORD}
        client.post("/accounts/signup/", given)

        response = client.post("/accounts/confirm-email/", {"code": "WRONG1"})

        assert "This is not the code in the e-mail, or it has expired." in read(response)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"password1": "short"}, "at least 10 characters"),
            ({"password1": "1234567890"}, "too common"),
            ({"email": "nobody"}, "Enter a valid email address."),
            ({"username": ""}, "This field is required."),
            ({"username": "rater"}, "already exists"),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field(self, rater, client, change, complaint):
        given = {"email": "new@example.org", "username": "newcomer", "password1": PASSWORD} | change

        response = client.post("/accounts/signup/", given)

        assert complaint in read(response)
        assert User.objects.count() == 1

    def test_a_known_address_is_not_given_away(self, rater, client):
        given = {"email": rater.user.email, "username": "newcomer", "password1": PASSWORD}

        response = client.post("/accounts/signup/", given, follow=True)

        assert "Confirm your e-mail address" in read(response)
        assert User.objects.count() == 1


class TestSigningIn:
    @pytest.mark.parametrize("name", ["rater", "rater@example.org"])
    def test_it_works(self, rater, client, name):
        response = client.post("/accounts/login/", {"login": name, "password": PASSWORD})

        assert response["Location"] == "/rate/"

    def test_it_goes_on_to_where_one_was_going(self, rater, client):
        page = client.get("/accounts/login/?next=/kudos/").content.decode()
        assert 'name="next" value="/kudos/"' in page

        response = client.post("/accounts/login/", {"login": "rater", "password": PASSWORD, "next": "/kudos/"})

        assert response["Location"] == "/kudos/"

    def test_it_does_not_go_to_other_sites(self, rater, client):
        given = {"login": "rater", "password": PASSWORD, "next": "https://evil.example/"}

        assert client.post("/accounts/login/", given)["Location"] == "/rate/"

    def test_a_wrong_password_is_said_in_words(self, rater, client):
        response = client.post("/accounts/login/", {"login": "rater", "password": "wrong"})

        assert "do not belong together. Check both." in read(response)
        assert 'role="alert"' in response.content.decode()

    def test_signing_out_asks_first(self, rater):
        web = rater.web()
        assert "Sign out?" in read(web.get("/accounts/logout/"))

        web.post("/accounts/logout/")

        assert web.get("/profile/").status_code == 302


class TestPasswords:
    def test_a_forgotten_one_is_set_anew(self, rater, client):
        response = client.post("/accounts/password/reset/", {"email": rater.user.email}, follow=True)
        assert "Look at your e-mail" in read(response)
        link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]

        page = client.get(link, follow=True)
        assert "New password" in read(page)
        done = client.post(
            page.request["PATH_INFO"],
            {"password1": "another good phrase", "password2": "another good phrase"},
            follow=True,
        )

        assert "The password is changed" in read(done)
        assert "This link does not work any more" in read(Client().get(link, follow=True))

    def test_one_that_is_known_is_changed(self, rater):
        given = {"oldpassword": PASSWORD, "password1": "another good phrase", "password2": "another good phrase"}

        rater.web().post("/accounts/password/change/", given)

        rater.user.refresh_from_db()
        assert rater.user.check_password("another good phrase")

    def test_addresses_are_listed(self, rater):
        assert "rater@example.org main" in read(rater.web().get("/accounts/email/"))
