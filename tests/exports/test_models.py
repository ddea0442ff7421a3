"""A published release is final, whoever writes."""

from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from exports.models import Release, ReleaseFile

pytestmark = pytest.mark.django_db(transaction=True)

ATTEMPTS = {
    "rename it": lambda release: Release.objects.filter(pk=release.pk).update(version="2000-01-01"),
    "take it back": lambda release: Release.objects.filter(pk=release.pk).update(state="failed", failure="oops"),
    "save it": lambda release: release.save(),
    "delete it": lambda release: release.delete(),
    "change a file": lambda release: release.files.update(byte_count=F("byte_count") + 1),
    "delete a file": lambda release: release.files.first().delete(),
    "add a file": lambda release: ReleaseFile.objects.create(
        release=release, path="more.txt", media_type="text/plain", byte_count=1, sha256="0" * 64
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_published_release_does_not_change(release, attempt):
    before = list(release.files.values())
    with pytest.raises(IntegrityError, match=r"published|final"):
        ATTEMPTS[attempt](release)
    assert list(release.files.order_by("pk").values()) == sorted(before, key=lambda file: file["id"])
    release.refresh_from_db()
    assert release.state == "published"


def test_a_file_of_another_release_cannot_be_moved_into_it(release, harbours):
    other = Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0")
    file = ReleaseFile.objects.create(
        release=other, path="a.txt", media_type="text/plain", byte_count=1, sha256="0" * 64
    )
    with pytest.raises(IntegrityError, match="final"):
        ReleaseFile.objects.filter(pk=file.pk).update(release=release)


def test_releases_that_came_to_nothing_may_go(release, harbours):
    failed = Release.objects.create(
        dataset=harbours, version="2000-01-01", schema_version="1.0", state="failed", failure="the disk was full"
    )
    failed.delete()
    assert list(Release.objects.all()) == [release]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"state": "published"}, "release_published_has_times"),
        ({"state": "failed"}, "release_failed_says_why"),
    ],
)
def test_a_state_says_what_belongs_to_it(harbours, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0", **fields)


def test_a_version_is_given_once(release, harbours):
    with pytest.raises(IntegrityError, match="release_version_is_unique"):
        Release.objects.create(dataset=harbours, version=release.version, schema_version="1.0")


def test_a_file_waits_for_a_publication_under_way_and_is_refused(harbours):
    release = Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0")
    refused = []

    def add_a_file():
        try:
            ATTEMPTS["add a file"](release)
        except IntegrityError as error:
            refused.append(str(error))
        finally:
            connection.close()

    adding = Thread(target=add_a_file)
    with transaction.atomic():
        moment = timezone.now()
        Release.objects.filter(pk=release.pk).update(state="published", snapshot_at=moment, published_at=moment)
        adding.start()
        adding.join(timeout=0.3)
        assert adding.is_alive(), "it did not wait"
    adding.join()
    assert "final" in refused[0]
