"""What happens when many come at once: real threads, real connections, real commits."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from kudos.models import Transaction
from kudos.queries import balance_of
from ratings.models import Dataset, Image, Rater, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import lease_images
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import RatingRefused
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset():
    made = DatasetFactory(slug=settings.DEFAULT_DATASET, target_rating_count=1000)
    make_images(made, 20)
    return made


def at_once(functions):
    """Run every function in a thread of its own, all starting together; return results and exceptions."""
    barrier = threading.Barrier(len(functions))

    def run(function):
        barrier.wait()
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def take(caller, count=1):
    return lease_images(caller=caller, dataset=get_dataset_for_rating("demo"), count=count, now=now())


def rate(caller, leased, **fields):
    submission = RatingSubmission(image_id=leased.image_id, aesthetic=6, lease=leased.lease, **fields)
    return submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())


def settle():
    return settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))


def test_one_lease_is_used_once_by_eight_at_a_time(dataset, adds_up):
    person = make_person()
    [leased] = take(person.caller)
    results = at_once([lambda: rate(person.caller, leased)] * 8)
    assert Counter(isinstance(result, RatingRefused) for result in results) == {True: 7, False: 1}
    assert Rating.objects.count() == 1
    adds_up()


def test_a_rating_locks_the_image_before_the_rater(dataset):
    """Voiding takes its locks in this order too; the other way round they would wait for each other."""
    person = make_person()
    [leased] = take(person.caller)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Image.objects.select_for_update(no_key=True).get(pk=leased.image_id)
            submitted = pool.submit(at_once, [lambda: rate(person.caller, leased)])
            wait_until_somebody_waits_for_a_lock()
            Rater.objects.select_for_update(nowait=True).get(identity_id=person.identity_id)
        [outcome] = submitted.result(10)
    assert outcome.state == "counted"


def wait_until_somebody_waits_for_a_lock():
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waited for a lock")


def test_one_idempotency_key_gets_one_answer_for_eight_at_a_time(dataset, adds_up):
    person = make_person()
    [leased] = take(person.caller)
    results = at_once([lambda: rate(person.caller, leased, idempotency_key="k")] * 8)
    assert len({result.rating_id for result in results}) == 1
    adds_up()


def test_eight_raters_of_the_same_images_are_all_counted(dataset, adds_up):
    people = [make_person() for _ in range(8)]

    def story(person):
        def run():
            for leased in take(person.caller, 10) + take(person.caller, 10):
                rate(person.caller, leased)

        return run

    assert at_once([story(person) for person in people]) == [None] * 8
    assert set(Image.objects.values_list("rating_count", "aesthetic_sum")) == {(8, 48)}
    adds_up()


def test_one_image_is_not_leased_to_more_than_it_needs(dataset):
    Dataset.objects.update(target_rating_count=3)
    Image.objects.exclude(pk=Image.objects.first().pk).update(is_open=False)
    people = [make_person() for _ in range(8)]
    results = at_once([lambda person=person: take(person.caller) for person in people])
    assert sum(isinstance(result, list) for result in results) == 3


def test_a_new_caller_becomes_one_rater_however_many_come_at_once(dataset):
    from accounts.access import browser_caller

    caller = browser_caller("f" * 32, "c" * 32)
    leases = take(caller, 4)
    at_once([lambda leased=leased: rate(caller, leased) for leased in leases])
    assert Rater.objects.count() == 1
    assert Rating.objects.count() == 4


def test_two_settlements_at_once_pay_once(dataset, adds_up):
    person = make_person()
    for leased in take(person.caller, 10):
        rate(person.caller, leased)
    amounts = [result.amount for result in at_once([settle] * 4)]
    assert sum(amounts) == 50
    assert balance_of(person.identity_id) == 50
    adds_up()


def test_a_settlement_killed_in_the_middle_pays_nobody_and_loses_nothing(dataset, adds_up):
    person = make_person()
    for leased in take(person.caller, 5):
        rate(person.caller, leased)
    [outcome] = at_once([settle_and_die])
    assert isinstance(outcome, OperationalError)
    assert not Transaction.objects.exists()
    assert balance_of(person.identity_id) == 0
    adds_up()
    assert settle().amount == 25
    adds_up()


def settle_and_die():
    """Settle, and have the server end the connection before the commit."""
    with transaction.atomic():
        settle()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_settling_voiding_and_rating_at_once_keep_the_books(dataset, adds_up):
    people = [make_person() for _ in range(4)]
    moderator = make_person("moderator").user
    for person in people:
        for leased in take(person.caller, 5):
            rate(person.caller, leased)

    def keep_rating(person):
        return lambda: [rate(person.caller, leased) for leased in take(person.caller, 10)]

    def moderate():
        for turn in range(6):
            ids = list(Rating.objects.order_by("id").values_list("id", flat=True)[turn : turn + 12])
            void_ratings(rating_ids=ids, by=moderator, reason="a test", now=now())
            restore_ratings(rating_ids=ids[::2], by=moderator, reason="a test", now=now())

    def keep_settling():
        for _ in range(6):
            settle()

    results = at_once([*map(keep_rating, people), moderate, keep_settling, keep_settling])
    assert [result for result in results if isinstance(result, Exception)] == []
    settle()
    adds_up()
