"""Every error is JSON with a message below /api/v1/, and a page in words everywhere else, whoever raised it."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client
from django.urls import include, path
from rest_framework import exceptions as drf
from rest_framework.views import APIView

from accounts.providers.base import ProviderUnavailable
from config import urls
from config.api_errors import ERRORS, RETRY_AFTER, WORK_OF_A_CLIENT
from ratings.api.bodies import BodyInvalid
from ratings.countermeasures.proof_of_work import ProofOfWorkNeeded
from ratings.services.relay import SetInvalid
from tests.config.test_health import no_database

EXPECTED = {
    drf.PermissionDenied("Not with this key."): (403, "permission_denied"),
    drf.ParseError("Not JSON."): (400, "parse_error"),
    drf.ValidationError({"rating": ["wrong"]}): (400, "invalid"),
    drf.NotAuthenticated(): (401, "not_authenticated"),
    drf.MethodNotAllowed("PUT"): (405, "method_not_allowed"),
    drf.UnsupportedMediaType("text/csv"): (415, "unsupported_media_type"),
    drf.Throttled(wait=7): (429, "throttled"),
}
BY_FIELD = {BodyInvalid, SetInvalid}


def make(kind):
    """Return an exception of this kind as the service raises it."""
    if kind is ProofOfWorkNeeded:
        return kind({"algorithm": "SHA-256"}, None)
    return kind({"rating": "too high"}) if kind in BY_FIELD else kind("In words.")


class Raise(APIView):
    """Raise what the test has put here."""

    error: Exception = Http404()
    permission_classes = ()

    def get(self, request):
        raise self.error

    put = post = get


def raise_on_a_page(request):
    raise Raise.error


urlpatterns = [
    path("api/v1/raise", Raise.as_view()),
    path("api/v1/raise-outside", raise_on_a_page),
    path("raise/", raise_on_a_page),
    path("", include(urls)),
]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def raised(monkeypatch, db):
    """Have the routes of this module raise an exception; return a client that reads the answer."""

    def prepare(error):
        monkeypatch.setattr(Raise, "error", error)
        return Client(raise_request_exception=False)

    return prepare


def assert_json(response, status):
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    body = response.json()
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["rc"]
    return body


def assert_page(response, status):
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    text = response.content.decode()
    assert "<h1>" in text
    assert "Front page" in text
    return text


def test_it_works(raised):
    client = raised(Http404("A detail."))
    assert assert_json(client.get("/api/v1/raise"), 404) == {"message": "A detail.", "rc": "NotFound"}
    assert "A detail." not in assert_page(client.get("/raise/"), 404)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_row_of_the_table_is_what_is_answered(raised, kind):
    error = make(kind)
    answer = raised(error).get("/api/v1/raise")
    body = assert_json(answer, ERRORS[kind].status)
    assert body["rc"] == ERRORS[kind].rc
    # What a page says there is of no use to a client.
    own = {"RequestDataTooBig": "The body is too large.", "ProofOfWorkNeeded": WORK_OF_A_CLIENT % 60}
    assert body["message"] == own.get(kind.__name__, str(error))
    assert ("errors" in body) == (kind in BY_FIELD)
    assert answer.get("Retry-After") == RETRY_AFTER.get(kind)
    assert answer.has_header("WWW-Authenticate") == (ERRORS[kind].status == 401)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_status_is_one_that_old_clients_survive(kind):
    """Server errors make them try again, and redirects make a POST a GET.

    Trying again is right for one thing: while nobody knows whose key it is, neither 401 nor 403 would be true.
    """
    if kind is ProviderUnavailable:
        assert (ERRORS[kind].status, RETRY_AFTER[kind]) == (503, "10")
    else:
        assert 400 <= ERRORS[kind].status < 500


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: type(error).__name__)
def test_errors_of_the_framework_have_the_same_shape(raised, error):
    answer = raised(error).get("/api/v1/raise")
    status, code = EXPECTED[error]
    body = assert_json(answer, status)
    assert body["rc"] == code
    assert answer.get("Retry-After") == ("7" if status == 429 else None)


@pytest.mark.parametrize("path", ["/api/v1/raise", "/api/v1/raise-outside"])
def test_what_nobody_expected_is_500_and_gives_nothing_away(raised, path):
    body = assert_json(raised(RuntimeError("the password is x")).get(path), 500)
    assert "the password" not in body["message"]


def test_what_nobody_expected_on_a_page_is_500_in_words(raised):
    assert "the password" not in assert_page(raised(RuntimeError("the password is x")).get("/raise/"), 500)


@pytest.mark.parametrize(
    ("error", "status"),
    [(SuspiciousOperation("detail"), 400), (PermissionDenied("detail"), 403), (Http404("detail"), 404)],
)
def test_errors_outside_the_framework_are_json_or_a_page_by_address(raised, error, status):
    client = raised(error)
    assert_json(client.get("/api/v1/raise-outside"), status)
    assert_page(client.get("/raise/"), status)


@pytest.mark.django_db(transaction=True)
def test_without_a_database_there_are_still_words(raised, rater):
    client = Client(raise_request_exception=False)
    client.cookies = rater.web().cookies
    with no_database():
        assert_page(client.get("/rate/"), 500)
        assert_json(client.get("/api/v1/rating/new"), 500)
        assert_json(client.post("/api/v1/rating/x", b"{}", content_type="application/json"), 400)


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/upload/std", "/api/v1/rating/x/y/z", "/api/v1/", "/api/v1"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_a_route_that_is_not_there_is_json_whatever_is_sent(path, method):
    """Also a POST from another origin, of which Django would first ask a token against forgery."""
    client = Client(enforce_csrf_checks=True)
    assert_json(client.generic(method, path, b"{}", content_type="application/json"), 404)


@pytest.mark.parametrize("path", ["/api/", "/api/openapi.json"])
@pytest.mark.parametrize("key", ["wrong", "A" * 22])
def test_the_document_is_for_everybody_also_with_a_wrong_key(db, path, key):
    assert Client().get(path, headers={"apikey": key}).status_code == 200


@pytest.mark.parametrize("path", ["/api/nothing", "/api/v10/x"])
def test_all_below_api_is_json(path):
    assert_json(Client().get(path), 404)
    assert_json(Client(enforce_csrf_checks=True).post(path, b"{}", content_type="application/json"), 404)


def test_a_host_that_is_not_ours_is_400(db):
    assert_json(Client().get("/api/v1/rating/new", headers={"host": "evil.example"}), 400)
    assert_page(Client().get("/", headers={"host": "evil.example"}), 400)


def test_a_form_without_a_token_is_403_and_says_what_to_do(db):
    assert "send it again" in assert_page(Client(enforce_csrf_checks=True).post("/rate/", {"aesthetic": 7}), 403)


def test_too_much_on_a_page_is_413(db):
    answer = Client().post("/rate/", {"aesthetic": "7" * 300_000})
    assert "too large" in assert_page(answer, 413)


def test_too_many_fields_on_a_page_are_400(db):
    assert_page(Client().post("/rate/", {f"f{n}": "" for n in range(1001)}), 400)


@pytest.mark.parametrize("path", ["/nothing/", "/datasets/nothing/", "/rate/nothing/", "/profile/x/", "/accounts/x/"])
def test_an_address_with_nothing_at_it_is_404_in_words(db, path):
    assert_page(Client().get(path), 404)


@pytest.mark.parametrize("path", ["/%00/", "/datasets/%00/", "/%FF%FE/", "/images/%0a.webp", "/" + "a" * 8000])
def test_an_address_that_cannot_be_is_404(db, path):
    assert Client().get(path).status_code == 404


def test_every_page_of_an_error_keeps_the_headers_that_protect(db):
    for answer in (Client().get("/nothing/"), Client().get("/", headers={"host": "evil.example"})):
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
