"""No two images of one group within ten places, as long as there is anything else."""

from random import Random

import pytest

from accounts import valkey
from ratings.leases.book import PLACES_APART
from ratings.models import Dataset, Image
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft, lease_images, refresh_tail_pool
from ratings.services.rating import RatingSubmission, submit_rating
from tests.factories import DatasetFactory, make_images
from tests.people import make_stranger, now
from tests.ratings.test_selection import PRICES, statements_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def grouped(db):
    """Make the default dataset with so many groups of so many images; return it."""

    def make(groups, size):
        dataset = DatasetFactory(slug="demo", target_rating_count=50)
        for group in range(groups):
            make_images(dataset, size, group_key=group)
        return dataset

    return make


def walk(caller, steps, *, count=1, dice=None):
    """Take and rate so many images; return their groups in order."""
    found = get_dataset_for_rating("demo")
    seen = []
    while len(seen) < steps:
        for leased in lease_images(caller=caller, dataset=found, count=count, now=now(), dice=dice):
            submission = RatingSubmission(image_id=leased.image_id, aesthetic=5, lease=leased.lease)
            submit_rating(caller=caller, submission=submission, prices=PRICES, now=now())
            seen.append(Image.objects.get(pk=leased.image_id).group_key)
    return seen


def too_near(groups):
    return [
        (place, group) for place, group in enumerate(groups) if group in groups[max(place - PLACES_APART, 0) : place]
    ]


@pytest.mark.parametrize("count", [1, 4])
def test_it_works(rater, grouped, count):
    """Twenty prompts of fifteen images: chance alone would put two of one within ten places nearly always."""
    grouped(20, 15)
    assert too_near(walk(rater.caller, 60, count=count, dice=Random(1))) == []


def test_it_holds_in_the_last_images_of_a_dataset_too(rater, grouped):
    dataset = grouped(20, 15)
    refresh_tail_pool(dataset_id=dataset.pk)
    assert too_near(walk(rater.caller, 60, dice=Random(2))) == []


def test_it_holds_for_people_behind_the_shared_key(grouped):
    grouped(20, 15)
    assert too_near(walk(make_stranger(), 30, dice=Random(3))) == []


def test_images_that_belong_to_nothing_are_places_too_and_are_never_kept_apart(rater, dataset):
    assert walk(rater.caller, 20, dice=Random(4)) == [None] * 20


def test_with_nothing_else_left_the_image_is_given(rater, grouped):
    grouped(1, 12)
    assert walk(rater.caller, 12) == [0] * 12
    with pytest.raises(NoImageLeft):
        walk(rater.caller, 1)


@pytest.mark.parametrize("count", [1, 4])
def test_with_few_groups_the_one_that_was_away_longest_comes(rater, grouped, count):
    """Three prompts: they go round, and cost two windows and no search."""
    grouped(3, 8)
    seen = walk(rater.caller, 12, count=count, dice=Random(5))
    if count == 1:
        assert seen[3:] == seen[:3] * 3
    assert sorted(set(seen)) == [0, 1, 2]


def test_the_price_is_two_windows_at_most(rater, grouped):
    grouped(1, 300)
    found = get_dataset_for_rating("demo")
    take = lambda: lease_images(caller=rater.caller, dataset=found, count=1, now=now(), dice=Random(6))  # noqa: E731
    # One of them asks which controls are due.
    assert statements_of(take) == 2
    assert statements_of(take) == 3


def test_each_has_a_memory_of_their_own_and_two_at_once_share_it(rater, outsider, grouped):
    grouped(2, 4)
    found = get_dataset_for_rating("demo")
    mine = lease_images(caller=rater.caller, dataset=found, count=1, now=now(), dice=Random(7))[0]
    theirs = lease_images(caller=outsider.caller, dataset=found, count=1, now=now(), dice=Random(7))[0]
    assert mine.image_id == theirs.image_id
    key = f"kudoscope:groups:{rater.caller.holder}"
    assert valkey.get_client().llen(key) == 1
    assert 0 < valkey.get_client().ttl(key) <= 24 * 3600


def test_the_memory_holds_ten(rater, grouped):
    grouped(15, 2)
    walk(rater.caller, 15)
    assert valkey.get_client().llen(f"kudoscope:groups:{rater.caller.holder}") == PLACES_APART
    assert Dataset.objects.get().image_count == 30
