"""Quarantine while the rater goes on, moderators void and restore, and kudos settle: real threads, real commits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from ratings.models import Image, ModerationAction, Rater, Rating
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.relayed import make_set, new_ids, relay_set
from tests.ratings.services.test_concurrency import (
    at_once,
    rate,
    settle,
    take,
    wait_until_somebody_waits_for_a_lock,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset():
    made = DatasetFactory(slug=settings.DEFAULT_DATASET, target_rating_count=1000)
    make_images(made, 120)
    return made


@pytest.fixture
def by():
    return {"by": make_person("moderator").user, "reason": "a test", "now": now()}


def rater_of(person):
    return Rater.objects.get(identity_id=person.identity_id)


def states_of(person):
    return set(Rating.objects.filter(rater=rater_of(person)).values_list("state", flat=True))


def in_thread(pool, function):
    return pool.submit(lambda: at_once([function])[0])


@pytest.mark.parametrize("turn", range(3))
def test_a_rater_who_goes_on_is_taken_out_whole(dataset, by, adds_up, turn):
    people = [make_person() for _ in range(2)]
    for person in people:
        rate(person.caller, take(person.caller)[0])
    suspect = rater_of(people[0]).pk

    def keep_rating(person):
        return lambda: [rate(person.caller, leased) for _ in range(4) for leased in take(person.caller, 10)]

    results = at_once([*map(keep_rating, people), lambda: quarantine_rater(rater_id=suspect, **by)])
    assert [result for result in results if isinstance(result, Exception)] == []
    assert (states_of(people[0]), states_of(people[1])) == ({"quarantined"}, {"counted"})
    adds_up()
    counted = at_once([keep_rating(people[0]), lambda: end_quarantine(rater_id=suspect, **by)])[1]
    assert not isinstance(counted, Exception)
    assert states_of(people[0]) == {"counted"}
    adds_up()


def test_a_rating_that_read_the_state_before_is_brought_into_line(dataset, by, adds_up):
    """It waits for its image while the rater goes into quarantine; what it read of the rater is out of date then."""
    person = make_person()
    [leased] = take(person.caller)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Image.objects.select_for_update(no_key=True).get(pk=leased.image_id)
            submitted = in_thread(pool, lambda: rate(person.caller, leased))
            wait_until_somebody_waits_for_a_lock()
            [action] = at_once([lambda: quarantine_rater(rater_id=rater_of(person).pk, **by)])
            assert (action.affected_count, Rating.objects.exists()) == (0, False)
        outcome = submitted.result(10)
    assert (outcome.state, states_of(person)) == ("quarantined", {"quarantined"})
    adds_up()


def test_a_rating_that_read_the_quarantine_is_brought_into_line_when_it_ends(dataset, by, adds_up):
    person = make_person()
    rate(person.caller, take(person.caller)[0])
    quarantine_rater(rater_id=rater_of(person).pk, **by)
    [leased] = take(person.caller)
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            # A rating in quarantine waits for its rater only.
            Rater.objects.select_for_update(no_key=True).get(pk=rater_of(person).pk)
            ended = in_thread(pool, lambda: end_quarantine(rater_id=rater_of(person).pk, **by))
            wait_until_somebody_waits_for_a_lock()
            submitted = in_thread(pool, lambda: rate(person.caller, leased))
            wait_until_waiting(2)
        outcomes = [ended.result(10), submitted.result(10)]
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert (outcomes[1].state, states_of(person)) == ("counted", {"counted"})
    adds_up()


def test_a_set_that_read_the_state_before_is_brought_into_line(by, adds_up):
    rated, other = ids = new_ids(2)
    relay_set(make_set(ids=ids, best=..., ratings=[{"id": rated, "rating": 6}]))
    rater_id = Rater.objects.get(identity__kind="horde").pk
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Image.objects.select_for_update(no_key=True).get(pk=other)
            body = make_set(ids=ids, best=..., ratings=[{"id": other, "rating": 9}])
            submitted = in_thread(pool, lambda: relay_set(body))
            wait_until_somebody_waits_for_a_lock()
            at_once([lambda: quarantine_rater(rater_id=rater_id, **by)])
        outcome = submitted.result(10)
    assert outcome.rating_count == 1
    assert list(Rating.objects.values_list("state", flat=True)) == ["quarantined"] * 2
    adds_up()


def wait_until_waiting(count):
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
        threading.Event().wait(0.05)
    raise AssertionError("too few waited for a lock")


def test_what_is_restored_while_quarantine_begins_does_not_count(dataset, by, adds_up):
    """Restoring locks the ratings first; quarantine waits for the rater, and finds them counted when it has it."""
    person = make_person()
    for leased in take(person.caller, 6):
        rate(person.caller, leased)
    ids = list(Rating.objects.values_list("pk", flat=True))
    void_ratings(rating_ids=ids[:3], **by)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            restore_ratings(rating_ids=ids[:3], **by)
            waiting = in_thread(pool, lambda: quarantine_rater(rater_id=rater_of(person).pk, **by))
            wait_until_somebody_waits_for_a_lock()
        action = waiting.result(10)
    assert action.affected_count == ModerationAction.objects.get(pk=action.pk).affected_count == 6
    assert states_of(person) == {"quarantined"}
    adds_up()


@pytest.mark.parametrize("turn", range(3))
def test_everything_at_once_keeps_the_books(dataset, by, adds_up, turn):
    people = [make_person() for _ in range(3)]
    for caller in [person.caller for person in people for _ in range(5)]:
        rate(caller, take(caller)[0])
    raters = [rater_of(person).pk for person in people]
    in_and_out = (quarantine_rater, end_quarantine, quarantine_rater)
    out_and_in = (end_quarantine, quarantine_rater, end_quarantine)

    def keep_rating(person):
        return lambda: [rate(person.caller, leased) for _ in range(2) for leased in take(person.caller, 10)]

    def decide(decisions):
        return lambda: [decision(rater_id=pk, **by) for pk in raters for decision in decisions] and None

    moderators = [decide(in_and_out), decide(out_and_in), lambda: void_and_restore(by)]
    results = at_once([*map(keep_rating, people), *moderators, lambda: [settle() for _ in range(6)]])
    assert [result for result in results if isinstance(result, Exception)] == []
    adds_up()
    settle()
    adds_up()


def void_and_restore(by):
    for start in range(6):
        ids = list(Rating.objects.order_by("id").values_list("id", flat=True)[start : start + 12])
        void_ratings(rating_ids=ids, **by)
        restore_ratings(rating_ids=ids[::2], **by)


def test_two_moderators_at_once_quarantine_once(dataset, by, adds_up):
    person = make_person()
    for leased in take(person.caller, 8):
        rate(person.caller, leased)
    actions = at_once([lambda: quarantine_rater(rater_id=rater_of(person).pk, **by)] * 4)
    assert sorted(action.affected_count for action in actions) == [0, 0, 0, 8]
    assert rater_of(person).state_before == "new"
    adds_up()
