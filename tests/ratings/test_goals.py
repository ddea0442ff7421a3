"""Goals of a week: three days, one week of a month may be missed, nothing is lost by being away."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from ratings.models import ActiveDay, Rater
from ratings.queries.goals import Week, count_week, my_week
from ratings.services.linking import WORDS, point_identity
from ratings.services.rating import RatingSubmission, submit_rating
from tests.people import make_stranger
from tests.ratings.services.test_rating import PRICES
from tests.ratings.views.test_rate import answer

TODAY = date(2026, 11, 25)  # a Wednesday
MONDAY = date(2026, 11, 23)


def week_of(back, count=3):
    """Return so many days of the week that lies so many weeks back."""
    return {MONDAY - timedelta(days=7 * back) + timedelta(days=day) for day in range(count)}


def count(*weeks, goal=3):
    return count_week(days=set().union(*weeks), goal=goal, today=TODAY)


def test_it_works():
    assert count(week_of(0), week_of(1), week_of(2)) == Week(3, 3, 3, is_spared=False)
    assert count(week_of(0)).is_reached


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([], Week(0, 3, 0, is_spared=False)),
        ([week_of(0, 2)], Week(2, 3, 0, is_spared=False)),
        ([week_of(0, 1), week_of(1), week_of(2)], Week(1, 3, 2, is_spared=False)),
        # One missed week of November is passed over, and one of October; a second of the same month ends it.
        ([week_of(0), week_of(2), week_of(3)], Week(3, 3, 3, is_spared=True)),
        ([week_of(0), week_of(2), week_of(3), week_of(5)], Week(3, 3, 4, is_spared=True)),
        ([week_of(0), week_of(3)], Week(3, 3, 1, is_spared=False)),
        ([week_of(0), week_of(40)], Week(3, 3, 1, is_spared=False)),
    ],
)
def test_a_missed_week_of_a_month_takes_nothing_away(weeks, expected):
    assert count(*weeks) == expected


def test_the_goal_is_the_persons_own():
    assert not count(week_of(0, 4), goal=5).is_reached
    assert count(week_of(0, 1), week_of(1, 1), goal=1).weeks == 2


@pytest.mark.django_db
class TestStored:
    """The days are written with the ratings, in the same statement."""

    def rate(self, caller, leased, at):
        submission = RatingSubmission(image_id=leased.image_id, aesthetic=6, lease=leased.lease)
        submit_rating(caller=caller, submission=submission, prices=PRICES, now=at)

    def days(self):
        return list(ActiveDay.objects.order_by("day").values_list("day", flat=True))

    def test_it_works(self, rater, lease):
        today = datetime.now(UTC)
        for _ in range(3):
            self.rate(rater.caller, lease(rater.caller), today)
        assert self.days() == [today.date()]
        self.rate(rater.caller, lease(rater.caller), today + timedelta(days=1))
        assert len(self.days()) == 2
        web = rater.web()
        week = web.get("/rate/settings/", headers={"accept": "application/json"}).json()["week"]
        assert week["goal"] == 3
        assert week["active_days"] >= 1

    def test_a_refused_rating_is_no_activity(self, rater, lease):
        leased = lease(rater.caller)
        at = datetime.now(UTC)
        self.rate(rater.caller, leased, at)
        with pytest.raises(Exception, match="rated this image already"):
            self.rate(rater.caller, leased, at + timedelta(days=1))
        assert self.days() == [at.date()]

    def test_who_shares_a_key_has_no_days(self, lease):
        stranger = make_stranger()
        self.rate(stranger, lease(stranger), datetime.now(UTC))
        assert self.days() == []

    def test_a_person_has_one_week_under_all_their_names(self, rater, dataset):
        browser = Client()
        browser.post("/rate/", answer(browser.get("/rate/"), aesthetic=7))
        theirs = Rater.objects.get(identity__kind="browser")
        ActiveDay.objects.update(day=MONDAY)
        ActiveDay.objects.create(rater=Rater.objects.get(identity_id=rater.identity_id), day=TODAY)
        assert my_week(identity_id=rater.identity_id, today=TODAY).active_days == 1
        with transaction.atomic():
            point_identity(identity_id=theirs.identity_id, user=rater.user, kind="browser", most=5, words=WORDS)
        assert my_week(identity_id=rater.identity_id, today=TODAY).active_days == 2

    def test_a_day_is_kept_once(self, rater):
        one = Rater.objects.get(identity_id=rater.identity_id)
        ActiveDay.objects.create(rater=one, day=TODAY)
        with pytest.raises(IntegrityError, match='"active_day_of_a_rater_once"'), transaction.atomic():
            ActiveDay.objects.create(rater=one, day=TODAY)
