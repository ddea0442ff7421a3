"""What moderators ask and decide through the API, in the shapes that were recorded from the service of 2023."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Identity
from accounts.services import create_api_key
from ratings.models import Dataset, Image, ModerationAction, Rater, Rating
from ratings.queries.moderation import WINDOW_OF_LIST
from ratings.services.quarantine import quarantine_rater
from ratings.services.rater import ensure_rater
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.voiding import void_ratings
from tests.accounts.staff import make_moderator, make_staff, make_superuser
from tests.factories import make_images
from tests.people import make_person, make_stranger, now
from tests.ratings.admin.test_lists import INLINE, fill, plan_nodes
from tests.ratings.services.test_rating import PRICES

pytestmark = pytest.mark.django_db

BASE = "/api/v1/"
LISTS = ["user/validate/{number}", "user/ratings", "user/ratings/", "image/ratings/{image}"]
ASKED = ["user/check/{number}", *LISTS]
DECIDED = ["user/flag/{number}", "user/modify/{number}"]
ANY = {"min_ratings": 0, "format": "json"}


def key_of(user, scopes=("moderate",)):
    return create_api_key(user=user, name="tests", scopes=scopes, now=timezone.now())[1]


def client_of(user, scopes=("moderate",)):
    return Client(headers={"apikey": key_of(user, scopes)})


@pytest.fixture
def moderator(db):
    return client_of(make_moderator().user)


@pytest.fixture
def rate(dataset, lease):
    """Let somebody rate one image, or one that is named."""

    def give(caller, aesthetic=7, artifacts=1, **fields):
        leased = lease(caller)
        submission = RatingSubmission(
            image_id=leased.image_id, aesthetic=aesthetic, artifacts=artifacts, lease=leased.lease, **fields
        )
        submitted = submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())
        return Rating.objects.get(pk=submitted.rating_id)

    return give


@pytest.fixture
def one_image(dataset):
    """Leave one image to rate, so that all who rate rate it."""
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    Dataset.objects.update(target_rating_count=100)
    return Image.objects.get(is_open=True)


def number_of(person):
    return 1_000_000_000 + person.identity_id


def address(template, person=None, image=None):
    return BASE + template.format(number=number_of(person) if person else 0, image=image or uuid.uuid4())


def ask(client, template, person=None, image=None, headers=None, **query):
    return client.get(address(template, person, image), query, headers=headers or {})


def modify(client, person, body):
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(address("user/modify/{number}", person), data, content_type="application/json")


def answer(response):
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    return response.json()


def assert_error(response, status, field=None):
    assert (response.status_code, response["Content-Type"]) == (status, "application/json"), response.content
    body = response.json()
    assert body["message"]
    assert body.keys() == ({"message", "errors"} if status == 400 else {"message"})
    if field:
        assert field in body["errors"]


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"apikey": ""}, {"apikey": "0000000000"}, {"apikey": "A" * 22}])
@pytest.mark.parametrize("template", ASKED + DECIDED)
def test_without_a_good_key_it_is_401(rater, dataset, template, headers):
    method = "post" if template in DECIDED else "get"
    assert_error(getattr(Client(headers=headers), method)(address(template, rater)), 401)


@pytest.mark.parametrize("template", ASKED + DECIDED)
def test_the_outsider_is_refused_whatever_scopes_the_key_has(rater, outsider, dataset, template):
    staff, moderator = make_staff().user, make_moderator().user
    method = "post" if template in DECIDED else "get"
    for client in (
        outsider.api(),
        client_of(outsider.user, ["moderate", "rate", "read"]),
        client_of(staff),
        client_of(moderator, ["rate", "read"]),
    ):
        assert_error(getattr(client, method)(address(template, rater)), 403)
    assert not ModerationAction.objects.exists()


@pytest.mark.parametrize("template", ASKED)
def test_a_moderator_who_left_the_group_is_refused_at_once(rater, rate, template):
    staff = make_moderator()
    client, rating = client_of(staff.user), rate(rater.caller)
    assert ask(client, template, rater, rating.image_id).status_code == 200
    staff.user.groups.clear()
    assert_error(ask(client, template, rater, rating.image_id), 403)


def test_superusers_may_everything(rater, rate):
    client, rating = client_of(make_superuser().user), rate(rater.caller)
    for template in ASKED:
        assert ask(client, template, rater, rating.image_id).status_code == 200
    assert client.post(address("user/flag/{number}", rater)).status_code == 200


@pytest.mark.parametrize("template", ASKED)
def test_asking_writes_nothing(moderator, rater, rate, template):
    rating = rate(rater.caller)
    with CaptureQueriesContext(connection) as captured:
        assert ask(moderator, template, rater, rating.image_id).status_code == 200
    assert not [entry["sql"] for entry in captured if not entry["sql"].lstrip().upper().startswith(("SELECT", "WITH"))]


@pytest.mark.parametrize("template", DECIDED)
def test_a_decision_is_no_get(moderator, rater, template):
    assert_error(moderator.get(address(template, rater)), 405)


# --- Check --------------------------------------------------------------------------------------------------


def test_check_counts_what_was_given_in_the_time(moderator, rater, rate):
    for minutes_ago in (10, 50, 100, 170, 300):
        rating = rate(rater.caller)
        Rating.objects.filter(pk=rating.pk).update(created_at=now() - timedelta(minutes=minutes_ago))
    Rater.objects.filter(identity_id=rater.identity_id).update(challenges_failed=-2)
    assert answer(ask(moderator, "user/check/{number}", rater, minutes=120)) == {
        "ratings_in_timeframe": 3,
        "ratings_per_minute_in_timeframe": 3 / 120,
        "ratings_past_three_hours": 4,
        "ratings_per_minute_for_past_three_hours": 4 / 180,
        "suspect_divergences": 0,
        "captchas_failed": -2,
    }
    assert answer(ask(moderator, "user/check/{number}", rater))["ratings_in_timeframe"] == 2
    assert answer(ask(moderator, "user/check/{number}", rater, minutes=1.5))["ratings_in_timeframe"] == 0


@pytest.mark.parametrize(("others", "suspect"), [([2, 2, 2], 1), ([2, 2], 0), ([4, 4, 4], 0), ([3, 4, 4], 1)])
def test_check_compares_with_at_least_three_others(moderator, rater, rate, one_image, others, suspect):
    rate(rater.caller, aesthetic=7)
    for aesthetic in others:
        rate(make_person().caller, aesthetic=aesthetic)
    checked = answer(ask(moderator, "user/check/{number}", rater, minutes=60))
    assert checked["suspect_divergences"] == suspect
    wider = answer(ask(moderator, "user/check/{number}", rater, minutes=60, divergence=5))
    assert wider["suspect_divergences"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("minutes", v) for v in ("0", "-1", "x", "", "9" * 400, "nan", "inf", "1e400", "\u0665", "true", "null")]
    + [("divergence", v) for v in ("-1", "x", "", "9" * 400, "1.5", "\u0665", " 3")],
)
def test_check_refuses_what_is_no_number_in_reason(moderator, rater, rate, name, value):
    rate(rater.caller)
    assert_error(ask(moderator, "user/check/{number}", rater, **{name: value}), 400, name)


# --- Numbers of users, ids of images ------------------------------------------------------------------------

OF_USERS = ["user/check/{number}", "user/validate/{number}", "user/flag/{number}", "user/modify/{number}"]


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "\u0665", "²", "9" * 400, "%00", " 1", "1_0"])
@pytest.mark.parametrize("template", OF_USERS)
def test_what_is_no_number_of_a_user_is_400(moderator, template, number):
    path = BASE + template.format(number=number)
    response = modify_at(moderator, path) if template in DECIDED else moderator.get(path)
    assert_error(response, 400, "user_id")


@pytest.mark.parametrize("number", ["0", "7", "999999999", "1000000000", "9" * 18, str(2**63 - 1), "9" * 19])
@pytest.mark.parametrize("template", OF_USERS)
def test_the_number_of_nobody_is_404(moderator, template, number):
    path = BASE + template.format(number=number)
    assert_error(modify_at(moderator, path) if template in DECIDED else moderator.get(path), 404)


def modify_at(client, path):
    return client.post(path, json.dumps({"flagged": True}), content_type="application/json")


@pytest.mark.parametrize("image", ["x", "%7Bimage_id%7D", "%00", "a" * 3000, "9b2f5c1e-5d0b-4d3e-8a77-3f1f1a2b4c5d"])
def test_an_image_that_is_not_there_is_404(moderator, image):
    assert_error(moderator.get(f"{BASE}image/ratings/{image}"), 404)


def test_a_user_of_ai_horde_is_known_by_their_number_there(moderator, rater, rate):
    rate(rater.caller)
    fields = {"kind": "horde", "external_id": "3251", "name": "somebody#3251", "user": None}
    Identity.objects.filter(pk=rater.identity_id).update(**fields)
    assert answer(moderator.get(f"{BASE}user/check/3251"))["ratings_in_timeframe"] == 1
    [row] = answer(moderator.get(f"{BASE}user/ratings/", ANY))["ratings"]
    assert row["username"] == "somebody#3251"


# --- Lists --------------------------------------------------------------------------------------------------


def test_validate_compares_with_the_others(moderator, rater, rate, one_image):
    rate(rater.caller, aesthetic=10, artifacts=None)
    for aesthetic in (2, 3):
        rate(make_person().caller, aesthetic=aesthetic)
    assert answer(ask(moderator, "user/validate/{number}", rater, min_ratings=1, format="json")) == {
        "total": 1,
        "ratings": [
            {
                "image": f"http://testserver/images/{one_image.pk}.webp",
                "rating": 10,
                "artifacts": None,
                "average": 3,  # 2.5, a half rounded up
                "times_rated": 2,
            }
        ],
    }
    assert answer(ask(moderator, "user/validate/{number}", rater, format="json"))["total"] == 0


def test_the_list_of_all_includes_the_own_rating_and_names_everybody(moderator, rater, rate, one_image):
    rate(rater.caller, aesthetic=10)
    rate(make_stranger(), aesthetic=3, artifacts=None)
    body = answer(ask(moderator, "user/ratings", **ANY))
    assert body["total"] == 2
    url = f"http://testserver/images/{one_image.pk}.webp"
    shared = {"image": url, "average": 7, "times_rated": 2}  # 6.5, a half rounded up
    assert body["ratings"] == [
        {"username": "anonymous#0", "rating": 3, "artifacts": None} | shared,
        {"username": f"rater#{number_of(rater)}", "rating": 10, "artifacts": 1} | shared,
    ]


def test_the_ratings_of_an_image_have_one_decimal(moderator, rate, one_image):
    people = [make_person() for _ in range(4)]
    for person, aesthetic in zip(people, (3, 3, 3, 4), strict=True):
        rate(person.caller, aesthetic=aesthetic, artifacts=None)
    assert answer(ask(moderator, "image/ratings/{image}", image=one_image.pk, format="json")) == {
        "total": 4,
        "image": f"http://testserver/images/{one_image.pk}.webp",
        "image_id": str(one_image.pk),
        "average": 3.2,  # 13/4, as the old service answered
        "times_rated": 4,
        "ratings": [
            {"username": f"{person.user.username}#{number_of(person)}", "rating": aesthetic, "artifacts": None}
            for person, aesthetic in reversed(list(zip(people, (3, 3, 3, 4), strict=True)))
        ],
    }


def test_an_image_nobody_rated_has_no_ratings(moderator, one_image):
    body = answer(ask(moderator, "image/ratings/{image}", image=one_image.pk, format="json"))
    assert (body["total"], body["average"], body["times_rated"], body["ratings"]) == (0, 0.0, 0, [])


def test_the_address_of_an_image_is_the_public_one(moderator, rater, rate, settings):
    settings.PUBLIC_URL = "https://ratings.example"
    rating = rate(rater.caller)
    [row] = answer(ask(moderator, "user/ratings", **ANY))["ratings"]
    assert row["image"] == f"https://ratings.example/images/{rating.image_id}.webp"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 5, 9]),
        ({"rating": 5}, [5]),
        ({"rating": 5, "rating_comparison": "ge"}, [5, 9]),
        ({"rating": 5, "rating_comparison": "le"}, [2, 5]),
        ({"rating": 5, "rating_comparison": "eq"}, [5]),
        ({"artifacts": 0}, [2]),
        ({"artifacts": 3, "artifacts_comparison": "ge"}, [5, 9]),
        ({"artifacts": 3, "artifacts_comparison": "le"}, [2, 5]),
        ({"artifacts": 0, "artifacts_comparison": "ge", "rating": 9}, [9]),
        ({"min_ratings": 1}, [2, 5, 9]),
        ({"min_ratings": 2}, []),
        ({"diverge": 0}, []),
        ({"client_agent": "ArtBot"}, [5]),
        ({"client_agent": "ArtBot:v.1:(discord)rockbandit#4910"}, [5]),
        ({"client_agent": "rtBot"}, []),
        ({"client_agent": "%"}, []),
        ({"client_agent": ""}, [2, 5, 9]),
        ({"limit": 2}, [5, 9]),
        ({"limit": 2, "offset": 2}, [2]),
        ({"limit": 1_000_000}, [2, 5, 9]),
        ({"offset": 3}, []),
        ({"unknown": "x"}, [2, 5, 9]),
        ({"rating": ["2", "9"]}, [9]),
    ],
    ids=str,
)
def test_filters(moderator, rater, rate, query, found):
    rate(rater.caller, aesthetic=2, artifacts=0)
    rate(rater.caller, aesthetic=5, artifacts=3, client_agent="ArtBot:v.1:(discord)rockbandit#4910")
    rate(rater.caller, aesthetic=9, artifacts=4)
    for template in ("user/ratings", "user/ratings/"):
        body = answer(ask(moderator, template, **ANY | query))
        assert sorted(row["rating"] for row in body["ratings"]) == found
        assert body["total"] == len(found)


@pytest.mark.parametrize("name", ["diverge", "divergence"])
@pytest.mark.parametrize(("value", "found"), [(0, 4), (1, 2), (2, 2), (3, 1), (4, 1), (5, 0)])
def test_divergence_is_more_than_the_distance_from_the_average(moderator, rate, one_image, name, value, found):
    for aesthetic in (3, 5, 5, 10):  # average 5.75, shown as 6; the distances are 2.75, 0.75, 0.75 and 4.25
        rate(make_person().caller, aesthetic=aesthetic)
    assert answer(ask(moderator, "user/ratings", **ANY | {name: value}))["total"] == found


WRONG = {
    "rating": ("0", "11", "-1", "x", "", "9" * 400, "7.5", "true", "\u0665"),
    "artifacts": ("-1", "6", "x", "", "9" * 400, "FLAWLESS"),
    "rating_comparison": ("", "gt", "=", "EQ", "eq; DROP TABLE"),
    "artifacts_comparison": ("", "lt"),
    "min_ratings": ("-1", "x", "", "9" * 400),
    "diverge": ("-1", "x", "", "9" * 400),
    "divergence": ("-1", "x", "", "9" * 400),
    "limit": ("0", "-1", "x", "", "9" * 400, "1000001"),
    "offset": ("-1", "x", "", "9" * 400, "100001"),
    "client_agent": ("\x00", "a\nb", "x" * 201),
    "format": ("", "xml", "HTML"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_filter_is_400_in_json(moderator, rater, rate, name, value):
    rate(rater.caller)
    for template in ("user/validate/{number}", "user/ratings", "user/ratings/"):
        assert_error(ask(moderator, template, rater, **{name: value}), 400, name)


def test_what_is_voided_is_left_out_and_what_is_in_quarantine_is_not(moderator, rater, outsider, rate, one_image):
    by = {"by": rater.user, "reason": "a test", "now": now()}
    void_ratings(rating_ids=[rate(make_person().caller).pk], **by)
    rate(outsider.caller, aesthetic=4)
    rate(rater.caller, aesthetic=10)
    quarantine_rater(rater_id=Rater.objects.get(identity_id=rater.identity_id).pk, **by)
    rows = answer(ask(moderator, "user/ratings", **ANY))["ratings"]
    assert [(row["rating"], row["average"], row["times_rated"]) for row in rows] == [(10, 4, 1), (4, 4, 1)]
    # The own rating does not count here, so it is not taken out of the average either.
    [row] = answer(ask(moderator, "user/validate/{number}", rater, **ANY))["ratings"]
    assert (row["average"], row["times_rated"]) == (4, 1)


def test_x_fields_choose(moderator, rater, rate):
    rate(rater.caller)
    response = ask(moderator, "user/ratings", headers={"X-Fields": "total"}, **ANY)
    assert response.json() == {"total": 1}


def test_nothing_of_the_evidence_that_tells_people_apart_is_shown(moderator, rater, rate):
    rating = rate(rater.caller)
    for template in LISTS:
        for shape in ("html", "json"):
            body = ask(moderator, template, rater, rating.image_id, format=shape, min_ratings=0).content.decode()
            assert rating.address_hash not in body
            assert rater.user.email not in body


# --- Cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", LISTS)
@pytest.mark.parametrize("shape", ["html", "json"])
def test_the_number_of_statements_does_not_grow(moderator, rate, one_image, template, shape):
    person, costs = make_person(), []
    rate(person.caller)
    ask(moderator, template, person, one_image.pk)  # The key is remembered from then on.
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            ask(moderator, template, person, one_image.pk, min_ratings=0, format=shape)
        costs.append(len(captured))
        for _ in range(5):
            rate(make_person().caller)
    assert costs[0] == costs[1] <= 6


@pytest.mark.parametrize(
    ("template", "query"),
    [
        ("user/check/{number}", {"minutes": 10_000_000}),
        ("user/validate/{number}", {}),
        ("user/validate/{number}", {"rating": 1, "min_ratings": 3, "limit": 1000, "offset": 100_000}),
        ("user/ratings", {"limit": 1000}),
        ("user/ratings", {"rating": 1, "client_agent": "nobody", "diverge": 9, "min_ratings": 1000}),
        ("user/ratings", {"artifacts": 5, "artifacts_comparison": "ge", "offset": 100_000}),
        ("image/ratings/{image}", {}),
    ],
    ids=str,
)
def test_no_question_reads_all_ratings_or_images(moderator, dataset, template, query):
    make_images(dataset, 2000)
    fill(dataset, 30_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ratings_image, ratings_rating")
    with CaptureQueriesContext(connection) as captured:
        assert ask(moderator, template, image=Image.objects.first().pk, format="json", **query).status_code == 200
    statements = [entry["sql"] for entry in captured if "ratings_rating" in entry["sql"]]
    assert len(statements) == 1
    nodes = plan_nodes(statements[0])
    scans = [node for node in nodes if node.get("Relation Name") in {"ratings_rating", "ratings_image"}]
    assert scans
    assert not [node for node in scans if node["Node Type"] == "Seq Scan"]
    assert max(node["Plan Rows"] for node in nodes if node["Node Type"] == "Limit") <= WINDOW_OF_LIST


# --- Pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", LISTS)
@pytest.mark.parametrize(
    ("accept", "shape", "expected"),
    [
        (None, None, "text/html"),
        ("*/*", None, "text/html"),
        ("text/html,application/xhtml+xml", None, "text/html"),
        ("application/json", None, "application/json"),
        ("application/json, text/plain", None, "application/json"),
        ("application/json", "html", "text/html"),
        ("text/html", "json", "application/json"),
    ],
)
def test_it_is_a_page_unless_json_is_asked_for(moderator, rater, rate, template, accept, shape, expected):
    rating = rate(rater.caller)
    headers = {"Accept": accept} if accept else {}
    query = {"format": shape} if shape else {}
    response = ask(moderator, template, rater, rating.image_id, headers=headers, **query)
    assert (response.status_code, response["Content-Type"].split(";")[0]) == (200, expected)
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("template", LISTS)
def test_a_page_obeys_the_policy_of_every_page(moderator, rater, rate, template):
    rating = rate(rater.caller)
    response = ask(moderator, template, rater, rating.image_id, min_ratings=0)
    assert response["Content-Security-Policy"] == Client().get("/")["Content-Security-Policy"]
    assert INLINE.findall(response.content) == []
    assert f"/images/{rating.image_id}-512.webp".encode() in response.content
    assert f"rater#{number_of(rater)}".encode() in response.content


def test_pictures_that_are_not_public_are_not_shown(moderator, rater, rate):
    rating = rate(rater.caller)
    for fields in ({"status": "hidden", "is_open": False}, {"status": "active", "adult_class": "adult"}):
        Image.objects.filter(pk=rating.image_id).update(**fields)
        for template in LISTS:
            page = ask(moderator, template, rater, rating.image_id, min_ratings=0).content.decode()
            assert "-512.webp" not in page
            assert "not shown in public" in page


def test_filters_are_kept_from_page_to_page(moderator, rater, rate):
    for _ in range(5):
        rate(rater.caller, aesthetic=4, client_agent='a"b&c<i>:1:x')
    rate(rater.caller, aesthetic=9, client_agent='a"b&c<i>:1:x')
    query = {"rating": 5, "rating_comparison": "le", "client_agent": 'a"b&c<i>', "limit": 2, "min_ratings": 1}
    seen, page = [], ask(moderator, "user/ratings", **query)
    for _ in range(3):
        html = page.content.decode()
        assert '<option value="le" selected>' in html
        assert '<option value="5" selected>' in html
        assert 'value="a&quot;b&amp;c&lt;i&gt;"' in html
        assert "<i>" not in html
        seen += [row.rating_id for row in page.context["ratings"]]
        older = re.search(r'href="(\?[^"]+)">Older', html)
        if older is None:
            break
        page = moderator.get(f"{BASE}user/ratings{older[1].replace('&amp;', '&')}")
    assert len(seen) == len(set(seen)) == 5
    assert set(Rating.objects.filter(pk__in=seen).values_list("aesthetic", flat=True)) == {4}
    newer = re.search(r'href="(\?[^"]+)">Newer', page.content.decode())[1].replace("&amp;", "&")
    assert [row.rating_id for row in moderator.get(f"{BASE}user/ratings{newer}").context["ratings"]] == seen[2:4]


def test_the_form_of_a_page_asks_for_what_it_shows(moderator, rater, rate):
    """A browser sends every field; what filters nothing is sent as well."""
    rate(rater.caller)
    query = dict.fromkeys(("rating", "artifacts", "diverge"), "null") | {"client_agent": "", "limit": 100}
    query |= {"rating_comparison": "eq", "artifacts_comparison": "ge", "min_ratings": 0, "format": "html"}
    page = ask(moderator, "user/validate/{number}", rater, **query)
    assert len(page.context["ratings"]) == 1


def test_names_are_escaped(moderator, rater, rate):
    rate(rater.caller)
    Identity.objects.filter(pk=rater.identity_id).update(
        kind="horde", external_id="7", user=None, name="<script>alert(1)</script>#7"
    )
    for template in ("user/ratings", "user/validate/7"):
        page = ask(moderator, template, min_ratings=0).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;#7" in page


@pytest.mark.parametrize("template", ["user/validate/{number}", "user/ratings"])
def test_a_page_without_rows_says_so(moderator, rater, template):
    assert "Nothing is like that" in ask(moderator, template, rater, rating=1).content.decode()


def test_an_error_is_json_where_a_page_was_asked_for(moderator):
    assert_error(ask(moderator, "image/ratings/{image}", format="html", headers={"Accept": "text/html"}), 404)


# --- Decisions ----------------------------------------------------------------------------------------------


def test_flagging_puts_into_quarantine(moderator, rater, rate, adds_up):
    rate(rater.caller)
    body = answer(moderator.post(address("user/flag/{number}", rater)))
    action = ModerationAction.objects.get()
    assert body == {"message": f"rater#{number_of(rater)}: rater quarantined (action {action.pk})"}
    assert (action.kind, action.affected_count, action.taken_by.username) == ("quarantine_rater", 1, "moderator")
    assert action.reason == "Flagged through the API."
    again = answer(moderator.post(address("user/flag/{number}", rater)))
    assert again == {"message": f"rater#{number_of(rater)}: nothing to change, it is so already"}
    assert ModerationAction.objects.count() == 1
    assert Rater.objects.get(identity_id=rater.identity_id).state == "quarantined"
    adds_up()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"flagged": false}', b"x" * 1000])
def test_the_body_of_flagging_is_not_read(moderator, rater, body):
    response = moderator.post(address("user/flag/{number}", rater), body, content_type="application/json")
    assert answer(response)["message"]


def test_modifying_there_and_back(moderator, rater, rate, adds_up):
    rate(rater.caller)

    def standing():
        return Rater.objects.values_list("is_trusted", "state", "counted_count").get(identity_id=rater.identity_id)

    answer(modify(moderator, rater, {"validated": True, "flagged": True}))
    assert standing() == (True, "quarantined", 0)
    answer(modify(moderator, rater, {"flagged": False, "unknown": 1}))
    assert standing() == (True, "new", 1)
    answer(modify(moderator, rater, {"validated": False, "flagged": None}))
    assert standing() == (False, "new", 1)
    assert ModerationAction.objects.count() == 4
    adds_up()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"flag": True}, "body"),
        ({"flagged": None}, "body"),
        ({"flagged": "maybe"}, "flagged"),
        ({"flagged": 2}, "flagged"),
        ({"validated": []}, "validated"),
        ([], "body"),
        (b"", "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[" * 10_000, "body"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_change_is_400_and_changes_nothing(moderator, rater, body, field):
    assert_error(modify(moderator, rater, body), 400, field)
    assert not ModerationAction.objects.exists()


def test_a_huge_change_is_413(moderator, rater):
    assert_error(modify(moderator, rater, {"flagged": True, "x": "y" * 300_000}), 413)


def test_everybody_at_once_is_neither_flagged_nor_validated(moderator, dataset):
    ensure_rater(make_stranger(), now=now())
    assert_error(moderator.post(f"{BASE}user/flag/0"), 409)
    assert_error(modify_at(moderator, f"{BASE}user/modify/0"), 409)
    assert answer(moderator.get(f"{BASE}user/check/0"))["ratings_in_timeframe"] == 0
