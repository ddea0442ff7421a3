"""The part of the profile where a person links their AI Horde identity."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from accounts import valkey
from accounts.models import Identity
from accounts.services import ensure_identity
from config.settings.limits import LIMITS, Limit
from ratings.models import Rating
from tests.accounts.test_views import read
from tests.people import make_person

pytestmark = pytest.mark.django_db
KEY = "hordeKey00000000000001"
LINK = "/profile/horde/"


@pytest.fixture
def ada(horde):
    horde.add_user(KEY, 7, username="Ada <b>#7")
    return horde


def follow(person, path, data=None):
    return read(person.web().post(path, data or {}, follow=True))


def linked_to(person):
    return list(Identity.objects.filter(kind="horde", user=person.user))


def test_it_works(rater, ada):
    web = rater.web()
    assert "Your AI Horde API key" in read(web.get("/profile/"))
    response = web.post(LINK, {"key": f" {KEY} "}, follow=True)
    assert response.redirect_chain == [("/profile/", 302)]
    html = response.content.decode()
    assert "Ada &lt;b&gt;#7" in html
    assert "<b>#7" not in html
    assert KEY not in html
    [identity] = linked_to(rater)
    text = follow(rater, f"/profile/horde/{identity.pk}/unlink/")
    assert "is no longer linked to your account" in text
    assert linked_to(rater) == []


def test_an_empty_field_is_said_to_be_empty_and_nobody_is_asked(rater, ada):
    assert "Type in your AI Horde API key first." in follow(rater, LINK, {"key": "  "})
    assert ada.asked == []


def test_also_who_has_a_right_key_is_limited(rater, ada, settings):
    settings.LIMITS = LIMITS | {"read": Limit(2, 60, 1)}
    web = rater.web()
    assert [web.post(LINK, {"key": KEY}).status_code for _ in range(2)] == [302, 429]
    assert len(ada.asked) == 1


def test_the_key_is_kept_nowhere(rater, ada, caplog):
    rater.web().post(LINK, {"key": KEY})
    dump = b"".join(name + (valkey.get_client().dump(name) or b"") for name in valkey.get_client().scan_iter())
    assert KEY.encode() not in dump
    assert KEY not in caplog.text
    assert KEY not in str(list(Identity.objects.values()))
    assert cache.get(KEY) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Type in your AI Horde API key first."),
        ({"key": ""}, "Type in your AI Horde API key first."),
        ({"key": "x"}, "AI Horde knows no such key."),
        ({"key": "x" * 100_000}, "AI Horde knows no such key."),
        ({"key": "a\x00b"}, "AI Horde knows no such key."),
        ({"key": "A" * 22}, "AI Horde knows no such key."),
        ({"key": "0000000000"}, "AI Horde knows no such key."),
        ({"key": "01234567-89ab-cdef-0123-456789abcdef"}, "This is a shared key of AI Horde"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_key_is_said_in_words(rater, ada, data, said):
    assert said in follow(rater, LINK, data)
    assert linked_to(rater) == []


def test_somebody_elses_identity_is_refused_in_words(rater, outsider, ada):
    follow(rater, LINK, {"key": KEY})
    assert "linked to another account" in follow(outsider, LINK, {"key": KEY})
    assert len(linked_to(rater)) == 1


def test_an_outage_is_said_in_words(rater, ada):
    ada.instead = (502, "bad gateway")
    assert "AI Horde does not answer" in follow(rater, LINK, {"key": KEY})


def guess(person, number, address="192.0.2.1"):
    web = person.web()
    return web.post(LINK, {"key": f"guess{number:017}"}, REMOTE_ADDR=address)


def test_who_guesses_keys_is_stopped_before_ai_horde_is_asked(rater, outsider, ada, settings):
    burst = LIMITS["bad_key"].burst
    with time_machine.travel(datetime.now(UTC), tick=False):
        # One after the other pauses for nobody: without the limit that everybody has.
        settings.LIMITS = LIMITS | {"read": Limit(1000, 60, 900)}
        answers = [guess(rater, number).status_code for number in range(60)]
        assert answers == [302] * burst + [429] * (60 - burst)
        assert len(ada.asked) == burst
        # Neither from another address nor as somebody else.
        refused = [guess(rater, 99, "192.0.2.2"), guess(outsider, 99)]
        assert [answer.status_code for answer in refused] == [429, 429]
        assert refused[0]["Retry-After"] == "6"
        assert guess(outsider, 99, "192.0.2.3").status_code == 302
    assert len(ada.asked) == burst + 1


def test_a_right_key_costs_nothing(rater, ada, settings):
    settings.LIMITS = settings.LIMITS | {"bad_key": Limit(2, 3600, 1)}
    for _ in range(3):
        follow(rater, LINK, {"key": KEY})
    assert len(linked_to(rater)) == 1


def test_nobody_unlinks_what_is_another_persons(rater, outsider, ada):
    follow(rater, LINK, {"key": KEY})
    [identity] = linked_to(rater)
    assert outsider.web().post(f"/profile/horde/{identity.pk}/unlink/").status_code == 404
    assert rater.web().post(f"/profile/horde/{rater.identity_id}/unlink/").status_code == 404
    assert rater.web().post(f"/profile/horde/{2**62}/unlink/").status_code == 404
    assert len(linked_to(rater)) == 1


def test_strangers_and_get_do_nothing(rater, ada):
    assert Client().post(LINK, {"key": KEY}).status_code == 302
    assert rater.web().get(LINK, {"key": KEY}).status_code == 405
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(rater.user)
    assert checked.post(LINK, {"key": KEY}).status_code == 403
    assert ada.asked == []


def test_without_ai_horde_the_page_says_nothing_of_it(rater, settings):
    assert "AI Horde" not in read(rater.web().get("/profile/"))
    ensure_identity(kind="horde", external_id="9", user_id=rater.user.pk, name="Ada#9")
    text = read(rater.web().get("/profile/"))
    assert "Ada#9" in text
    assert "Your AI Horde API key" not in text
    assert "AI Horde knows no such key." in follow(rater, LINK, {"key": KEY})


def test_a_story(rater, ada, dataset, adds_up):
    """Rate by program, link, and find it on the profile; what is rated as one is not offered to the other."""
    program = Client(headers={"apikey": KEY, "Client-Agent": "ArtBot:v.1:(discord)somebody#1"})
    image = program.get("/api/v1/rating/new").json()
    answer = program.post(f"/api/v1/rating/{image['id']}", {"rating": 8}, content_type="application/json")
    assert (answer.status_code, answer.json()["reward"]) == (201, 5)
    text = follow(rater, LINK, {"key": KEY})
    assert "Rated in all 1" in text
    assert "Kudos pending 5" in text
    assert "Kudos" in read(rater.web().get("/kudos/"))
    for _ in range(19):
        image = program.get("/api/v1/rating/new").json()
        answer = program.post(f"/api/v1/rating/{image['id']}", {"rating": 8}, content_type="application/json")
        assert answer.status_code == 201
    assert program.get("/api/v1/rating/new").status_code == 404
    assert "no image left" in read(rater.web().get("/rate/"))
    rating = Rating.objects.order_by("id").last()
    assert (rating.rater_kudos, rating.rater_images_generated) == (1500, 45)
    adds_up()


def test_a_page_of_someone_without_links_asks_no_more_than_before(django_assert_max_num_queries, horde):
    person = make_person()
    web = person.web()
    with django_assert_max_num_queries(16):
        web.get("/profile/")
