"""Pages speak the language of whoever asks; programs are answered in English, whatever their browser prefers."""

import pytest
from django.test import Client

from accounts.models import User
from tests.accounts.staff import make_moderator
from tests.factories import PASSWORD

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
