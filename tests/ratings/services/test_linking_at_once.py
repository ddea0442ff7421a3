"""Linking while others link, rate and void: real threads, real connections, real commits."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Identity
from accounts.providers import horde_provider
from ratings.models import Image, Rater, Rating
from ratings.services.linking import LinkedAlready, LinkedElsewhere, link_horde_identity, unlink_identity
from ratings.services.refusals import AlreadyRated, RatingRefused
from ratings.services.voiding import restore_ratings, void_ratings
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.services.test_concurrency import at_once, settle, wait_until_somebody_waits_for_a_lock
from tests.ratings.services.test_linking import KEY, HordePerson, link, rate, take, take_one

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset():
    made = DatasetFactory(slug=settings.DEFAULT_DATASET, target_rating_count=1000)
    make_images(made, 20)
    return made


@pytest.fixture
def ada(horde):
    person = HordePerson(horde.add_user(KEY, 7))
    _ = person.caller  # AI Horde has answered; in what follows it is not asked
    return person


def test_two_who_link_the_same_identity_at_once_do_not_both_get_it(dataset, ada, adds_up):
    people = [make_person() for _ in range(6)]
    results = at_once([lambda person=person: link(person) for person in people])
    assert Counter(type(result).__name__ for result in results) == {"LinkedIdentity": 1, "LinkedElsewhere": 5}
    winner = people[[isinstance(result, LinkedElsewhere) for result in results].index(False)]
    assert Identity.objects.get(kind="horde").user == winner.user
    adds_up()


def test_linking_it_twice_at_once_links_it_once(dataset, ada, adds_up):
    person = make_person()
    results = at_once([lambda: link(person)] * 4)
    assert Counter(type(result) for result in results)[LinkedAlready] == 3
    adds_up()


def test_two_identities_linked_at_once_end_as_one_person(dataset, horde, adds_up):
    person = make_person()
    others = [HordePerson(horde.add_user(f"many{number:018}", number)) for number in (1, 2)]
    first = take(person.caller)[0]
    rate(person.caller, first)
    for other in others:
        rate(other.caller, take_one(other.caller, first.image_id))
    results = at_once([lambda other=other: link(person, other.key) for other in others])
    assert not [result for result in results if isinstance(result, Exception)]
    assert Counter(Rating.objects.values_list("state", flat=True)) == {"counted": 1, "superseded": 2}
    adds_up()


def test_both_identities_rate_one_image_at_once(dataset, ada, adds_up):
    person = make_person()
    pairs = [(take_one(person.caller, image.pk), take_one(ada.caller, image.pk)) for image in Image.objects.all()[:8]]
    link(person)
    caller = ada.caller
    for own, theirs in pairs:
        results = at_once([lambda own=own: rate(person.caller, own), lambda theirs=theirs: rate(caller, theirs)])
        assert sum(isinstance(result, AlreadyRated) for result in results) == 1, results
    assert set(Image.objects.filter(rating_count__gt=0).values_list("rating_count")) == {(1,)}
    adds_up()


def test_a_rating_that_waits_for_a_linking_is_told_of_it(dataset, ada, adds_up):
    """It began before the link and ends after it: what it saw at its start is no longer so."""
    person = make_person()
    own = take(person.caller)[0]
    theirs = take_one(ada.caller, own.image_id)
    rate(ada.caller, take(ada.caller)[0])
    caller = ada.caller
    rate(person.caller, own)
    horde_id = Identity.objects.get(kind="horde").pk
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            raters = Rater.objects.filter(identity_id__in=[horde_id, person.identity_id])
            list(raters.order_by("id").select_for_update(no_key=True))
            submitted = pool.submit(at_once, [lambda: rate(caller, theirs)])
            wait_until_somebody_waits_for_a_lock()
            raters.update(is_linked=True)
            Identity.objects.filter(pk=horde_id).update(user=person.user)
        [outcome] = submitted.result(10)
    assert isinstance(outcome, AlreadyRated)
    assert Rating.objects.get(rater__identity_id=horde_id, image_id=own.image_id).state == "superseded"
    adds_up()


def test_linking_while_both_rate(dataset, ada, adds_up):
    person = make_person()
    rate(ada.caller, take(ada.caller)[0])
    own = [take_one(person.caller, image.pk) for image in Image.objects.filter(rating_count=0).order_by("id")[:16]]
    caller = ada.caller
    theirs = [take_one(caller, leased.image_id) for leased in own]

    def rate_all(who, images):
        def run():
            for leased in images:
                try:
                    rate(who, leased)
                except RatingRefused:
                    continue

        return run

    results = at_once([rate_all(person.caller, own), rate_all(caller, theirs[::-1]), lambda: link(person)])
    assert not [result for result in results if isinstance(result, Exception)]
    assert set(Image.objects.filter(pk__in=[leased.image_id for leased in own]).values_list("rating_count")) == {(1,)}
    adds_up()


def test_linking_rating_voiding_and_settling_at_once_keep_the_books(dataset, ada, adds_up):
    person, moderator = make_person(), make_person("moderator").user
    for image in Image.objects.all()[:10]:
        rate(person.caller, take_one(person.caller, image.pk))
        rate(ada.caller, take_one(ada.caller, image.pk))

    def link_and_unlink():
        for _ in range(4):
            linked = link_horde_identity(user=person.user, secret=KEY, provider=horde_provider(), now=now())
            unlink_identity(user=person.user, identity_id=linked.id)
        link(person)

    def moderate():
        for turn in range(6):
            ids = list(Rating.objects.order_by("id").values_list("id", flat=True)[turn : turn + 8])
            void_ratings(rating_ids=ids, by=moderator, reason="a test", now=now())

    def keep_rating():
        for leased in take(person.caller, 8):
            rate(person.caller, leased)

    results = at_once([link_and_unlink, moderate, keep_rating, lambda: [settle() for _ in range(6)]])
    assert not [result for result in results if isinstance(result, Exception)]
    adds_up()


def test_a_superseded_rating_is_not_brought_back_by_a_moderator(dataset, ada, adds_up):
    person, moderator = make_person(), make_person("moderator").user
    image = Image.objects.first()
    first = rate(person.caller, take_one(person.caller, image.pk)).rating_id
    second = rate(ada.caller, take_one(ada.caller, image.pk)).rating_id
    link(person)
    restore_ratings(rating_ids=[first, second], by=moderator, reason="a test", now=now())
    assert Rating.objects.get(pk=second).state == "superseded"
    adds_up()


def test_the_connection_of_a_thread_is_not_left_behind():
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.moderated')")
        assert cursor.fetchone() == (None,)
