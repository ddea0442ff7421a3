"""What the constraints of releases refuse; that a published one is final is in test_models."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from exports.models import Release, ReleaseFile
from tests.factories import DatasetFactory

pytestmark = pytest.mark.django_db
MOMENT = timezone.now()
PUBLISHED = {"state": "published", "snapshot_at": MOMENT, "published_at": MOMENT}
FAILED = {"state": "failed", "failure": "the disk was full"}


def refused(constraint):
    """Expect the refusal by this very constraint: PostgreSQL quotes its name."""
    return pytest.raises(IntegrityError, match=f'"{constraint}"')


@pytest.fixture
def dataset():
    return DatasetFactory()


def make_release(dataset, **fields):
    return Release.objects.create(**{"dataset": dataset, "version": "2000-01-01", "schema_version": "1.0"} | fields)


def make_file(release, path):
    return ReleaseFile.objects.create(
        release=release, path=path, media_type="text/plain", byte_count=1, sha256="0" * 64
    )


@pytest.mark.parametrize(
    ("constraint", "right", "wrong"),
    [
        ("release_published_has_times", PUBLISHED, {"snapshot_at": None}),
        ("release_published_has_times", PUBLISHED, {"published_at": None}),
        ("release_failed_says_why", FAILED, {"failure": ""}),
    ],
)
def test_a_state_without_what_belongs_to_it_is_refused(dataset, constraint, right, wrong):
    with refused(constraint), transaction.atomic():
        make_release(dataset, **right | wrong)
    make_release(dataset, **right)


def test_a_version_is_given_once_in_a_dataset(dataset):
    first = make_release(dataset)
    make_release(DatasetFactory(), version=first.version)
    with refused("release_version_is_unique"), transaction.atomic():
        make_release(dataset, version=first.version)
    make_release(dataset, version=f"{first.version}.1")


def test_a_path_is_given_once_in_a_release(dataset):
    release = make_release(dataset)
    make_file(release, "a.txt")
    make_file(make_release(dataset, version="2000-01-02"), "a.txt")
    with refused("release_file_path_is_unique"), transaction.atomic():
        make_file(release, "a.txt")
    make_file(release, "b.txt")
