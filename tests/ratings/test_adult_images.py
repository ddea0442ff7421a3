"""Images that are not for everybody: who asked for them, is of age and signed in gets them, blurred until revealed."""

from io import BytesIO

import pytest
from django.test import Client
from PIL import Image as Pillow

from ratings.importers.sources import SourceImage
from ratings.models import Dataset, Image, ImageStatus
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import NoImageLeft, lease_images
from ratings.services.importing import import_image
from tests.factories import make_images
from tests.people import now
from tests.ratings.pictures import picture_bytes

pytestmark = pytest.mark.django_db
NOT_SAFE = ["suggestive", "adult", "unknown"]


@pytest.fixture
def ask():
    """Let a person ask for classes of images; return their browser."""

    def go(person, *classes):
        web = person.web()
        sent = {"adult_classes": classes, "birth_year": "1980"}
        assert web.post("/rate/settings/", sent, headers={"accept": "application/json"}).status_code == 200
        return web

    return go


@pytest.fixture
def image(dataset, media_root):
    """An adult image with its files."""
    source = SourceImage(name="a.png", source_id="a.png", content=picture_bytes(1200, 900, seed=3), adult_class="adult")
    return import_image(dataset=dataset, source=source)


def classes_of(leased):
    return set(Image.objects.filter(pk__in=[one.image_id for one in leased]).values_list("adult_class", flat=True))


def take(person, count, *classes, **options):
    found = get_dataset_for_rating("demo")
    return lease_images(caller=person.caller, dataset=found, count=count, now=now(), adult_classes=classes, **options)


def files_of(image):
    return [f"/images/{image.pk}.webp", *(f"/images/{image.pk}-{size}.webp" for size in (1024, 512, 32))]


def test_it_works(rater, ask, image):
    web = ask(rater, "adult")

    responses = [web.get(path) for path in files_of(image)]

    assert {response.status_code for response in responses} == {200}
    assert {response["Cache-Control"] for response in responses} == {"private, max-age=3600, no-transform"}
    assert {response["Cross-Origin-Resource-Policy"] for response in responses} == {"same-origin"}
    assert all("Cookie" in response["Vary"] for response in responses)
    blurred = Pillow.open(BytesIO(responses[-1].content))
    assert blurred.size == (32, 24)
    again = web.get(files_of(image)[-1], headers={"if-none-match": responses[-1]["ETag"]})
    assert again.status_code == 304


def test_the_blurred_one_shows_nothing_but_colours(rater, ask, image):
    """Squares of strong contrast come out as a wash: neighbours hardly differ."""
    response = ask(rater, "adult").get(files_of(image)[-1])
    grey = Pillow.open(BytesIO(response.content)).convert("L")
    steps = [abs(grey.getpixel((x, y)) - grey.getpixel((x + 1, y))) for x in range(31) for y in range(24)]
    assert max(steps) <= 24


@pytest.mark.parametrize("who", ["nobody", "outsider", "of another class", "took it back"])
def test_nobody_else_gets_the_files(rater, outsider, ask, image, who):
    web = Client() if who == "nobody" else outsider.web()
    assert ask(rater, "adult").get(files_of(image)[0]).status_code == 200
    if who == "of another class":
        ask(outsider, "suggestive")
    if who == "took it back":
        ask(outsider, "adult")
        web.post("/rate/settings/", {"birth_year": ""})

    responses = [web.get(path) for path in files_of(image)]

    assert {response.status_code for response in responses} == {404}
    assert {response["Cache-Control"] for response in responses} == {"no-store"}


@pytest.mark.parametrize("fields", [{"adult_class": "unknown"}, {"status": ImageStatus.HIDDEN, "is_open": False}])
def test_what_is_not_classified_or_hidden_is_for_nobody(rater, ask, image, fields):
    web = ask(rater, "adult", "suggestive")
    assert web.get(files_of(image)[0]).status_code == 200
    Image.objects.filter(pk=image.pk).update(**fields)
    assert {web.get(path).status_code for path in files_of(image)} == {404}


def test_sizes_that_are_not_kept_are_not_there(rater, ask, image):
    web = ask(rater, "adult")
    assert {web.get(f"/images/{image.pk}-{size}.webp").status_code for size in (1, 33, 2048)} == {404}


def test_they_are_served_only_to_who_asked(rater, outsider):
    dataset = make_dataset({"adult": 6, "suggestive": 6, "unknown": 6, "safe": 2})
    assert classes_of(take(outsider, 10)) == {"safe"}
    assert classes_of([image for _ in range(8) for image in take(rater, 1, "adult")]) == {"adult", "safe"}
    assert dataset.image_count == 20


def test_one_class_that_is_used_up_leaves_the_others(rater):
    make_dataset({"adult": 2, "safe": 3})
    taken = [image for _ in range(5) for image in take(rater, 1, "adult")]
    assert len({image.image_id for image in taken}) == 5
    assert {image.adult_class for image in taken} == {"adult", "safe"}
    with pytest.raises(NoImageLeft):
        take(rater, 1)


def test_a_finished_dataset_of_safe_images_still_has_the_others(rater):
    """The pool of the last images, and its marker, are of safe ones."""
    from ratings.selection import refresh_tail_pool

    dataset = make_dataset({"adult": 2})
    refresh_tail_pool(dataset_id=dataset.pk)
    with pytest.raises(NoImageLeft):
        take(rater, 1)
    assert classes_of(take(rater, 2, "adult")) == {"adult"}


def test_the_api_never_serves_them(rater, ask):
    make_dataset({"adult": 5})
    ask(rater, "adult", "suggestive")
    for path in ("/api/v1/rating/new", "/api/v1/rating/new/demo"):
        assert rater.api().get(path).status_code == 404


def make_dataset(counts):
    from tests.factories import DatasetFactory

    dataset = DatasetFactory(slug="demo")
    for name, count in counts.items():
        make_images(dataset, count, adult_class=name)
    return Dataset.objects.get(pk=dataset.pk)
