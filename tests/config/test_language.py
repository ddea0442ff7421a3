"""Pages speak the language of whoever asks; programs are answered in English, whatever their browser prefers."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core import mail
from django.template.defaultfilters import date
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from tests.accounts.staff import make_moderator
from tests.factories import PASSWORD
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT, de;q=0.9, en;q=0.1"}


def test_it_works(dataset):
    page = Client(**GERMAN).get("/")
    assert '<html lang="de">' in page.content.decode()
    assert "Sieh ein Bild an" in page.content.decode()
    assert page["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}
    assert '<html lang="en">' in Client(HTTP_ACCEPT_LANGUAGE="fr").get("/").content.decode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/api/v1/rating/new/nowhere", None),
        ("get", "/api/v1/user/ratings/", None),
        ("post", "/api/v1/rating/{image}", {"rating": 7}),
        ("post", "/api/v1/rating/{image}", {"rating": 77}),
        ("post", "/api/v1/rating/{image}", {"rating": 7, "lease": "x"}),
        ("post", "/api/v1/rating/{image}/skip", {"reason": "x"}),
        ("post", "/api/v1/rating/{image}/report", {"reason": "x"}),
        ("post", "/api/v1/comparison/{image}", {"best": "x"}),
        ("get", "/api/v1/nothing-here", None),
        ("get", "/api/nothing-here", None),
    ],
    ids=str,
)
def test_the_api_speaks_english_alone(dataset, method, path, body):
    """Old clients show its messages as they are, and some compare them."""
    image = dataset.images.first()
    answers = []
    for headers in ({}, GERMAN):
        client = Client(**headers)
        client.get("/")  # Whose language must not stay in the thread.
        if headers:
            client.cookies["django_language"] = "de"
        path = path.format(image=image.pk)
        call = getattr(client, method)
        answers.append(call(path, body, content_type="application/json") if body else call(path))
    english, german = answers
    assert english.status_code == german.status_code >= 400
    assert english.json() == german.json()
    assert "message" in english.json()
    assert "Accept-Language" not in german.get("Vary", "")


def test_an_accepted_rating_is_answered_in_english(dataset):
    client = Client(**GERMAN)
    image = client.get("/api/v1/rating/new").json()
    answer = client.post(f"/api/v1/rating/{image['id']}", {"rating": 7}, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["message"] == "Rating submitted"


def test_the_admin_speaks_english_alone():
    page = make_moderator().web.get("/admin/", headers={"Accept-Language": "de"})
    assert 'lang="en"' in page.content.decode()
    assert "Abmelden" not in page.content.decode()


def test_what_is_stored_in_english_is_shown_in_german(rater, dataset):
    api, page = rater.api(), rater.web()
    for _ in range(2):
        image = api.get("/api/v1/rating/new").json()
        api.post(f"/api/v1/rating/{image['id']}", {"rating": 7}, content_type="application/json")
    settle_rewards(hold=timedelta(0), now=timezone.now() + timedelta(seconds=1))
    history = page.get("/kudos/", headers={"Accept-Language": "de"}).content.decode()
    assert "Bewertungen gutgeschrieben: 2 Bewertungen" in history
    assert "Ratings settled: 2 ratings" in page.get("/kudos/").content.decode()
    profile = page.get("/profile/", headers={"Accept-Language": "de"}).content.decode()
    assert ">zählt<" in profile


def test_an_email_says_du(rater):
    client = Client(**GERMAN)
    client.post("/accounts/password/reset/", {"email": rater.user.email})
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert [message.body.count("Du bekommst diese E-Mail") for message in mail.outbox] == [1, 1]
    assert not any(word in message.body for message in mail.outbox for word in ("Sie ", "Ihr", "You"))


def test_numbers_and_days_are_written_as_the_language_does():
    day, number = datetime(2026, 3, 7, 9, 5, tzinfo=UTC), 1234567
    with translation.override("de"):
        assert (intcomma(number), intcomma(1234.5)) == ("1.234.567", "1.234,5")
        assert (date(day, "DATE_FORMAT"), date(day, "DATETIME_FORMAT")) == ("7. März 2026", "7. Mär 2026, 09:05")
    with translation.override("en"):
        assert (intcomma(number), date(day, "DATETIME_FORMAT")) == ("1,234,567", "7 Mar 2026, 09:05")


class TestChoosing:
    def choose(self, client, language="de", onward="/datasets/?page=2"):
        return client.post("/language/", {"language": language, "next": onward})

    def language_of(self, client):
        return client.get("/")["Content-Language"]

    def test_it_works(self, db):
        client = Client(HTTP_ACCEPT_LANGUAGE="en")
        response = self.choose(client)
        assert response.status_code == 302
        assert response["Location"] == "/datasets/?page=2"
        assert response.cookies["django_language"]["httponly"]
        assert response.cookies["django_language"]["max-age"] > 30 * 24 * 3600
        assert self.language_of(client) == "de"
        self.choose(client, "en")
        assert self.language_of(client) == "en"

    @pytest.mark.parametrize(
        "language", ["", "fr", "xx", "de\0", "d" * 5000], ids=["none", "known", "odd", "nul", "long"]
    )
    def test_only_what_is_offered_can_be_chosen(self, rater, language):
        client = rater.web()
        self.choose(client)
        response = self.choose(client, language)
        assert response.status_code == 400
        assert "django_language" not in response.cookies
        assert User.objects.get(pk=rater.user.pk).language == "de"

    @pytest.mark.parametrize(
        "onward", ["", "https://example.org/", "//example.org", "javascript:alert(1)", "\\\\example.org"]
    )
    def test_it_leads_to_no_other_site(self, onward):
        assert self.choose(Client(), onward=onward)["Location"] == "/"

    def test_looking_chooses_nothing(self):
        response = Client().get("/language/", {"language": "de"})
        assert response.status_code == 405
        assert "django_language" not in response.cookies

    def test_another_site_cannot_choose(self):
        client = Client(enforce_csrf_checks=True)
        assert self.choose(client).status_code == 403
        token = client.get("/").cookies["csrftoken"].value
        answer = client.post("/language/", {"language": "de", "next": "/", "csrfmiddlewaretoken": token})
        assert answer.status_code == 302

    def test_an_account_takes_it_to_its_next_browser(self, rater, outsider):
        self.choose(rater.web())
        assert User.objects.get(pk=outsider.user.pk).language == ""
        elsewhere = Client(HTTP_ACCEPT_LANGUAGE="en")
        elsewhere.post("/accounts/login/", {"login": rater.user.username, "password": PASSWORD})
        assert self.language_of(elsewhere) == "de"

    def test_who_never_chose_is_asked_in_what_the_browser_prefers(self, rater):
        elsewhere = Client(**GERMAN)
        elsewhere.post("/accounts/login/", {"login": rater.user.username, "password": PASSWORD})
        assert "django_language" not in elsewhere.cookies
        assert self.language_of(elsewhere) == "de"

    def test_the_answer_of_a_form_is_not_switched_away(self, rater):
        """A new key is shown once, and an answer that was refused is kept on its page."""
        client = rater.web()
        assert 'action="/language/"' in client.get("/profile/keys/").content.decode()
        created = client.post("/profile/keys/", {"name": "bot", "scopes": ["rate"]})
        assert created.status_code == 200
        assert 'action="/language/"' not in created.content.decode()
