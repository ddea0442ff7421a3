"""Which sets are handed out, and which never are."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection

from ratings.models import Comparison, Dataset, Image, ImageSet
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft
from ratings.services.comparing_again import return_sets, skip_set
from ratings.services.comparison import ComparisonSubmission, submit_comparison
from ratings.set_selection import lease_sets
from tests.factories import make_images
from tests.people import make_stranger, now
from tests.ratings.relayed import make_set, relay_set
from tests.ratings.services.test_comparison import PRICES

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(dataset):
    def lease(caller, count=1, *, at=None, **options):
        found = get_dataset_for_rating(dataset.slug)
        return lease_sets(caller=caller, dataset=found, count=count, now=at or now(), **options)

    return lease


def ids_of(leased):
    return frozenset(image.image_id for image in leased.images)


def answer(caller, leased, at=None):
    submission = ComparisonSubmission(set_id=leased.set_id, lease=leased.lease, outcome="tie")
    return submit_comparison(caller=caller, submission=submission, prices=PRICES, now=at or now())


def test_it_gives_different_images_in_each_set_and_writes_nothing(rater, take):
    sets = take(rater.caller, 4)
    assert len(sets) == 4
    for one in sets:
        assert 2 <= len(ids_of(one)) == len(one.images) <= 4
    assert len({ids_of(one) for one in sets}) == 4
    assert not ImageSet.objects.exists()


@pytest.mark.parametrize("who", ["rater", "stranger"])
def test_nobody_compares_the_same_images_twice(rater, dataset, take, who):
    caller = rater.caller if who == "rater" else make_stranger("1")
    Image.objects.exclude(pk__in=list(Image.objects.values_list("pk", flat=True)[:3])).update(is_open=False)
    seen = []

    def compare_all():
        for _ in range(40):
            [one] = take(caller)
            answer(caller, one)
            seen.append(ids_of(one))

    # Three images make four sets; chance decides how many of them are drawn before a request finds no other.
    with pytest.raises(NoImageLeft):
        compare_all()
    assert 1 <= len(seen) == len(set(seen)) <= 4


def test_a_relayed_set_is_offered_and_not_to_who_compared_these_images(rater, outsider, dataset, take):
    ids = [str(pk) for pk in Image.objects.values_list("pk", flat=True)[:3]]
    relay_set(make_set(ids=ids))
    ImageSet.objects.update(dataset=dataset)
    Image.objects.update(is_open=False)
    [known] = take(rater.caller)
    assert known.set_id == ImageSet.objects.get().pk
    assert {str(pk) for pk in ids_of(known)} == set(ids)
    answer(rater.caller, known)
    with pytest.raises(NoImageLeft):
        take(rater.caller)
    assert take(outsider.caller)


def test_images_of_one_prompt_come_together(rater, dataset, take):
    Image.objects.all().delete()
    for group in range(5):
        make_images(dataset, 4, prompt=f"prompt {group}", group_key=group)
    for one in take(rater.caller, 4):
        assert len(set(Image.objects.filter(pk__in=ids_of(one)).values_list("group_key", flat=True))) == 1


@pytest.mark.parametrize(
    "change", [{"status": "hidden", "is_open": False}, {"adult_class": "adult"}, {"is_open": False}]
)
def test_only_open_safe_images_are_drawn(rater, take, change):
    left = list(Image.objects.values_list("pk", flat=True)[:2])
    Image.objects.exclude(pk__in=left).update(**change)
    assert ids_of(take(rater.caller)[0]) == set(left)


def test_adult_images_are_for_who_asked_and_never_beside_others(rater, take):
    adult = set(Image.objects.values_list("pk", flat=True)[:10])
    Image.objects.filter(pk__in=adult).update(adult_class="adult")
    for one in [one for _ in range(5) for one in take(rater.caller, 4, adult_classes=["adult"])]:
        assert ids_of(one) <= adult or not ids_of(one) & adult


def test_a_skipped_image_and_a_skipped_set_stay_away(rater, dataset, take):
    left = list(Image.objects.values_list("pk", flat=True)[:2])
    Image.objects.exclude(pk__in=left).update(is_open=False)
    [one] = take(rater.caller)
    skip_set(caller=rater.caller, set_id=one.set_id, token=one.lease, now=now())
    with pytest.raises(NoImageLeft):
        take(rater.caller)
    later = now() + timedelta(days=31)
    assert ids_of(take(rater.caller, at=later)[0]) == set(left)


def test_who_takes_and_does_not_compare_is_given_what_they_hold(rater, take):
    held = {one.set_id for _ in range(5) for one in take(rater.caller, 4)}
    assert len(held) == 20
    [again] = take(rater.caller)
    assert again.set_id in held
    assert answer(rater.caller, again).state == "counted"


def test_a_lease_given_back_makes_room(rater, take):
    sets = [one for _ in range(5) for one in take(rater.caller, 4)]
    assert return_sets(caller=rater.caller, tokens=[one.lease for one in sets], now=now()) == 20
    assert len(take(rater.caller, 4)) == 4


def test_a_paused_dataset_hands_out_nothing(rater, dataset, take):
    Dataset.objects.update(state="paused")
    with pytest.raises(NoImageLeft):
        take(rater.caller)


def test_the_order_is_shuffled_and_stored(rater, outsider, dataset, take):
    Image.objects.exclude(pk__in=list(Image.objects.values_list("pk", flat=True)[:2])).update(is_open=False)
    orders = set()
    for seed in range(12):
        [one] = take(make_stranger(f"{seed:x}"), dice=Random(seed))
        orders.add(tuple(image.image_id for image in one.images))
    assert len(orders) == 2
    answer(rater.caller, take(rater.caller)[0])
    assert tuple(Comparison.objects.get().image_ids) in orders


def test_statements_are_few_whatever_is_there(rater, take, tmp_path):
    sets = take(rater.caller, 4)
    for one in sets[:3]:
        answer(rater.caller, one)
    assert 1 <= statements_of(lambda: take(rater.caller), tmp_path) <= 1 + 3 * 3 + 2
    assert 1 <= statements_of(lambda: answer(rater.caller, sets[3]), tmp_path) <= 4


def statements_of(work, tmp_path):
    """Count on the wire, without BEGIN, COMMIT and savepoints."""
    trace = tmp_path / "wire.txt"
    with trace.open("w") as file:
        connection.connection.pgconn.trace(file.fileno())
        work()
        connection.connection.pgconn.untrace()
    lines = [line for line in trace.read_text().splitlines() if "\tF\t" in line]
    own = [line for line in lines if "Execute" in line or "Query" in line]
    return len([line for line in own if "SAVEPOINT" not in line and "BEGIN" not in line and "COMMIT" not in line])
