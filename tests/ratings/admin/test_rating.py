"""What the pages say of voiding and restoring, and that they do what they said."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.urls import reverse

from accounts.models import Identity
from kudos.models import Account
from ratings.models import Image, ModerationAction, Rater, RaterState, Rating, RatingState
from ratings.services.voiding import void_ratings
from tests.people import make_person, now
from tests.ratings.admin.test_lists import fill
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db

LIST = "/admin/ratings/rating/"


@pytest.fixture(autouse=True)
def _fresh_statistics(db):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ratings_rating")


def choose(client, name, ratings=(), query="", across=0):
    data = {
        "action": name,
        ACTION_CHECKBOX_NAME: [str(rating.pk) for rating in ratings],
        "index": "0",
        "select_across": across,
    }
    return client.post(f"{LIST}{query}", data)


def confirm(client, name, page, **fields):
    """Send the form of the page that asks, as a browser does."""
    data = page.context["form"].initial | {"reason": "A script did it."} | fields
    return client.post(reverse(f"admin:ratings_{name}"), data)


def sentences(page):
    return " ".join(page.context["impact"].sentences)


def settle():
    settle_rewards(hold=timedelta(0), now=now())


def test_void_says_how_many_rows_and_kudos(moderator, rater, outsider, rate, adds_up):
    paid = rate(rater, 3)
    settle()
    promised = rate(outsider, 2)
    gone = rate(outsider, 1)
    void_ratings(rating_ids=[gone[0].pk], by=moderator.user, reason="set-up", now=now())
    page = choose(moderator.web, "void_ratings", [*paid, *promised, *gone])
    said = sentences(page)
    images = len({rating.image_id for rating in [*paid, *promised]})
    assert "5 ratings are voided." in said
    assert f"by 2 raters, of {images} image" in said
    assert "14 kudos that are promised" in said
    assert "21 kudos that are already paid" in said
    assert "1 of the selected rows is void or superseded already" in said
    assert not Rating.objects.filter(state=RatingState.VOIDED).exclude(pk=gone[0].pk).exists()

    assert confirm(moderator.web, "void_ratings", page).status_code == 302
    assert Rating.objects.filter(state=RatingState.VOIDED).count() == 6
    assert ModerationAction.objects.latest("pk").affected_count == 5
    assert Account.objects.get(identity_id=rater.identity_id).balance == 0
    adds_up()


def test_restore_says_what_comes_back(moderator, rater, outsider, rate, adds_up):
    paid = rate(rater, 2)
    settle()
    promised, watched = rate(outsider, 1), rate(make_person("watched"), 1)
    ids = [rating.pk for rating in [*paid, *promised, *watched]]
    void_ratings(rating_ids=ids, by=moderator.user, reason="set-up", now=now())
    Rater.objects.filter(pk=watched[0].rater_id).update(state=RaterState.QUARANTINED)
    said = sentences(page := choose(moderator.web, "restore_ratings", [*paid, *promised, *watched]))
    assert "4 ratings are restored." in said
    assert "1 of them are by raters in quarantine" in said
    assert "7 kudos for them are promised again." in said
    assert "14 kudos that voiding took go back" in said
    confirm(moderator.web, "restore_ratings", page)
    assert Rating.objects.filter(state=RatingState.COUNTED).count() == 3
    assert Account.objects.get(identity_id=rater.identity_id).balance == 14
    adds_up()


def test_what_was_read_is_what_happens(moderator, rater, rate):
    """Ratings that come in while a moderator reads are not voided with those the page spoke of."""
    first = rate(rater, 2)
    query = f"?rater__id__exact={first[0].rater_id}"
    page = choose(moderator.web, "void_ratings", first[:1], query, across=1)
    later = rate(rater, 1)[0]
    confirm(moderator.web, "void_ratings", page)
    assert Rating.objects.get(pk=later.pk).state == RatingState.COUNTED
    assert Rating.objects.filter(state=RatingState.VOIDED).count() == 2


def test_all_of_a_filtered_list_can_be_chosen(moderator, rater, outsider, rate):
    rate(rater, 3)
    others = rate(outsider, 2)
    query = f"?rater__id__exact={others[0].rater_id}"
    page = choose(moderator.web, "void_ratings", others[:1], query, across=1)
    assert confirm(moderator.web, "void_ratings", page)["Location"] == f"{LIST}{query}"
    assert set(Rating.objects.filter(state=RatingState.VOIDED)) == set(others)


def test_ten_thousand_ratings_are_one_decision(moderator, dataset, django_assert_max_num_queries, adds_up):
    shared = fill(dataset, 10_000)
    Rating.objects.update(state=RatingState.COUNTED)
    per_image = 10_000 // 20
    Image.objects.update(rating_count=per_image, aesthetic_sum=5 * per_image, is_open=False)
    query = f"?rater__id__exact={shared.pk}"
    page = choose(moderator.web, "void_ratings", Rating.objects.all()[:1], query, across=1)
    assert "10,000 ratings are voided." in sentences(page)
    with django_assert_max_num_queries(40):
        assert confirm(moderator.web, "void_ratings", page).status_code == 302
    assert Rating.objects.filter(state=RatingState.VOIDED).count() == 10_000
    adds_up()


def test_more_than_ten_thousand_get_a_clear_sentence(moderator, dataset):
    fill(dataset, 10_020)
    response = choose(moderator.web, "void_ratings", Rating.objects.all()[:1], across=1)
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert "one decision covers at most 10,000" in moderator.web.get(LIST).content.decode()
    keys = ",".join(str(key) for key in range(10_001))
    forged = moderator.web.post(reverse("admin:ratings_void_ratings"), {"keys": keys, "reason": "x"})
    assert forged.status_code == 400
    assert not ModerationAction.objects.exists()


def test_undo_restores_what_the_action_voided_and_nothing_else(moderator, rater, rate, adds_up):
    earlier, later = rate(rater, 1)[0], rate(rater, 1)[0]
    void_ratings(rating_ids=[earlier.pk], by=moderator.user, reason="set-up", now=now())
    confirm(moderator.web, "void_ratings", choose(moderator.web, "void_ratings", [earlier, later]))
    action = ModerationAction.objects.latest("pk")
    page = moderator.web.get(reverse("admin:ratings_moderationaction_change", args=[action.pk])).content.decode()
    undo = f"{reverse('admin:ratings_restore_ratings')}?action={action.pk}"
    assert f'href="{undo}"' in page
    assert f'href="{LIST}?moderation_action__id__exact={action.pk}"' in page
    confirm(moderator.web, "restore_ratings", moderator.web.get(undo))
    states = dict(Rating.objects.values_list("pk", "state"))
    assert states == {earlier.pk: RatingState.VOIDED, later.pk: RatingState.COUNTED}
    adds_up()


@pytest.mark.parametrize(("action", "status"), [("x", 400), ("", 400), ("-1", 400), ("9" * 30, 400), ("999999", 200)])
def test_undo_of_what_is_no_action_is_refused(moderator, action, status):
    response = moderator.web.get(reverse("admin:ratings_restore_ratings"), {"action": action})
    assert response.status_code == status


def test_the_page_of_a_rating_offers_what_can_be_done(moderator, staff, rater, rate):
    rating = rate(rater)[0]
    address = reverse("admin:ratings_rating_change", args=[rating.pk])
    void, restore = (
        f"{reverse(f'admin:ratings_{name}')}?keys={rating.pk}" for name in ("void_ratings", "restore_ratings")
    )
    assert f'href="{void}"' in (html := moderator.web.get(address).content.decode())
    assert f'href="{restore}"' not in html
    void_ratings(rating_ids=[rating.pk], by=moderator.user, reason="set-up", now=now())
    assert f'href="{restore}"' in (html := moderator.web.get(address).content.decode())
    assert f'href="{void}"' not in html


def test_kudos_are_shown_as_promised_paid_or_taken_back(moderator, rater, rate):
    rating = rate(rater)[0]
    assert "7 promised" in moderator.web.get(LIST).content.decode()
    settle()
    assert "7 paid" in moderator.web.get(LIST).content.decode()
    void_ratings(rating_ids=[rating.pk], by=moderator.user, reason="set-up", now=now())
    assert "7 taken back" in moderator.web.get(LIST).content.decode()


def test_a_browser_without_an_account_has_a_number_for_a_name(moderator, rater, rate):
    rating = rate(rater)[0]
    Identity.objects.filter(pk=rater.identity_id).update(kind="browser", external_id="b" * 32, user=None)
    assert f"rater {rating.rater_id}" in moderator.web.get(LIST).content.decode()
