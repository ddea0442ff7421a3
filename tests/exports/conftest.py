"""Fixtures of the tests of releases: a folder of their own, and a small dataset with ratings in it.

A release reads what is committed, on a connection of its own; so these tests need real transactions.
"""

import pytest
from celery import current_app

from tests.exports.made import build, make_rater, make_rating
from tests.factories import DatasetFactory, make_images
from tests.outages import without_privileges


@pytest.fixture(autouse=True)
def releases_root(settings, tmp_path):
    settings.RELEASES_ROOT = tmp_path / "releases"
    return settings.RELEASES_ROOT


@pytest.fixture
def at_once():
    """Run what is handed to a worker at once, and keep its failure from the caller, as a worker would."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.fixture
def open_to_nobody():
    """Act as somebody whom file permissions bind, also where tests run as root."""
    return without_privileges


@pytest.fixture
def harbours(transactional_db):
    """A dataset with three images; the first has two ratings, the second one, the third none."""
    dataset = DatasetFactory(slug="harbours", name="Harbours", licence="CC-BY-4.0")
    first, second, _ = sorted(make_images(dataset, 3), key=lambda image: image.id)
    one, two = make_rater(), make_rater()
    make_rating(first, one, aesthetic=9, artifacts=0)
    make_rating(first, two, aesthetic=4, artifacts=None)
    make_rating(second, one, aesthetic=1, artifacts=5)
    return dataset


@pytest.fixture
def release(harbours):
    return build(harbours)
