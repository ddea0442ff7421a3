"""How far a dataset is: counted by a task, looked up by the page, and left out where nothing was counted."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ratings.models import Image
from ratings.queries.progress import Progress, dataset_progress
from ratings.tasks import count_for_pages_task
from tests.factories import DatasetFactory
from tests.outages import NO_VALKEY

pytestmark = pytest.mark.django_db


def test_it_works(dataset):
    """The page and the session's answer say it, without counting."""
    Image.objects.filter(pk__in=list(dataset.images.values_list("pk", flat=True)[:3])).update(is_open=False)
    count_for_pages_task()
    client = Client()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = client.get("/rate/").content.decode()

    assert "3 of 20 images complete" in page
    assert not [query for query in queries if "count(image.id)" in query["sql"]]
    said = client.get("/rate/session/", {"dataset": "demo"}).json()["progress"]
    assert said == {"complete_count": 3, "image_count": 20}


@pytest.mark.parametrize("name", ["", "nothing-like-it", "x" * 3000, "nul\0", "ä b"])
def test_nothing_is_known_of_what_is_not_there(dataset, name):
    count_for_pages_task()
    assert Client().get("/rate/session/", {"dataset": name}).json()["progress"] is None


def test_before_anything_was_counted_the_page_says_nothing(dataset):
    assert dataset_progress("demo") is None
    assert 'id="pool"' not in Client().get("/rate/").content.decode()


def test_a_dataset_without_images_has_no_bar(dataset):
    DatasetFactory(slug="empty")
    count_for_pages_task()
    assert dataset_progress("empty") is None
    assert dataset_progress("demo") == Progress(0, 20)


def test_without_valkey_there_is_no_bar_and_the_page_is_there(dataset, settings):
    count_for_pages_task()
    settings.REDIS_URL = NO_VALKEY
    assert Client().get("/rate/").status_code == 200
