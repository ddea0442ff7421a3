"""A rater changes a rating of their own: what counts, what is kept, and what happens at the same time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from ratings.models import Dataset, Image, Rating, RatingChange, Revision
from ratings.rewards import PriceList
from ratings.services.moderation import hide_images
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.refusals import ImageUnavailable, NoSuchRating, RatingInvalid, RatingLocked
from ratings.services.revising import MAX_REVISIONS, RatingRevision, look_at_crowd, revise_rating
from ratings.services.voiding import restore_ratings, void_ratings
from tests.accounts.staff import make_moderator
from tests.people import make_stranger, now
from tests.ratings.services.test_concurrency import at_once
from tests.ratings.services.test_rating import PRICES, submit
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(rater, lease):
    return submit(rater.caller, lease(rater.caller), artifacts=None)


@pytest.fixture
def by():
    return make_moderator().user


def revise(person, rated, aesthetic=3, artifacts=None, *, at=None, prices=PRICES, **fields):
    of = rated if isinstance(rated, int) or hasattr(rated, "hex") else rated.rating_id
    revision = RatingRevision(aesthetic, artifacts, **fields)
    return revise_rating(caller=person.caller, rated=of, revision=revision, prices=prices, now=at or now())


def counters():
    image = Image.objects.get(pk=Rating.objects.get().image_id)
    return image.rating_count, image.aesthetic_sum, image.artifacts_count, image.artifacts_sum, image.is_open


def test_it_works(rater, rated, adds_up):
    revised = revise(rater, rated, 3, 4)
    rating = Rating.objects.get()
    assert (rating.aesthetic, rating.artifacts, rating.revision_count) == (3, 4, 1)
    assert (revised.rating_id, revised.aesthetic, revised.artifacts, revised.is_repeat) == (rating.pk, 3, 4, False)
    assert counters() == (1, 3, 1, 4, True)
    assert RatingChange.objects.get().rating_id == rating.pk
    adds_up()


def test_what_was_said_first_stays_readable(rater, rated):
    for aesthetic in (3, 4, 5):
        revise(rater, rated, aesthetic)
    assert list(Revision.objects.order_by("number").values_list("number", "aesthetic")) == [(1, 7), (2, 3), (3, 4)]
    assert Rating.objects.get().aesthetic == 5


def test_the_image_names_it_as_well(rater, rated):
    revise(rater, Rating.objects.get().image_id, 9)
    assert Rating.objects.get().aesthetic == 9


@pytest.mark.parametrize("target", [1, 2])
def test_an_image_is_open_by_the_ratings_that_like_or_dislike_it(rater, rated, adds_up, target):
    Dataset.objects.update(target_rating_count=target)
    Image.objects.filter(rating_count__gte=target).update(is_open=False)
    revise(rater, rated, None, 2)
    assert counters() == (0, 0, 1, 2, True)
    revise(rater, rated, 10, 2)
    assert counters() == (1, 10, 1, 2, target > 1)
    adds_up()


def test_the_same_again_changes_nothing(rater, rated):
    assert revise(rater, rated, 7).is_repeat
    revise(rater, rated, 3, idempotency_key="k")
    revise(rater, rated, 5)
    assert revise(rater, rated, 3, idempotency_key="k").is_repeat
    assert Rating.objects.get().aesthetic == 5
    assert Revision.objects.count() == 2


def test_artifacts_that_are_not_sent_stay(rater, rated):
    revise(rater, rated, 3, 4)
    assert revise(rater, rated, 2, keeps_artifacts=True).artifacts == 4
    assert counters() == (1, 2, 1, 4, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"aesthetic": 0},
        {"aesthetic": 11},
        {"artifacts": 6},
        {"aesthetic": None},
        {"artifacts": 1, "is_artifacts_unsure": True},
        {"idempotency_key": "k" * 41},
        {"idempotency_key": "a\0"},
    ],
    ids=str,
)
def test_wrong_values_are_refused(rater, rated, fields):
    with pytest.raises(RatingInvalid):
        revise(rater, rated, **fields)
    assert Revision.objects.count() == 0
    revise(rater, rated)


def test_it_is_for_a_day(rater, rated):
    with pytest.raises(RatingLocked):
        revise(rater, rated, at=now() + timedelta(hours=24, minutes=1))
    revise(rater, rated, at=now() + timedelta(hours=23, minutes=59))


def test_it_is_for_ones_own(outsider, rater, rated):
    for of in (rated, Rating.objects.get().image_id, 2**62):
        with pytest.raises(NoSuchRating):
            revise(outsider, of)
    revise(rater, rated)


def test_whose_key_many_share_has_none_of_their_own(lease):
    stranger = make_stranger()
    rated = submit(stranger, lease(stranger))
    revision = RatingRevision(3)
    with pytest.raises(NoSuchRating):
        revise_rating(caller=stranger, rated=rated.rating_id, revision=revision, prices=PRICES, now=now())


def test_it_ends_somewhere(rater, rated):
    for number in range(MAX_REVISIONS):
        revise(rater, rated, 1 + number % 2)
    with pytest.raises(RatingLocked):
        revise(rater, rated, 9)


def test_the_reward_grows_by_artifacts_once_and_never_falls(rater, rated, adds_up):
    rewards = [revise(rater, rated, 7, artifacts).reward for artifacts in (3, None, 4)]
    assert rewards == [7, 7, 7]
    assert Rating.objects.get().reward == 7
    dearer = PriceList(rating=50, artifacts=20, best_of_set=15)
    assert revise(rater, rated, 6, 4, prices=dearer).reward == 7
    adds_up()


def test_what_is_paid_stays_paid(rater, rated, adds_up):
    settle_rewards(hold=timedelta(0), now=now())
    assert revise(rater, rated, 7, 3).reward == 5
    assert Rating.objects.get().reward == 5
    adds_up()


def test_a_voided_rating_is_decided_and_a_restored_one_is_not(rater, rated, by, adds_up):
    void_ratings(rating_ids=[rated.rating_id], by=by, reason="r", now=now())
    with pytest.raises(RatingLocked):
        revise(rater, rated)
    restore_ratings(rating_ids=[rated.rating_id], by=by, reason="r", now=now())
    revise(rater, rated)
    adds_up()


def test_who_is_in_quarantine_notices_nothing_and_counts_later(rater, rated, by, adds_up):
    rater_id = Rating.objects.get().rater_id
    quarantine_rater(rater_id=rater_id, by=by, reason="r", now=now())
    revise(rater, rated, 2, 5)
    assert counters()[:4] == (0, 0, 0, 0)
    adds_up()
    end_quarantine(rater_id=rater_id, by=by, reason="r", now=now())
    assert counters()[:4] == (1, 2, 1, 5)
    adds_up()


def test_a_hidden_image_is_gone(rater, rated, by):
    hide_images(image_ids=[Rating.objects.get().image_id], by=by, reason="r", now=now())
    with pytest.raises(ImageUnavailable):
        revise(rater, rated)


class TestAtOnce:
    pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

    def test_each_of_many_is_kept_and_the_last_counts(self, rater, rated, adds_up):
        outcomes = at_once([lambda value=value: revise(rater, rated, value) for value in (1, 2, 3, 4)])
        assert [outcome.is_repeat for outcome in outcomes] == [False] * 4
        said = list(Revision.objects.order_by("number").values_list("aesthetic", flat=True))
        assert said[0] == 7
        assert {*said[1:], Rating.objects.get().aesthetic} == {1, 2, 3, 4}
        assert Rating.objects.get().revision_count == 4
        adds_up()

    def test_the_same_key_is_done_once(self, rater, rated, adds_up):
        outcomes = at_once([lambda: revise(rater, rated, 2, idempotency_key="k") for _ in range(4)])
        assert sorted(outcome.is_repeat for outcome in outcomes) == [False, True, True, True]
        assert Revision.objects.count() == 1
        adds_up()

    def test_voiding_settling_and_quarantine_come_between(self, rater, rated, by, adds_up):
        rater_id = Rating.objects.get().rater_id
        outcomes = at_once(
            [
                lambda: revise(rater, rated, 1, 5),
                lambda: void_ratings(rating_ids=[rated.rating_id], by=by, reason="r", now=now()),
                lambda: settle_rewards(hold=timedelta(0), now=now()),
                lambda: quarantine_rater(rater_id=rater_id, by=by, reason="r", now=now()),
                lambda: revise(rater, rated, 2, 4),
            ]
        )
        unexpected = [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, RatingLocked)]
        assert unexpected == []
        adds_up()

    def test_who_looks_while_they_revise_does_one_after_the_other(self, rater, rated, adds_up):
        """The look waits for a revision that is under way, and so shows nothing before the rating is as it stays."""
        Dataset.objects.update(target_rating_count=1)
        Image.objects.filter(rating_count=1).update(is_open=False)
        has_looked = threading.Event()

        def look():
            try:
                look_at_crowd(caller=rater.caller, rating_id=rated.rating_id, now=now())
            finally:
                has_looked.set()
                connection.close()

        looking = threading.Thread(target=look)
        with transaction.atomic():
            revise(rater, rated, 2)
            looking.start()
            assert not has_looked.wait(0.3)
        looking.join(30)
        assert has_looked.is_set()
        with pytest.raises(RatingLocked):
            revise(rater, rated, 3)
        assert Rating.objects.get().aesthetic == 2
        adds_up()
