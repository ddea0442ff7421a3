"""Gold is raised, used and retired; small datasets have none."""

from datetime import timedelta

import pytest

from ratings.models import GoldImage, Image, ImageScore, Rater, Rating
from ratings.services.nursery import Upkeep, maintain_nursery, nursery_size
from ratings.stats.controls import ControlPolicy
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.controlled import answer, kind_of, take

POLICY = ControlPolicy(nursery_size=6, nursery_share=0.1, nursery_least=3, raised_at=2, uses=4, decoys=2)


@pytest.fixture
def dataset(db):
    dataset = DatasetFactory(target_rating_count=3)
    make_images(dataset, 80)
    return dataset


def keep_up(dataset, *, policy=POLICY, at=None):
    return maintain_nursery(dataset_id=dataset.pk, policy=policy, now=at or now())


def states(dataset):
    rows = GoldImage.objects.filter(dataset=dataset).values_list("state", flat=True)
    return {state: list(rows).count(state) for state in set(rows)}


SIZES = [(50, 0), (999, 0), (1000, 20), (5000, 100), (15_000, 300), (10_000_000, 300)]


@pytest.mark.parametrize(("images", "size"), SIZES)
def test_nursery_size_is_none_where_it_would_be_a_large_share(images, size):
    assert nursery_size(image_count=images, policy=ControlPolicy()) == size
    assert nursery_size(image_count=images, policy=ControlPolicy(nursery_size=0)) == 0


def raise_images(dataset, people=2):
    """Let trusted raters rate all that are to become gold, as many times as it takes."""
    for _ in range(people):
        rater = Rater.objects.get(identity_id=make_person().identity_id)
        Rater.objects.filter(pk=rater.pk).update(state="trusted")
        for gold in GoldImage.objects.filter(dataset=dataset, state="raising"):
            Rating.objects.create(
                dataset=dataset,
                image=gold.image,
                rater=rater,
                aesthetic=5,
                client_agent="t",
                proof="lease",
                scale_version=1,
            )
    for place, gold in enumerate(GoldImage.objects.filter(dataset=dataset, state="raising").order_by("pk")):
        for task in ("aesthetic", "artifacts"):
            ImageScore.objects.create(
                image=gold.image, dataset=dataset, task=task, score=place // 2, low=0, high=9, standard_error=1
            )


def test_it_works(dataset):
    assert keep_up(dataset) == Upkeep(taken=6, decoys=12)
    assert keep_up(dataset) == Upkeep()
    raise_images(dataset)
    assert keep_up(dataset) == Upkeep(raised=6)
    shares = list(
        GoldImage.objects.filter(state="in_use").order_by("aesthetic", "pk").values_list("aesthetic_share", flat=True)
    )
    assert shares == pytest.approx([1 / 6, 1 / 6, 1 / 2, 1 / 2, 5 / 6, 5 / 6])
    assert not Image.objects.filter(gold__state="in_use", is_open=True).exists()
    assert Image.objects.filter(gold__state="decoy", is_open=True).count() == 12
    assert keep_up(dataset, at=now() + timedelta(days=91)) == Upkeep(taken=6, decoys=12, retired=18)
    retired = Image.objects.filter(gold__state="retired")
    assert set(retired.values_list("is_open", "wanted_count")) == {(True, None)}


def test_only_ratings_of_the_trusted_raise(dataset):
    keep_up(dataset)
    raise_images(dataset)
    Rater.objects.update(state="calibrated")
    assert keep_up(dataset) == Upkeep()


def test_who_is_trusted_is_given_what_is_to_be_raised(dataset, settings):
    settings.CONTROL_POLICY = {"raise_share": 1, "first_gold": 0}
    keep_up(dataset)
    person = make_person()
    raising = set(GoldImage.objects.filter(state="raising").values_list("image_id", flat=True))
    Rater.objects.update(state="trusted")
    leased = take(person.caller, dataset, count=4)
    assert {one.image_id for one in leased} <= raising
    assert {kind_of(person.caller, one) for one in leased} == {"rating"}
    answer(person.caller, leased[0])
    assert Image.objects.get(pk=leased[0].image_id).rating_count == 1


def test_what_somebody_has_rated_is_not_taken(dataset):
    rated = Image.objects.filter(dataset=dataset).order_by("pk")[:75]
    rater = Rater.objects.get(identity_id=make_person().identity_id)
    Rating.objects.bulk_create(
        Rating(dataset=dataset, image=image, rater=rater, aesthetic=5, client_agent="t", proof="lease", scale_version=1)
        for image in rated
    )
    keep_up(dataset)
    assert GoldImage.objects.count() == 5
    assert not GoldImage.objects.filter(image__in=rated.values_list("pk", flat=True)).exists()


def test_gold_that_is_used_up_or_hidden_goes_and_other_comes(dataset):
    keep_up(dataset)
    raise_images(dataset)
    keep_up(dataset)
    used, hidden, *_ = GoldImage.objects.filter(state="in_use").order_by("pk")
    GoldImage.objects.filter(pk=used.pk).update(use_count=4)
    Image.objects.filter(pk=hidden.pk).update(status="hidden", is_open=False)
    assert keep_up(dataset) == Upkeep(taken=2, retired=2)
    assert set(GoldImage.objects.filter(state="retired")) == {used, hidden}
    assert keep_up(dataset, policy=ControlPolicy(nursery_size=0)).retired == 18
    assert states(dataset) == {"retired": 20}
