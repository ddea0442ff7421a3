import json
import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin.pagination import COUNT_LIMIT
from ratings.admin import RatingAdmin
from ratings.models import Image, Rater, Rating
from ratings.services.rater import ensure_rater
from ratings.services.skipping import skip_image
from tests.people import make_stranger, now
from tests.ratings.relayed import make_set, make_user, relay_set

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label in {"accounts", "kudos", "ratings"}]
MODERATED = ["dataset", "image", "rating", "rater", "skip", "moderationaction", "imageset", "comparison"]
# No inline style or script, which the Content-Security-Policy forbids.
INLINE = re.compile(rb"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)
# What a signed-in moderator costs: session, user, two of permissions; then savepoint, time limit, estimate, count, rows, release.
STATEMENTS = 10


def fill(dataset, count):
    """Let the shared rater give many ratings, in one statement; return the rater."""
    rater = Rater.objects.get(identity_id=ensure_rater(make_stranger(), now=now()))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, state, created_at, reward,
                proof, is_late, client_agent, address_hash, country, scale_version, rater_is_trusted,
                rater_rating_count, rater_challenges_failed)
            SELECT i.dataset_id, i.id, %s, true, 5, 'held', now(), 0, 'held', false, 'tests', '', '', 1, false, 0, 0
            FROM ratings_image i CROSS JOIN generate_series(1, %s) WHERE i.dataset_id = %s
            """,
            [rater.pk, count // Image.objects.filter(dataset=dataset).count(), dataset.pk],
        )
        cursor.execute("ANALYZE ratings_rating")
    return rater


def list_url(model, query=""):
    name = model if isinstance(model, str) else f"{model._meta.app_label}_{model._meta.model_name}"
    return f"{reverse(f'admin:{name}_changelist')}{query}"


def page_url(obj):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def plan_nodes(statement):
    """Return every node of the plan that PostgreSQL makes for a statement."""

    def walk(node):
        yield node
        for child in node.get("Plans", ()):
            yield from walk(child)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        plan = cursor.fetchone()[0]
    return list(walk((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


@pytest.fixture(autouse=True)
def _fresh_statistics(db):
    """Statistics outlive the transaction of the test that gathered them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ratings_rating")


@pytest.fixture
def everything(rater, rate, lease):
    """One row at least in every table of ratings, accounts and kudos."""
    rate(rater, 2)
    leased = lease(rater.caller)
    skip_image(caller=rater.caller, image_id=leased.image_id, lease=leased.lease, now=now())
    relay_set()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_it_works(root, everything, model):
    listed = root.web.get(list_url(model))
    assert (listed.status_code, INLINE.findall(listed.content)) == (200, [])
    for obj in model.objects.all()[:1]:
        page = root.web.get(page_url(obj))
        assert (page.status_code, INLINE.findall(page.content)) == (200, [])


@pytest.mark.parametrize("name", MODERATED)
def test_lists_cost_the_same_however_many_rows_they_show(moderator, rater, rate, name, django_assert_num_queries):
    for _ in range(2):
        rate(rater, 3)
        for number in range(3):
            relay_set(make_set(user=make_user(number=number)))
        with django_assert_num_queries(STATEMENTS):
            assert moderator.web.get(list_url(f"ratings_{name}")).status_code == 200


@pytest.mark.parametrize("query", ["", "?rater__id__exact={rater}", "?image__id__exact={image}", "?p=7"])
def test_no_statement_of_the_list_reads_all_ratings(moderator, dataset, query):
    rater = fill(dataset, 2 * COUNT_LIMIT)
    address = list_url(Rating, query.format(rater=rater.pk, image=Image.objects.first().pk))
    with CaptureQueriesContext(connection) as captured:
        assert moderator.web.get(address).status_code == 200
    statements = [
        entry["sql"] for entry in captured if "ratings_rating" in entry["sql"] and "pg_class" not in entry["sql"]
    ]
    assert statements
    for statement in statements:
        if "count(" in statement.lower():
            assert f"LIMIT {COUNT_LIMIT + 1}" in statement
        limited = [node for node in plan_nodes(statement) if node["Node Type"] == "Limit"]
        assert limited
        assert max(node["Plan Rows"] for node in limited) <= COUNT_LIMIT + 1


def test_a_whole_table_is_estimated_and_a_filtered_one_counted_to_the_limit(moderator, dataset):
    rater = fill(dataset, 12_340)
    whole, filtered = (moderator.web.get(list_url(Rating, query)) for query in ("", f"?rater__id__exact={rater.pk}"))
    assert "about 12,300" in whole.content.decode()
    assert "more than 10,000" in filtered.content.decode()
    for response in (whole, filtered):
        assert response.context["cl"].paginator.num_pages == COUNT_LIMIT // RatingAdmin.list_per_page
        assert "Pages end at 10,000 rows" in response.content.decode()
    assert moderator.web.get(list_url(Rating, "?p=100")).status_code == 200
    assert moderator.web.get(list_url(Rating, "?p=101")).status_code == 302


