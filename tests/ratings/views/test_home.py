"""The front page, and what holds for every page."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import get_template
from django.test import Client

from tests.factories import DatasetFactory

PAGES = ["/", "/rate/", "/datasets/", "/accounts/login/", "/accounts/signup/", "/nowhere/"]


def test_it_works(client, dataset):
    text = client.get("/").content.decode()

    assert 'href="/rate/"' in text
    assert dataset.name in text
    assert "0 of 20 images have enough ratings" in text
    assert "Three promises" in text


def test_a_new_installation(db, client):
    response = client.get("/")

    assert response.status_code == 200
    assert "There is no dataset yet." in response.content.decode()


def test_a_name_with_markup_stays_a_name(db, client):
    DatasetFactory(name="<script>alert(1)</script>", description="<img src=x>")

    text = client.get("/").content.decode()

    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_nothing_can_be_sent_here(db, client):
    assert client.post("/").status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_language_landmarks_and_nothing_inline(client, dataset, path):
    text = client.get(path).content.decode()

    assert '<html lang="en"' in text
    for part in ("<header", "<main", "<h1", "<title>", 'class="skip-link'):
        assert part in text
    assert len(re.findall(r"<h1[ >]", re.sub(r'<section id="ended".*?</section>', "", text, flags=re.DOTALL))) <= 1
    assert not re.search(r"<[^>]+ (style|on[a-z]+)=", text)
    assert not re.search(r"<style|<script(?![^>]* src=)", text)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_what_is_inline(client, dataset, path):
    policy = client.get(path)["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_menu_knows_who_is_there(dataset, rater):
    assert "Sign in" in Client().get("/").content.decode()
    text = rater.web().get("/").content.decode()
    assert "Sign out" in text
    assert rater.user.username in text


@pytest.mark.parametrize("status", [400, 500])
def test_these_error_pages_stand_by_themselves(status):
    """No request, no database, no manifest of static files: whatever is broken, they can be shown."""
    text = get_template(f"{status}.html").render()

    assert "<h1>" in text
    assert 'href="/"' in text


@pytest.mark.parametrize("status", [403, 404, 429])
def test_the_other_error_pages_lead_on(db, rf, status):
    request = rf.get("/")
    request.user = AnonymousUser()

    text = get_template(f"{status}.html").render(request=request)

    assert "<h1>" in text
    assert 'href="/rate/"' in text
