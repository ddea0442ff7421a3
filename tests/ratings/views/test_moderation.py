"""The lists of moderators in a browser: signed in, without a key, and with links that lead on without one."""

import re

import pytest

from accounts.numbers import OURS_FROM
from ratings.rewards import current_prices
from ratings.services.rating import RatingSubmission, submit_rating
from tests.accounts.staff import make_moderator
from tests.people import now

LIST = "/moderation/ratings/"


@pytest.fixture
def web(db):
    return make_moderator().web


@pytest.fixture
def rated(rater, dataset, lease):
    """Two ratings; the image of the second."""
    for aesthetic in (3, 9):
        image = lease(rater.caller)
        submission = RatingSubmission(image.image_id, aesthetic, lease=image.lease)
        submit_rating(caller=rater.caller, submission=submission, prices=current_prices(), now=now())
    return image.image_id


def links(response, beginning):
    return set(re.findall(rf'href="({beginning}[^"]*)"', response.content.decode()))


def number_of(person):
    return OURS_FROM + person.identity_id


def test_it_works(web, rated, rater):
    user = f"/moderation/users/{number_of(rater)}/"
    for path in (f"{LIST}?min_ratings=1", f"{user}?min_ratings=0"):
        page = web.get(path)
        assert (page.status_code, page["Cache-Control"]) == (200, "no-store")
        assert "style-src 'self'" in page["Content-Security-Policy"]
        assert links(page, "/api/v1/(?:user|image)") == set()
        assert f"/moderation/images/{rated}/?format=html" in links(page, "/moderation/")
        [form] = re.findall(r'<form class="filters" method="get" action="([^"]+)"', page.content.decode())
        assert form == path.partition("?")[0]
        for link in links(page, "/moderation/images/"):
            assert "Ratings of an image" in web.get(link).content.decode()


def test_filters_and_pages_lead_on_within_the_site(web, rated):
    page = web.get(LIST, {"min_ratings": "1", "limit": "1"})
    [older] = re.findall(r'href="(\?[^"]+)">Older', page.content.decode())
    second = web.get(LIST + older.replace("&amp;", "&"))
    assert second.status_code == 200
    assert links(page, "/moderation/images/") != links(second, "/moderation/images/")
    assert links(web.get(LIST, {"rating": "9", "min_ratings": "1"}), "/moderation/images/") == {
        f"/moderation/images/{rated}/?format=html"
    }


@pytest.mark.parametrize("path", [LIST, "/moderation/users/{number}/", "/moderation/images/{image}/"])
def test_others_are_refused(client, rater, outsider, rated, path):
    path = path.format(number=number_of(rater), image=rated)
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"
    assert client.get(path, headers={"apikey": rater.key}).status_code == 302
    assert [person.web().get(path).status_code for person in (rater, outsider)] == [403, 403]
    assert make_moderator("second").web.post(path).status_code == 405


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LIST}?rating=11", 400),
        (f"{LIST}?limit=x", 400),
        (f"{LIST}?client_agent=%00", 400),
        ("/moderation/users/nobody/", 400),
        ("/moderation/users/4294967295/", 404),
        ("/moderation/images/0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15/", 404),
        ("/moderation/images/nonsense/", 404),
    ],
)
def test_what_cannot_be_asked_is_a_page_that_says_so(web, path, status):
    response = web.get(path)
    assert (response.status_code, response["Content-Type"]) == (status, "text/html; charset=utf-8")
