"""Requests made up from our own OpenAPI document: nothing becomes a 500, and every answer is as documented."""

import json

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, assume, event, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.embedded import CHECKOUT
from config.settings.limits import LIMITS, Limit
from ratings.models import Rating
from tests.factories import make_images

service = get_wsgi_application()


def application(environ, start_response):
    """Answer as a web server lets Django answer, but in the transaction of the test, which must stay open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        response = service(environ, start_response)
        body = b"".join(response)
        response.close()
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
    return [body]


load_all_checks()
schema = schemathesis.openapi.from_path(CHECKOUT / "docs" / "openapi.yaml")
schema.app = application
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
pytestmark = [pytest.mark.django_db, pytest.mark.slow]
bounded = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True)
def _unlimited(settings):
    """A 429 is documented everywhere, so it would hide what is to be seen; it has a test of its own below."""
    settings.LIMITS_ENABLED = False


@pytest.fixture
def many_images(dataset):
    make_images(dataset, 300)


def assert_documented(case, response):
    case.validate_response(response, checks=CHECKS)
    event(f"{case.method} {response.status_code}")
    if response.status_code >= 400:
        body = json.loads(response.content)
        assert isinstance(body["message"], str)
        assert body["message"]


@schema.parametrize()
@bounded
@pytest.mark.parametrize("key", ["own", "anonymous", "as generated"])
def test_every_answer_is_documented(case, key, rater, dataset):
    if key != "as generated":
        case.headers["apikey"] = rater.key if key == "own" else "0000000000"
    assert_documented(case, case.call())


@schema.include(method="POST", path="/api/v1/rating/{image_id}").parametrize()
@bounded
def test_what_is_said_of_a_leased_image_is_stored_or_refused_in_words(case, many_images, rater, lease):
    """The body as generated, for an image that may be rated: the way to the database is open."""
    leased = lease(rater.caller)
    before = Rating.objects.count()
    case.path_parameters = {"image_id": str(leased.image_id)}
    case.headers["apikey"] = rater.key
    if isinstance(case.body, dict) and "lease" not in case.body:
        case.body["lease"] = leased.lease
    response = case.call()
    assert_documented(case, response)
    assert Rating.objects.count() - before == (response.status_code == 201)


@schema.parametrize()
@settings(bounded, max_examples=3)
def test_too_many_requests_are_answered_as_documented(case, rater, dataset, settings):
    """Of every operation, also those that the key does not let one do."""
    settings.LIMITS_ENABLED = True
    settings.LIMITS = dict.fromkeys(LIMITS, Limit(2, 3600, 1))
    # A line break in the path is no address of the service at all.
    assume("%0A" not in str(case.path_parameters))
    case.headers["apikey"] = rater.key
    case.call()
    response = case.call()
    # 403 for a rating, which has no 429 in the document; only who is limited is told when to come back.
    assert response.status_code in {403, 429}
    assert response.headers["retry-after"]
    assert_documented(case, response)