def test_few_rows_are_counted_exactly_whatever_the_statistics_say(moderator, rater, rate):
    rate(rater, 3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 9000 WHERE oid = 'ratings_rating'::regclass")
    assert moderator.web.get(list_url(Rating)).context["cl"].result_count == 3


def test_a_filter_that_takes_too_long_is_given_up(moderator, dataset, monkeypatch):
    fill(dataset, 40_000)
    monkeypatch.setattr(RatingAdmin, "list_timeout", "1ms")
    response = moderator.web.get(list_url(Rating, "?proof__exact=relay"))
    assert (response.status_code, response["Location"]) == (302, list_url(Rating))
    monkeypatch.undo()
    assert "took too long" in moderator.web.get(list_url(Rating)).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "?address_hash__startswith=a",
        "?idempotency_key__startswith=a",
        "?client_agent__icontains=a",
        "?image__planted_artifacts=3",
        "?rater__identity__user__email__startswith=a",
        "?state__startswith=c",
    ],
)
def test_an_address_may_not_ask_for_what_is_not_offered(moderator, rater, rate, query):
    rate(rater)
    assert moderator.web.get(list_url(Rating, query)).status_code == 400


def test_planted_artifacts_cannot_be_asked_for_or_sorted_by(moderator, dataset):
    for query in ("?planted_artifacts=3", "?planted_artifacts__gte=1"):
        assert moderator.web.get(list_url(Image, query)).status_code == 400
    unsorted, sorted_by_address = (moderator.web.get(list_url(Image, query)) for query in ("", "?o=-6"))
    keys = [[image.pk for image in answer.context["cl"].result_list] for answer in (unsorted, sorted_by_address)]
    assert keys[0] == keys[1] == sorted(keys[0])


@pytest.mark.parametrize(
    "query", ["?rater__id__exact=x", "?image__id__exact=1", "?p=x", "?p=99999", "?rater__id__exact=" + "9" * 30, "?e=1"]
)
def test_nonsense_in_the_address_is_no_server_error(moderator, rater, rate, query):
    rate(rater)
    assert moderator.web.get(list_url(Rating, query)).status_code in {200, 302}


@pytest.mark.parametrize("term", ["x", "9" * 40, "²", "\x00", "'", "%", "-1", "0"])
def test_a_search_that_matches_nothing_says_so(root, rater, rate, term):
    rate(rater)
    for model in OURS:
        assert root.web.get(list_url(model), {"q": term}).status_code == 200


def test_counts_beside_filters_are_never_offered(moderator, dataset):
    response = moderator.web.get(list_url(Rating, "?_facets=True"))
    assert response.status_code == 200
    assert not response.context["cl"].add_facets


def test_search_finds_by_what_is_indexed(root, rater, rate):
    rating = rate(rater, 2)[0]
    cases = [
        ("ratings_rating", str(rating.pk), 1),
        ("ratings_rating", str(rating.image_id), 1),
        ("ratings_image", str(rating.image_id), 1),
        ("ratings_rater", "rater", 1),
        ("ratings_rater", str(rating.rater_id), 1),
        ("ratings_dataset", "de", 1),
        ("accounts_user", "rat", 1),
        ("accounts_user", "RATER@example", 1),
        ("accounts_identity", "rater", 1),
        ("accounts_identity", str(rater.user.pk), 1),
        ("accounts_apikey", rater.key[:8], 1),
        ("accounts_apikey", "rater", 1),
        ("kudos_account", "rater", 1),
    ]
    for name, term, count in cases:
        found = root.web.get(list_url(name), {"q": term}).context["cl"].result_count
        assert (name, term, found) == (name, term, count)


def test_one_click_from_row_to_row(root, rater, rate):
    rating = rate(rater)[0]
    expected = {
        rating: [page_url(rating.image), page_url(rating.rater), page_url(rating.dataset)],
        rating.image: [list_url(Rating, f"?image__id__exact={rating.image_id}")],
        rating.rater: [list_url(Rating, f"?rater__id__exact={rating.rater_id}"), page_url(rating.rater.identity)],
        rating.rater.identity: [
            list_url(Rater, f"?identity__id__exact={rater.identity_id}"),
            list_url("kudos_account", f"?identity__id__exact={rater.identity_id}"),
            page_url(rater.user),
        ],
        rater.user: [
            list_url("accounts_identity", f"?user__id__exact={rater.user.pk}"),
            list_url("accounts_apikey", f"?user__id__exact={rater.user.pk}"),
            list_url("kudos_account", f"?identity__user__id__exact={rater.user.pk}"),
        ],
    }
    for obj, addresses in expected.items():
        html = root.web.get(page_url(obj)).content.decode()
        for address in addresses:
            assert f'href="{address}"' in html, (obj, address)
            assert root.web.get(address).status_code == 200
    assert "Only rater " in root.web.get(expected[rating.rater][0]).content.decode()


def test_the_list_of_ratings_shows_pictures_without_stretching_them(moderator, rater, rate):
    rate(rater)
    html = moderator.web.get(list_url(Rating)).content.decode()
    assert re.search(r'<img class="picture" src="/images/[^"]+-512\.webp" width="80" height="80" loading="lazy"', html)


def test_what_tells_people_apart_is_not_shown_to_moderators(moderator, root, rater, rate):
    rating = rate(rater)[0]
    Rating.objects.filter(pk=rating.pk).update(idempotency_key="secret-of-a-client")
    private = [rater.caller.address_hash, "secret-of-a-client", str(rating.rater.pseudonym_seed)]
    for address in (page_url(rating), page_url(rating.rater), list_url(Rating), list_url(Rater)):
        html = moderator.web.get(address).content.decode()
        assert not [value for value in private if value in html]
    assert rater.caller.address_hash in root.web.get(page_url(rating)).content.decode()


def test_planted_artifacts_are_shown_to_superusers_only(moderator, root, dataset):
    image = Image.objects.first()
    Image.objects.filter(pk=image.pk).update(planted_artifacts=3)
    assert "lanted artifact" not in moderator.web.get(page_url(image)).content.decode()
    assert "lanted artifact" in root.web.get(page_url(image)).content.decode()
