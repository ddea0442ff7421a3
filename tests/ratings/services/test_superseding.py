"""One say for each person on an image, also when a relay speaks for them or a moderator restores what they said."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import Identity
from kudos.queries import balance_of
from ratings.models import Image, Rater, Rating
from ratings.services.voiding import restore_ratings, void_ratings
from tests.people import make_person, now
from tests.ratings.relayed import make_set, make_user, new_ids, relay_set
from tests.ratings.services.test_concurrency import at_once, wait_until_somebody_waits_for_a_lock
from tests.ratings.services.test_linking import KEY, HordePerson, both_rate, link, rate, take, take_one
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db
ADA = 7


@pytest.fixture
def ada(horde):
    """A user of AI Horde who has asked before, so that it need not be asked again."""
    person = HordePerson(horde.add_user(KEY, ADA))
    _ = person.caller
    return person


def relay(*image_ids, number=ADA):
    ids = [str(image_id) for image_id in image_ids]
    ratings = [{"id": image_id, "rating": 9} for image_id in ids]
    return relay_set(make_set(ids=ids, ratings=ratings, user=make_user(number=number)))


def states():
    return list(Rating.objects.order_by("id").values_list("state", flat=True))


@pytest.fixture
def decide(db):
    """Void or restore ratings."""
    moderator = make_person("moderator").user

    def carry_out(decision, *ratings):
        ids = [rating.pk for rating in ratings]
        decision(rating_ids=ids, by=moderator, reason="a test", now=now())

    return carry_out


def test_it_works(rater, ada, dataset, adds_up):
    link(rater)
    own = take(rater.caller)[0]
    rate(rater.caller, own, aesthetic=3)
    submitted = relay(own.image_id, *new_ids(1))
    assert (submitted.rating_count, submitted.known_count) == (1, 1)
    assert "left out: 1" in submitted.message
    image = Image.objects.get(pk=own.image_id)
    assert (image.rating_count, image.aesthetic_sum) == (1, 3)
    assert dict(Rater.objects.values_list("identity__kind", "rating_count")) == {"account": 1, "horde": 1}
    adds_up()


def test_what_another_person_rated_is_not_in_the_way_of_a_relayed_rating(rater, ada, dataset, adds_up):
    link(rater)
    own = take(rater.caller)[0]
    rate(rater.caller, own)
    assert relay(own.image_id, number=8).rating_count == 1
    assert states() == ["counted", "counted"]
    adds_up()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_relayed_rating_that_waits_for_a_linking_yields(rater, ada, dataset, adds_up):
    """It began before the link and ends after it: what it saw at its start is no longer so."""
    relay(*new_ids(1))
    own = take(rater.caller)[0]
    rate(rater.caller, own)
    horde_id = Identity.objects.get(kind="horde").pk
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            raters = Rater.objects.filter(identity_id__in=[horde_id, rater.identity_id])
            list(raters.order_by("id").select_for_update(no_key=True))
            submitted = pool.submit(at_once, [lambda: relay(own.image_id, *new_ids(1))])
            wait_until_somebody_waits_for_a_lock()
            raters.update(is_linked=True)
            Identity.objects.filter(pk=horde_id).update(user=rater.user)
        [outcome] = submitted.result(10)
    assert (outcome.rating_count, outcome.known_count) == (1, 1)
    assert Rating.objects.get(rater__identity_id=horde_id, image_id=own.image_id).state == "superseded"
    adds_up()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_relay_and_person_rate_one_image_at_once(rater, ada, dataset, adds_up):
    images = list(Image.objects.values_list("id", flat=True)[:6])
    leases = [take_one(rater.caller, image_id) for image_id in images]
    link(rater)
    for own in leases:
        results = at_once([lambda own=own: rate(rater.caller, own), lambda own=own: relay(own.image_id)])
        is_refused = isinstance(results[0], Exception)
        assert results[1].rating_count == is_refused, results
    assert set(Image.objects.filter(pk__in=images).values_list("rating_count")) == {(1,)}
    adds_up()


def test_restore_ratings_lets_the_first_of_a_linked_person_count(rater, ada, dataset, decide, adds_up):
    first, second = both_rate(rater, ada)
    decide(void_ratings, first)
    link(rater)
    assert states() == ["voided", "counted"]
    decide(restore_ratings, first)
    assert states() == ["counted", "superseded"]
    image = Image.objects.get(pk=second.image_id)
    assert (image.rating_count, image.aesthetic_sum) == (1, first.aesthetic)
    adds_up()


def test_restore_ratings_leaves_the_later_of_a_linked_person_out(rater, ada, dataset, decide, adds_up):
    first, second = both_rate(rater, ada)
    decide(void_ratings, second)
    link(rater)
    decide(restore_ratings, second)
    assert states() == ["counted", "superseded"]
    assert Image.objects.get(pk=first.image_id).rating_count == 1
    adds_up()


def test_restore_ratings_of_both_lets_one_count_and_gives_all_kudos_back(rater, ada, dataset, decide, adds_up):
    both = both_rate(rater, ada)
    settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))
    decide(void_ratings, *both)
    linked = link(rater)
    decide(restore_ratings, *both)
    assert states() == ["counted", "superseded"]
    assert balance_of(linked.id) == balance_of(rater.identity_id) == 5
    adds_up()


def test_restore_ratings_of_two_people_leaves_each_their_own(rater, outsider, dataset, decide, adds_up):
    own = take(rater.caller)[0]
    rate(rater.caller, own)
    rate(outsider.caller, take_one(outsider.caller, own.image_id))
    ratings = list(Rating.objects.all())
    decide(void_ratings, *ratings)
    decide(restore_ratings, *ratings)
    assert states() == ["counted", "counted"]
    adds_up()
