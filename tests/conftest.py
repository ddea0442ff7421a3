"""Fixtures that every test may use: people, a dataset with images, an empty Valkey."""

import pytest
from django.conf import settings
from django.utils import translation

from accounts import valkey
from accounts.providers import horde as horde_keys
from config.invariants import find_violations
from config.moderators import ensure_moderators
from ratings.queries.datasets import get_dataset_for_rating
from ratings.selection import lease_images
from ratings.set_selection import lease_sets
from tests.chromium import chromium  # noqa: F401 - a fixture of all folders
from tests.factories import DatasetFactory, make_images
from tests.horde import FakeHorde
from tests.people import make_person, now


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The group of moderators stands in every database, as after every deployment."""
    with django_db_blocker.unblock():
        ensure_moderators()


@pytest.fixture(autouse=True)
def _fresh_valkey(request):
    """Start each test that touches the database with an empty Valkey and a closed breaker."""
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        valkey._breaker.__init__()
        horde_keys._breaker.__init__(failures=3, seconds=10.0)
        valkey.get_client().flushdb()


@pytest.fixture(autouse=True)
def _in_english():
    """A request of the test client leaves its language behind in the thread, as no server does."""
    yield
    translation.deactivate()


@pytest.fixture
def dataset(db):
    """The default dataset with twenty open images."""
    made = DatasetFactory(slug=settings.DEFAULT_DATASET)
    make_images(made, 20)
    return made


@pytest.fixture
def rater(db):
    return make_person("rater")


@pytest.fixture
def outsider(db):
    return make_person("outsider")


@pytest.fixture
def lease(dataset):
    """Lease one image of the default dataset to a caller."""

    def take(caller, **options):
        found = get_dataset_for_rating(dataset.slug)
        return lease_images(caller=caller, dataset=found, count=1, now=now(), **options)[0]

    return take


@pytest.fixture
def lease_set(dataset):
    """Lease one set of images of the default dataset to a caller."""

    def take(caller, **options):
        found = get_dataset_for_rating(dataset.slug)
        return lease_sets(caller=caller, dataset=found, count=1, now=now(), **options)[0]

    return take


@pytest.fixture
def horde(settings):
    """An AI Horde without users; the service asks it."""
    with FakeHorde().serve() as fake:
        settings.HORDE_URL = fake.url
        yield fake


@pytest.fixture
def adds_up():
    """Assert that every invariant holds; call it at the end of each flow."""

    def check():
        assert list(find_violations()) == []

    return check
