"""ratings.services.demo and `manage.py load_demo`: something to rate on the first start."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ratings.importers.demo import DEMO_PICTURE_COUNT, iter_demo_pictures
from ratings.models import Dataset, Rendition
from ratings.services.demo import load_demo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media_root"), pytest.mark.slow]


def run_command(*arguments):
    out = StringIO()
    call_command("load_demo", *arguments, stdout=out)
    return out.getvalue()


def test_it_works():
    assert run_command("--count", "4") == "Demo dataset: 4 pictures drawn, 0 were there.\n"

    dataset = Dataset.objects.get()
    assert (dataset.slug, dataset.name) == ("demo", "Demo: generated pictures")
    assert (dataset.licence, dataset.target_rating_count) == ("CC0-1.0", 5)
    assert (dataset.image_count, Rendition.objects.count()) == (4, 8)
    [first] = iter_demo_pictures(only=[0])
    image = dataset.images.get(source_id=first.slug)
    assert (image.prompt, image.model_name) == (first.title, first.family)
    assert image.generation == {**first.parameters, "demo_picture": 0}
    assert image.planted_artifacts == first.planted_artifacts
    assert (image.is_open, image.adult_class) == (True, "safe")
    assert dataset.images.values("model_name").distinct().count() == 4


def test_load_demo_completes_what_was_begun_and_draws_nothing_twice():
    load_demo(count=1)
    dataset = Dataset.objects.get()
    dataset.images.update(is_open=False)

    assert (load_demo(count=2).imported, load_demo(count=2).known) == (1, 2)

    dataset.refresh_from_db()
    assert dataset.image_count == dataset.images.count() == 2
    assert dataset.images.filter(is_open=False).count() == 1


def test_load_demo_of_what_is_complete_asks_two_questions(django_assert_num_queries):
    load_demo(count=1)

    with django_assert_num_queries(2):
        report = load_demo(count=1)

    assert (report.imported, report.known) == (0, 1)


@pytest.mark.parametrize("count", ["0", "-1", str(DEMO_PICTURE_COUNT + 1)])
def test_load_demo_has_only_so_many_pictures(count):
    with pytest.raises(CommandError, match=f"--count is between 1 and {DEMO_PICTURE_COUNT}"):
        run_command("--count", count)

    assert not Dataset.objects.exists()
