"""How long releases are kept, and what is left of one whose files are gone."""

from datetime import datetime

import pytest
from django.db import IntegrityError
from django.utils import timezone

from exports.models import Release, ReleaseState
from exports.services import releases_to_retire, retire_release
from exports.services.publish import recover_releases
from exports.tasks import retire_releases_task
from tests.exports.made import build, folder_of, publish_on

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.fromisoformat("2026-03-01T05:30:00Z")
DAYS = ("2024-06-01", "2024-12-01", "2025-01-01", "2025-01-31", "2025-02-01", "2025-12-01", "2026-02-01")


def retired_days(dataset, now=NOW):
    return [release.version for release in releases_to_retire(dataset=dataset, now=now)]


def test_kept_are_thirteen_months_and_the_newest_of_each_year(harbours):
    for day in DAYS:
        publish_on(harbours, day)
    assert retired_days(harbours) == ["2025-01-31", "2025-01-01", "2024-06-01"]


def test_the_only_release_stays_however_old(harbours):
    publish_on(harbours, "2020-01-01")
    assert retired_days(harbours) == []


def test_months_are_a_setting(harbours, settings):
    for day in DAYS:
        publish_on(harbours, day)
    settings.RELEASE_KEEP_MONTHS = 0
    assert retired_days(harbours) == []
    settings.RELEASE_KEEP_MONTHS = 2
    assert len(retired_days(harbours)) == 4


def status_of(client, address):
    response = client.get(address)
    response.close()
    return response.status_code


def test_the_files_go_and_what_they_were_stays(harbours, client):
    old = publish_on(harbours, "2024-06-01")
    kept = publish_on(harbours, "2024-12-01")
    address = f"/files/harbours/{old.version}/README.md"
    assert status_of(client, address) == 200
    retire_release(release=old, now=NOW)
    retire_release(release=old, now=NOW)
    old.refresh_from_db()
    assert (old.state, old.retired_at, old.files.count()) == (ReleaseState.RETIRED, NOW, 2)
    assert not folder_of(old).exists()
    assert status_of(client, address) == 404
    assert old.version not in client.get("/api/v1/releases").content.decode()
    assert status_of(client, f"/files/harbours/{kept.version}/README.md") == 200


@pytest.mark.parametrize(
    "attempt",
    [
        lambda release: Release.objects.filter(pk=release.pk).update(state="published", retired_at=None),
        lambda release: Release.objects.filter(pk=release.pk).update(rating_count=7),
        lambda release: release.delete(),
        lambda release: release.files.all().delete(),
    ],
    ids=["published again", "changed", "deleted", "files deleted"],
)
def test_a_retired_release_is_as_final_as_a_published_one(harbours, attempt):
    old = publish_on(harbours, "2024-06-01")
    retire_release(release=old, now=NOW)
    with pytest.raises(IntegrityError, match=r"published|final"):
        attempt(old)


def test_nothing_else_changes_with_retiring(harbours):
    old = publish_on(harbours, "2024-06-01")
    with pytest.raises(IntegrityError, match="published"):
        Release.objects.filter(pk=old.pk).update(state="retired", retired_at=NOW, rating_count=7)


@pytest.mark.parametrize("fields", [{"state": "retired"}, {"state": "failed", "failure": "x", "retired_at": NOW}])
def test_retired_and_its_time_go_together(harbours, fields):
    times = {"snapshot_at": NOW, "published_at": NOW}
    with pytest.raises(IntegrityError, match="release_retired_has_a_time"):
        Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0", **times | fields)


def test_a_folder_left_by_a_crash_goes_with_the_next_build(harbours):
    old = publish_on(harbours, "2024-06-01")
    Release.objects.filter(pk=old.pk).update(state="retired", retired_at=NOW)
    recover_releases(dataset=harbours)
    assert not folder_of(old).exists()
    old.refresh_from_db()
    assert old.state == ReleaseState.RETIRED


def test_the_nightly_task_retires_and_leaves_the_rest(harbours):
    old = publish_on(harbours, "2020-01-01")
    newest_of_its_year = publish_on(harbours, "2020-03-01")
    release = build(harbours)
    retire_releases_task()
    assert dict(Release.objects.values_list("version", "state")) == {
        old.version: "retired",
        newest_of_its_year.version: "published",
        release.version: "published",
    }
    assert old.snapshot_at < timezone.now()
