"""The API and its pages apart: no session reaches the API, so no other site can use it in somebody's name."""

import pytest
from django.test import Client

from ratings.models import Rating

pytestmark = pytest.mark.django_db


def test_a_session_is_nobody_at_the_api(rater, dataset):
    client = rater.web()
    image = client.get("/api/v1/rating/new").json()
    client.post(f"/api/v1/rating/{image['id']}", {"rating": 7}, content_type="application/json")
    assert Rating.objects.get().is_shared


def test_the_api_reads_no_session(rater, dataset, django_assert_num_queries):
    with_session, without = rater.web(), Client()
    for client in (with_session, without):
        response = client.get("/api/v1/rating/new")
        assert response.status_code == 200
        assert "Set-Cookie" not in response
        assert "Cookie" not in response.get("Vary", "")


def test_a_page_has_a_session_a_policy_and_no_frame(rater, dataset):
    response = rater.web().get("/profile/")
    assert response.status_code == 200
    assert "default-src" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
