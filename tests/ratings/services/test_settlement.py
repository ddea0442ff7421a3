from datetime import timedelta

import pytest

from accounts.access import browser_caller
from kudos.models import Entry, Transaction
from kudos.queries import balance_of, history_of
from ratings.models import Rater, Rating
from ratings.queries.raters import my_standing
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.voiding import restore_ratings, void_ratings
from tests.people import make_person, make_stranger, now
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db
HOLD = timedelta(minutes=1)


@pytest.fixture
def moderator():
    return make_person("moderator").user


@pytest.fixture
def rate(lease):
    def give(caller, count=1, at=None):
        for _ in range(count):
            leased = lease(caller)
            submission = RatingSubmission(image_id=leased.image_id, aesthetic=6, lease=leased.lease)
            submit_rating(caller=caller, submission=submission, prices=PRICES, now=at or now())

    return give


def settle(at=None):
    return settle_rewards(hold=HOLD, now=at or now() + timedelta(minutes=2))


def ids_of(person):
    return list(
        Rating.objects.filter(rater__identity_id=person.identity_id).order_by("id").values_list("id", flat=True)
    )


def test_it_works(rater, rate, adds_up):
    rate(rater.caller, 3)
    assert settle().amount == 15
    assert balance_of(rater.identity_id) == 15
    [line] = history_of(identity_id=rater.identity_id)
    assert (line.amount, line.reason_text, line.note) == (15, "ratings settled", "3 ratings")
    adds_up()


def test_it_waits_for_the_hold_time(rater, rate):
    rate(rater.caller)
    assert settle(at=now()).rating_count == 0
    assert my_standing(identity_id=rater.identity_id, today=now() - timedelta(days=1)).pending_kudos == 5


def test_it_pays_once(rater, rate, adds_up):
    rate(rater.caller, 2)
    settle()
    assert settle().rating_count == 0
    assert balance_of(rater.identity_id) == 10
    adds_up()


def test_it_writes_one_transaction_for_each_rater_and_run(rater, outsider, rate):
    rate(rater.caller, 3)
    rate(outsider.caller, 2)
    assert settle().rater_count == 2
    assert (Transaction.objects.count(), Entry.objects.count()) == (2, 4)


@pytest.mark.parametrize("who", ["shared key", "browser"])
def test_anonymous_raters_earn_nothing(rate, adds_up, who):
    for _ in range(2):
        # Each request looks its caller up anew: only the second knows the identity that the first one made.
        rate(make_stranger() if who == "shared key" else browser_caller("e" * 32, "c" * 32))
    assert set(Rating.objects.values_list("reward", flat=True)) == {0}
    assert settle().rating_count == 0
    adds_up()


def test_it_does_not_pay_a_rater_in_quarantine(rater, rate):
    rate(rater.caller)
    Rater.objects.update(state="quarantined")
    assert settle().rating_count == 0
    Rater.objects.update(state="new")
    assert settle().rating_count == 1


def test_a_reward_that_is_not_settled_is_dropped_with_the_rating(rater, rate, moderator, adds_up):
    rate(rater.caller, 2)
    void_ratings(rating_ids=ids_of(rater)[:1], by=moderator, reason="a script", now=now())
    settle()
    assert balance_of(rater.identity_id) == 5
    adds_up()


def test_a_settled_reward_is_taken_back_and_given_back(rater, rate, moderator, adds_up):
    rate(rater.caller, 2)
    settle()
    for _ in range(2):
        void_ratings(rating_ids=ids_of(rater), by=moderator, reason="a script", now=now())
        assert balance_of(rater.identity_id) == 0
        adds_up()
        restore_ratings(rating_ids=ids_of(rater), by=moderator, reason="a person after all", now=now())
        assert balance_of(rater.identity_id) == 10
        adds_up()
    assert settle().rating_count == 0
    assert [line.amount for line in history_of(identity_id=rater.identity_id)] == [10, -10, 10, -10, 10]


def test_what_was_spent_is_booked_to_the_loss_account(rater, rate, moderator, adds_up):
    from kudos.models import AccountKind, Reason
    from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id

    rate(rater.caller, 3)
    settle()
    account = ensure_user_accounts([rater.identity_id])[rater.identity_id]
    spend = Posting("spent", ((account, -8), (system_account_id(AccountKind.PAYOUT), 8)))
    post_transactions(reason=Reason.TRANSFER, postings=[spend], now=now())
    void_ratings(rating_ids=ids_of(rater), by=moderator, reason="a script", now=now())
    assert balance_of(rater.identity_id) == 0
    loss = system_account_id(AccountKind.LOSS)
    assert sum(Entry.objects.filter(account_id=loss).values_list("amount", flat=True)) == -8
    adds_up()
    first, *rest = ids_of(rater)
    restore_ratings(rating_ids=[first], by=moderator, reason="one was fine", now=now())
    assert balance_of(rater.identity_id) == 5
    adds_up()
    restore_ratings(rating_ids=rest, by=moderator, reason="all were fine", now=now())
    assert balance_of(rater.identity_id) == 7
    assert sum(Entry.objects.filter(account_id=loss).values_list("amount", flat=True)) == 0
    adds_up()


def test_voiding_reopens_the_image_and_restoring_closes_it(rater, rate, moderator, dataset, adds_up):
    from ratings.models import Dataset

    Dataset.objects.update(target_rating_count=1)
    rate(rater.caller)
    image = Rating.objects.get().image
    assert not image.is_open
    action = void_ratings(rating_ids=ids_of(rater), by=moderator, reason="a script", now=now())
    image.refresh_from_db()
    assert (image.is_open, image.rating_count, image.aesthetic_sum) == (True, 0, 0)
    assert (action.affected_count, action.target, action.taken_by) == (1, "1 rating", moderator)
    adds_up()
    restore_ratings(rating_ids=ids_of(rater), by=moderator, reason="a mistake", now=now())
    image.refresh_from_db()
    assert (image.is_open, image.rating_count) == (False, 1)
    adds_up()


def test_voiding_twice_changes_nothing_more(rater, rate, moderator, adds_up):
    rate(rater.caller)
    settle()
    void_ratings(rating_ids=ids_of(rater), by=moderator, reason="a script", now=now())
    again = void_ratings(rating_ids=[*ids_of(rater), 10**9], by=moderator, reason="a script", now=now())
    assert again.affected_count == 0
    adds_up()


def test_a_reason_is_required(rater, rate, moderator):
    from django.db import IntegrityError

    rate(rater.caller)
    with pytest.raises(IntegrityError):
        void_ratings(rating_ids=ids_of(rater), by=moderator, reason="", now=now())


def test_restoring_counts_a_held_rating(rater, lease, moderator, settings, adds_up):
    leased = lease(rater.caller)
    working, settings.REDIS_URL = settings.REDIS_URL, "unix:///nonexistent/valkey.sock?db=0"
    submission = RatingSubmission(image_id=leased.image_id, aesthetic=6)
    assert submit_rating(caller=rater.caller, submission=submission, prices=PRICES, now=now()).state == "held"
    settings.REDIS_URL = working
    assert settle().rating_count == 0
    adds_up()
    restore_ratings(rating_ids=ids_of(rater), by=moderator, reason="an outage of Valkey", now=now())
    assert settle().rating_count == 1
    adds_up()
