"""Pages speak the language of whoever asks; programs are answered in English, whatever their browser prefers."""

import pytest
from django.test import Client

from tests.accounts.staff import make_moderator

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
