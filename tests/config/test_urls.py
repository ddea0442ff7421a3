"""Where things are: every address leads to one thing, and says so with the headers that protect it."""

import json
import re

import pytest
from django.test import Client
from django.urls import get_resolver, resolve, reverse

from tests.house.walk import patterns

pytestmark = pytest.mark.django_db
PUBLIC = [
    "/",
    "/rate/",
    "/datasets/",
    "/datasets/demo/",
    "/downloads/",
    "/accounts/login/",
    "/accounts/signup/",
    "/api/",
]
OWN = ["/profile/", "/profile/keys/", "/kudos/", "/accounts/email/", "/accounts/password/change/"]


@pytest.fixture
def web(rater, dataset):
    return rater.web()


def test_it_works(web):
    for path in PUBLIC + OWN:
        answer = web.get(path)
        if path in {"/accounts/login/", "/accounts/signup/"}:
            assert answer["Location"] == "/rate/"
        else:
            assert answer.status_code == 200, path
            assert answer["Content-Type"].startswith("text/html")


def test_a_page_of_ones_own_leads_whoever_is_not_signed_in_to_signing_in_and_back(dataset):
    for path in OWN:
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("path", [path for path in PUBLIC + OWN if path not in {"/", "/api/"}])
def test_an_address_without_its_last_slash_leads_to_the_page(web, path):
    answer = web.get(path.rstrip("/"))
    assert (answer.status_code, answer["Location"]) == (301, path)


@pytest.mark.parametrize("path", PUBLIC + OWN)
def test_pages_run_nothing_and_load_nothing_from_elsewhere(web, path):
    answer = web.get(path, follow=True)
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part.strip())
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    page = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page), "a script inside the page"
    assert not re.search(r"<[^>]+\s(on[a-z]+|style)=", page), "a handler or a style inside a tag"
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]+?(?:src|href)=\"([^\"]+)\"", page)
    assert all(address.startswith(("/", "data:")) and not address.startswith("//") for address in loaded)
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize("path", OWN)
def test_a_page_of_ones_own_is_given_to_nobody_else_by_a_cache(web, path):
    answer = web.get(path)
    assert "Cookie" in answer["Vary"]
    assert path.startswith("/accounts/") or "private" in answer["Cache-Control"]


def test_names_are_unique():
    named = [pattern.name for pattern in patterns(get_resolver().url_patterns) if pattern.name]
    own = [name for name in named if name not in {"index", "login", "logout"}]
    assert len(own) == len(set(own))


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("ratings:home", {}, "/"),
        ("ratings:rate", {}, "/rate/"),
        ("ratings:rate_dataset", {"slug": "demo"}, "/rate/demo/"),
        ("ratings:profile", {}, "/profile/"),
        ("accounts:create_api_key", {}, "/profile/keys/"),
        ("kudos:history", {}, "/kudos/"),
        ("exports:downloads", {}, "/downloads/"),
        ("api-rating-new", {}, "/api/v1/rating/new"),
        ("api-rate", {"image_id": "0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15"}, None),
        ("healthz", {}, "/healthz"),
    ],
)
def test_an_address_leads_back_to_its_name(name, arguments, path):
    """No route hides behind one that comes before it."""
    address = reverse(name, kwargs=arguments)
    assert path in {None, address}
    assert resolve(address).view_name == name


def test_the_document_of_the_api_describes_what_is_there(dataset):
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    assert {"/api/v1/rating/new", "/api/v1/rating/{image_id}"} <= document["paths"].keys()
    assert document["components"]["securitySchemes"]["apikey"]["name"] == "apikey"


def test_robots_are_told_where_not_to_go():
    answer = Client().get("/robots.txt")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain")
    assert b"Disallow:" in answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/robots.txt", "/api/openapi.json"])
def test_probes_and_documents_open_no_session(dataset, path):
    assert not Client().get(path).cookies
