"""Which images belong together: those of one prompt, of one set, or that look alike."""

from io import StringIO
from random import Random

import pytest
from django.core.management import call_command
from PIL import Image as Pillow
from PIL import ImageEnhance

from ratings.importers.sources import SourceImage
from ratings.media import hash_looks
from ratings.models import Image, ImageInSet, ImageSet
from ratings.queries.lookalikes import MOST_BITS_APART
from ratings.services.grouping import group_of_prompt, group_ungrouped
from ratings.services.importing import import_image, import_images
from tests.factories import make_images
from tests.ratings.pictures import encode, make_picture

pytestmark = pytest.mark.django_db


def source(picture, name, **fields):
    return SourceImage(name=name, source_id=name, content=encode(picture), **fields)


def group_of(dataset, name):
    return dataset.images.get(source_id=name).group_key


@pytest.mark.parametrize(
    "other",
    [
        "A Red  boat, at dawn",
        "a red boat at dawn.",
        "a red boat,at dawn\n",
        "a red \N{FULLWIDTH LATIN SMALL LETTER B}oat at dawn",
    ],
)
def test_it_works(other):
    assert group_of_prompt(other) == group_of_prompt("a red boat at dawn")
    assert group_of_prompt(other) != group_of_prompt("a red boat at dusk")


@pytest.mark.parametrize("prompt", ["", "  \n", ".,; "])
def test_no_words_are_no_prompt(prompt):
    assert group_of_prompt(prompt) is None


def test_a_group_never_changes():
    """It is stored: another number for the same prompt would tear groups apart."""
    assert group_of_prompt("two boats") == -6720307445098979898
    assert hash_looks(encode(make_picture(seed=1))) == 7378697215551240312


def test_images_of_one_prompt_are_together_whatever_they_look_like(harbours):
    for name, seed, prompt in (("a", 1, "two boats"), ("b", 2, "Two boats."), ("c", 3, "three boats")):
        import_image(dataset=harbours, source=source(make_picture(seed=seed), name, prompt=prompt))

    assert group_of(harbours, "a") == group_of(harbours, "b") != group_of(harbours, "c")
    assert set(harbours.images.values_list("perceptual_hash", flat=True)) == {None}


@pytest.mark.parametrize("batch_size", [1, 10])
def test_pictures_that_look_alike_are_together(harbours, batch_size):
    """In one batch or in several: the same picture smaller, darker, or squeezed; and another one."""
    first = make_picture(400, 300, seed=4)
    alike = {
        "smaller": first.resize((200, 150)),
        "darker": ImageEnhance.Brightness(first).enhance(0.8),
        "squeezed": first.resize((300, 300)),
    }
    sources = [source(picture, name) for name, picture in ({"first": first} | alike).items()]
    other = source(make_picture(400, 300, seed=5), "other")

    import_images(dataset=harbours, sources=[*sources, other], batch_size=batch_size)

    groups = {name: group_of(harbours, name) for name in ("first", *alike)}
    assert len(set(groups.values())) == 1, groups
    assert group_of(harbours, "other") not in groups.values()


def test_what_is_alike_differs_in_few_bits_and_what_is_not_in_many():
    noise = [Pillow.frombytes("L", (16, 16), Random(seed).randbytes(256)) for seed in range(20)]
    hashes = [hash_looks(encode(picture.resize((200, 150)))) for picture in noise]
    apart = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > MOST_BITS_APART


def test_another_dataset_has_groups_of_its_own_by_looks(harbours, dataset):
    picture = make_picture(seed=1)
    for one in (harbours, dataset):
        import_image(dataset=one, source=source(picture, "a"))

    assert group_of(harbours, "a") != group_of(dataset, "a")


def test_images_of_a_set_without_a_prompt_are_together(harbours):
    images = make_images(harbours, 3)
    chosen = ImageSet.objects.create(dataset=harbours, image_count=2)
    for position, image in enumerate(images[:2]):
        ImageInSet.objects.create(image_set=chosen, image=image, position=position)

    assert group_ungrouped(dataset_id=harbours.pk)[0] == 2

    first, second, third = (Image.objects.get(pk=image.pk).group_key for image in images)
    assert first == second
    assert first is not None
    assert third is None


def test_images_from_before_are_grouped_as_if_imported_today(harbours):
    picture = make_picture(400, 300, seed=4)
    fresh = [
        source(picture, "a"),
        source(picture.resize((200, 150)), "b"),
        source(make_picture(seed=9), "c", prompt="x"),
    ]
    import_images(dataset=harbours, sources=fresh)
    before = dict(harbours.images.values_list("source_id", "group_key"))
    Image.objects.update(group_key=None, perceptual_hash=None)
    first = harbours.images.order_by("id").first()
    out = StringIO()

    call_command("group_images", stdout=out)

    assert "3 images grouped" in out.getvalue()
    after = dict(harbours.images.values_list("source_id", "group_key"))
    assert after["c"] == before["c"]
    assert after["a"] == after["b"]
    assert group_ungrouped(dataset_id=harbours.pk) == (0, None)
    assert first is not None


def test_an_image_whose_file_is_missing_stays_without_a_group(harbours, media_root):
    image = import_image(dataset=harbours, source=source(make_picture(seed=1), "a"))
    Image.objects.update(group_key=None, perceptual_hash=None)
    for rendition in image.renditions.all():
        (media_root / rendition.file).unlink()

    assert group_ungrouped(dataset_id=harbours.pk)[0] == 0
    image.refresh_from_db()
    assert image.group_key is None


def test_blank_pictures_cost_no_more_than_others(harbours):
    """A thousand of one band: the look-up reads a bounded number of them and finds one."""
    make_images(harbours, 1000, perceptual_hash=0, group_key=7)

    import_image(dataset=harbours, source=source(make_picture(seed=1).convert("L").point(lambda _: 128), "blank"))

    assert group_of(harbours, "blank") == 7
