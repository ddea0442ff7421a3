"""comparisons in a release: what is in it, what is not, and that nobody is recognised by it."""

import uuid

import pytest

from exports.queries import due_dataset_ids
from ratings.models import Comparison, Image, ImageInSet, ImageSet, Rater, key_of_images
from tests.exports.made import build, make_rater, rows_of
from tests.people import tomorrow
from tests.ratings.relayed import make_set, relay_set

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def make_comparison(images, rater, **fields):
    """Make a comparison, and its set, as they lie in the tables; the order shown is that of ``images``."""
    ids = [image.pk for image in images]
    made, is_new = ImageSet.objects.get_or_create(
        id=key_of_images(ids), defaults={"dataset": images[0].dataset, "image_count": len(ids)}
    )
    if is_new:
        ImageInSet.objects.bulk_create(
            [ImageInSet(image_set=made, image_id=pk, position=at) for at, pk in enumerate(sorted(ids))]
        )
    plain = {"outcome": "best", "best_id": ids[0], "best_from": "given", "proof": "lease", "lease_id": uuid.uuid4()}
    plain |= {"image_ids": ids, "images_key": made.pk, "client_agent": "tests:1:someone@example.org"}
    return Comparison.objects.create(rater=rater, image_set=made, is_shared=rater.is_shared, **(plain | fields))


@pytest.fixture
def images(harbours):
    return list(Image.objects.order_by("-id"))


def test_it_works(harbours, images):
    rater = Rater.objects.order_by("id").first()
    rating = rater.ratings.first()
    one = make_comparison(images, rater)
    tie = make_comparison(images[:2], rater, outcome="tie", best_id=None, revision_count=2)
    release = build(harbours)
    first, second = rows_of(release, "comparisons")
    assert first["comparison_id"] == one.pk
    assert first["image_ids"] == [str(image.pk) for image in images]
    assert (first["outcome"], first["best_image_id"]) == ("best", str(images[0].pk))
    assert (first["best_from"], first["is_tied"], first["client_agent"]) == ("given", False, "tests")
    assert (second["comparison_id"], second["outcome"], second["best_image_id"]) == (tie.pk, "tie", None)
    assert (second["set_id"], second["revision_count"]) == (str(tie.image_set_id), 2)
    assert {(row["compared_at"].minute, row["compared_at"].second) for row in (first, second)} == {(0, 0)}
    same_rater = {row["rater"] for row in rows_of(release, "ratings") if row["rating_id"] == rating.pk}
    assert {first["rater"], second["rater"]} == same_rater
    assert release.comparison_count == 2


def test_only_what_counts_of_images_that_are_shown(harbours, images):
    rater = make_rater()
    for number, state in enumerate(("held", "quarantined", "superseded")):
        make_comparison(images[:2], make_rater(), state=state, best_id=images[number % 2].pk)
    hidden = make_comparison(images[1:], rater)
    kept = make_comparison(images[:2], rater)
    Image.objects.filter(pk=images[2].pk).update(status="hidden", is_open=False)
    assert [row["comparison_id"] for row in rows_of(build(harbours), "comparisons")] == [kept.pk]
    assert hidden.pk != kept.pk


def test_who_only_compared_is_in_the_book_and_what_a_relay_sent_is_marked(harbours, images):
    anonymous = make_rater("browser")
    make_comparison(images, anonymous)
    ids = [str(image.pk) for image in images[:2]]
    relay_set(make_set(ids=ids, ratings=[{"id": pk, "rating": 8} for pk in ids], best=ids[0]))
    ImageSet.objects.filter(comparisons__proof="relay").update(dataset=harbours)
    ours, relayed = rows_of(build(harbours), "comparisons")
    assert (ours["anonymous"], relayed["anonymous"]) == (True, False)
    assert (relayed["proof"], relayed["best_from"], relayed["is_tied"]) == ("relay", "highest", True)
    assert relayed["image_ids"] == ids


def test_a_release_is_due_when_comparisons_changed(harbours, images):
    build(harbours)
    Image.objects.update(created_at="2026-01-01T00:00Z")
    Comparison.objects.all().delete()
    made = make_comparison(images, make_rater(), created_at="2026-01-01T00:00Z")
    assert due_dataset_ids(now=tomorrow()) == [harbours.pk]
    build(harbours)
    Comparison.objects.filter(pk=made.pk).update(state="superseded")
    assert due_dataset_ids(now=tomorrow()) == [harbours.pk]
