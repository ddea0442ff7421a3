"""What is known of gold is in no release until it is retired; pages count it with everything else."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from exports.queries import due_dataset_ids
from ratings.models import ControlAnswer, GoldImage, Image
from ratings.queries.datasets import dataset_detail
from tests.exports.made import build, make_rater, make_rating, rows_of
from tests.exports.test_comparisons import make_comparison
from tests.factories import DatasetFactory, make_images
from tests.people import now, tomorrow

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("ratings", "ratings_excluded", "legacy_export", "images", "image_scores", "comparisons")


@pytest.fixture
def dataset():
    """Four images with ratings, closed: one as any other, and one in each state under embargo; a fifth is unrated."""
    dataset = DatasetFactory(target_rating_count=2)
    images = make_images(dataset, 4, rating_count=2, aesthetic_sum=14, is_open=False)
    make_images(dataset, 1)
    for image in images:
        for state in ("counted", "counted", "quarantined"):
            make_rating(image, make_rater(), aesthetic=7, state=state, created_at=now() - timedelta(hours=1))
    for image, state in zip(images[1:], ("raising", "in_use", "decoy"), strict=True):
        GoldImage.objects.create(image=image, dataset=dataset, state=state)
    return dataset


def test_it_works(dataset):
    release = build(dataset)
    assert due_dataset_ids(now=tomorrow()) == []
    (known,) = {row["image_id"] for row in rows_of(release, "ratings")}
    assert {row["image_id"] for row in rows_of(release, "ratings_excluded")} == {known}
    hidden = {str(pk) for pk in GoldImage.objects.values_list("pk", flat=True)}
    unrated = str(dataset.images.get(is_open=True).pk)
    for table in ("images", "image_scores"):
        rows = {row["image_id"]: row for row in rows_of(release, table)}
        own = ("image_id", "split", "source_id", "sha256", "prompt", "added_on", "url", "perceptual_hash")
        plain = {pk: {k: v for k, v in row.items() if k not in own} for pk, row in rows.items()}
        assert {pk for pk in plain if plain[pk] == plain[unrated]} == hidden | {unrated}
        assert len(rows) == 5


def test_it_ends_when_the_gold_is_retired(dataset):
    build(dataset)
    GoldImage.objects.update(state="retired", retired_at=now())
    assert due_dataset_ids(now=tomorrow()) == [dataset.pk]
    release = build(dataset)
    assert len(rows_of(release, "ratings")) == 8
    assert [row["is_complete"] for row in rows_of(release, "images")].count(True) == 4


def test_answers_to_controls_are_in_no_release_and_in_the_count_of_the_page(dataset):
    gold = GoldImage.objects.get(state="in_use")
    before = dataset_detail(dataset.slug)
    ControlAnswer.objects.create(
        id=10**9,
        kind="gold",
        dataset=dataset,
        image=gold.image,
        rater=make_rater(),
        aesthetic=7,
        said_aesthetic=9,
        said_artifacts=2,
        client_agent="t",
        created_at=now(),
    )
    cache.clear()
    after = dataset_detail(dataset.slug)
    assert after.overview.rating_count == before.overview.rating_count + 1 == 9
    assert (after.histogram[8], sum(after.histogram), sum(after.artifacts_histogram)) == (1, 9, 1)
    release = build(dataset)
    assert release.rating_count == 2
    for table in TABLES:
        assert str(10**9) not in str(rows_of(release, table))


def test_a_set_with_gold_keeps_its_comparisons_back(harbours):
    images = list(Image.objects.order_by("-id"))
    make_comparison(images[:3], make_rater())
    GoldImage.objects.create(image=images[0], dataset=harbours, state="raising")
    assert rows_of(build(harbours), "comparisons") == []
    GoldImage.objects.update(state="retired", retired_at=now())
    assert len(rows_of(build(harbours), "comparisons")) == 1
