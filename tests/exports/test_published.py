"""What is published of pictures that have not arrived: their history, and nothing that a relay said of them."""

import pytest

from config.invariants import find_violations
from exports.queries import due_dataset_ids
from ratings.models import Dataset, Image
from ratings.queries.datasets import dataset_detail, dataset_overview
from ratings.services.importing import import_images
from tests.exports.made import build, make_rater, make_rating, rows_of
from tests.exports.test_history import take_over
from tests.people import tomorrow
from tests.ratings.old_exports import make_rows, write_export
from tests.ratings.relayed import make_set, new_ids, relay_set
from tests.ratings.services.test_arriving import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relayed():
    """Two images of a set, of which one was rated, none is here."""
    ids = new_ids(2)
    relay_set(make_set(ids=ids, ratings=[{"id": ids[0], "rating": 4}]))
    return ids


def assert_pages_say(release, *, images, ratings):
    """Assert that a release, the list of datasets and the page of this one agree."""
    (overview,) = [found for found in dataset_overview() if found.slug == release.dataset.slug]
    detail = dataset_detail(release.dataset.slug)
    assert detail.overview == overview
    assert (release.image_count, release.rating_count) == (images, ratings)
    assert (overview.image_count, overview.rating_count, sum(detail.histogram)) == (images, ratings, ratings)
    assert len(rows_of(release, "images")) == images
    assert len(rows_of(release, "ratings")) == len(rows_of(release, "legacy_export")) == ratings


def test_relayed_ratings_of_a_picture_that_nobody_has_seen_are_in_no_release(relayed):
    dataset = Dataset.objects.get(slug="stable-horde")
    assert due_dataset_ids(now=tomorrow()) == []
    assert_pages_say(build(dataset), images=0, ratings=0)
    assert due_dataset_ids(now=tomorrow()) == []


def test_they_are_published_when_the_picture_arrives(relayed, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    dataset = Dataset.objects.get(slug="stable-horde")
    build(dataset)
    import_images(dataset=dataset, sources=[picture(f"{relayed[0]}.png")])
    assert due_dataset_ids(now=tomorrow()) == [dataset.pk]
    release = build(dataset)
    assert_pages_say(release, images=1, ratings=1)
    (row,) = rows_of(release, "images")
    assert (row["image_id"], row["rating_count"], row["mean_aesthetic"]) == (relayed[0], 1, 4.0)


def test_the_pages_of_a_dataset_of_history_count_what_its_releases_hold(tmp_path):
    dataset = take_over(write_export(tmp_path / "old.parquet", make_rows(40)), "history")
    assert_pages_say(build(dataset), images=dataset.images.count(), ratings=40)
    overview = dataset_detail("history").overview
    assert overview.complete_count == overview.image_count > 0
    assert list(find_violations()) == []


def test_of_a_pending_image_with_both_only_history_is_published(tmp_path):
    dataset = take_over(write_export(tmp_path / "old.parquet", make_rows(1)), "history")
    image = dataset.images.get()
    make_rating(image, make_rater(), aesthetic=1, proof="relay", lease_id=None)
    Image.objects.filter(pk=image.pk).update(rating_count=2, aesthetic_sum=image.aesthetic_sum + 1)
    release = build(dataset)
    assert_pages_say(release, images=1, ratings=1)
    (row,) = rows_of(release, "images")
    assert (row["rating_count"], row["mean_aesthetic"]) == (1, image.aesthetic_sum)


def test_an_image_whose_history_does_not_count_is_not_published(tmp_path):
    dataset = take_over(write_export(tmp_path / "old.parquet", make_rows(1)), "history")
    dataset.ratings.update(state="quarantined")
    assert_pages_say(build(dataset), images=0, ratings=0)
