"""Pictures of images that were rated elsewhere first: they fill what waits for them, once."""

import uuid

import pytest

from ratings.importers.folder import Folder
from ratings.importers.sources import SourceImage
from ratings.models import Dataset, Image, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import lease_images
from ratings.services.arriving import fill_awaited
from ratings.services.importing import import_images
from tests.factories import DatasetFactory
from tests.people import now
from tests.ratings.pictures import picture_bytes
from tests.ratings.relayed import make_set, make_user, new_ids, relay_set
from tests.ratings.services.test_importing import counts
from tests.ratings.stored import assert_whole, files_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def relayed(media_root):
    """Two images of a set that somebody rated 4 and 8; a second rating completes an image."""
    DatasetFactory(slug="stable-horde", target_rating_count=2)
    ids = new_ids(2)
    relay_set(make_set(ids=ids, ratings=[{"id": ids[0], "rating": 4}, {"id": ids[1], "rating": 8}]))
    return ids


def dataset_of_relays():
    return Dataset.objects.get(slug="stable-horde")


def picture(source_id, *, seed=0, is_stated=False, **fields):
    image_id = uuid.UUID(source_id) if is_stated else None
    data = picture_bytes(seed=seed)
    return SourceImage(
        name=source_id, source_id=source_id, content=data, has_stated_id=is_stated, image_id=image_id, **fields
    )


def bring(*sources, **options):
    return counts(import_images(dataset=dataset_of_relays(), sources=sources, **options))


def test_a_folder_brings_pictures_by_the_ids_of_its_index_and_by_file_name(
    relayed, rater, tmp_path, media_root, adds_up
):
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "first.png").write_bytes(picture_bytes(seed=1))
    (root / f"{relayed[1]}.webp").write_bytes(picture_bytes(seed=2, kind="WEBP", lossless=True))
    index = tmp_path / "index.jsonl"
    index.write_text(f'{{"file": "first.png", "id": "{relayed[0]}", "prompt": "two boats", "steps": 30}}\n')

    def bring_folder():
        sources = Folder(root, index=index).find_images()
        return counts(import_images(dataset=dataset_of_relays(), sources=sources))

    assert bring_folder() == {"imported": 2, "known": 0, "refused": 0}

    first, second = (Image.objects.get(pk=image_id) for image_id in relayed)
    for image in (first, second):
        assert (image.status, image.is_open, image.adult_class) == ("active", True, "safe")
        assert (image.source_id, image.width, image.height) == (str(image.pk), 40, 30)
        assert len(image.sha256) == 64
    assert (first.prompt, first.generation, first.mime, second.mime) == (
        "two boats",
        {"steps": 30},
        "image/png",
        "image/webp",
    )
    assert [(i.rating_count, i.aesthetic_sum) for i in (first, second)] == [(1, 4), (1, 8)]
    assert set(Rating.objects.values_list("proof", "state")) == {("relay", "counted")}
    assert dataset_of_relays().image_count == Image.objects.count() == 2
    leased = lease_images(caller=rater.caller, dataset=get_dataset_for_rating("stable-horde"), count=2, now=now())
    assert {str(image.image_id) for image in leased} == set(relayed)
    rows, files = list(Image.objects.order_by("id").values()), files_in(media_root)
    assert bring_folder() == {"imported": 0, "known": 2, "refused": 0}
    assert (list(Image.objects.order_by("id").values()), files_in(media_root)) == (rows, files)
    assert_whole(dataset_of_relays())
    adds_up()


def test_an_image_that_has_its_ratings_is_not_handed_out(relayed, adds_up):
    relay_set(make_set(ids=relayed, ratings=[{"id": relayed[0], "rating": 5}], user=make_user(number=7)))
    bring(picture(relayed[0], is_stated=True), picture(f"folder/{relayed[1]}.png", seed=1))
    assert [Image.objects.get(pk=image_id).is_open for image_id in relayed] == [False, True]
    adds_up()


def test_an_image_takes_one_picture_and_never_another(relayed, adds_up):
    stated = [picture(relayed[0], seed=seed, is_stated=True) for seed in (1, 2)]
    assert bring(*stated) == {"imported": 1, "known": 0, "refused": 1}
    assert bring(picture(relayed[0], seed=3, is_stated=True)) == {"imported": 0, "known": 0, "refused": 1}
    named = [picture(f"{folder}/{relayed[1]}.png", seed=seed) for folder, seed in (("a", 4), ("b", 5))]
    assert bring(*named) == {"imported": 2, "known": 0, "refused": 0}
    assert Image.objects.get(source_id=f"b/{relayed[1]}.png").pk != uuid.UUID(relayed[1])
    assert dataset_of_relays().image_count == 3
    adds_up()


def test_an_image_whose_id_was_taken_is_found_by_its_source_id(relayed, adds_up):
    """History in a dataset of its own: the id is another dataset's, the source id says what it is called."""
    other = DatasetFactory(slug="history", image_count=1)
    waiting = Image.objects.create(
        id=uuid.uuid5(other.id, relayed[0]), dataset=other, status="pending", is_open=False, adult_class="unknown",
        sampling_key=1, width=0, height=0, source_id=relayed[0],
    )  # fmt: skip
    import_images(dataset=other, sources=[picture(f"{relayed[0]}.png")])
    assert other.images.get().pk == waiting.pk
    assert other.images.get().status == "active"
    assert Image.objects.get(pk=relayed[0]).status == "pending"
    adds_up()


def test_a_dry_run_leaves_it_waiting(relayed, media_root):
    assert bring(picture(f"{relayed[0]}.png"), is_dry_run=True) == {"imported": 1, "known": 0, "refused": 0}
    assert set(Image.objects.values_list("status", "sha256")) == {("pending", "")}
    assert not files_in(media_root)


def test_bytes_that_another_import_brought_meanwhile_fill_nothing(relayed):
    bring(picture("elsewhere.png"))
    image = Image.objects.get(pk=relayed[0])
    image.sha256 = Image.objects.get(source_id="elsewhere.png").sha256
    assert fill_awaited(dataset=dataset_of_relays(), images=[image]) == set()
    assert Image.objects.get(pk=relayed[0]).status == "pending"
