"""The daily task: a release for every dataset that has changed, and one failure stops no other."""

import subprocess
import sys
from datetime import timedelta

import pytest

from exports.models import Release
from exports.queries import due_dataset_ids
from exports.services import ReleaseFailed
from exports.tasks import build_release_task, build_releases_task
from ratings.models import Dataset, Image, Rating, Revision
from tests.exports.child import child_environment
from tests.exports.made import build, make_rater, make_rating
from tests.factories import DatasetFactory, make_images
from tests.people import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]


def age_releases(hours=1):
    """Let the ratings so far be old, as they are a day later."""
    Rating.objects.update(created_at=now() - timedelta(hours=hours))


def test_it_works(harbours):
    build_releases_task()
    assert Release.objects.get().state == "published"


def test_a_dataset_without_ratings_waits(db):
    make_images(DatasetFactory(slug="fresh"), 2)
    assert due_dataset_ids() == []


def test_nothing_new_makes_no_release(harbours):
    age_releases()
    build(harbours)
    assert due_dataset_ids() == []


def test_a_new_rating_makes_one(harbours):
    age_releases()
    build(harbours)
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater())
    assert due_dataset_ids() == [harbours.pk]


def test_a_rating_committed_while_the_last_snapshot_was_taken_makes_one(harbours):
    age_releases()
    release = build(harbours)
    make_rating(
        Image.objects.filter(dataset=harbours).first(),
        make_rater(),
        created_at=release.snapshot_at - timedelta(seconds=3),
    )
    assert due_dataset_ids() == [harbours.pk]


@pytest.mark.parametrize(
    "change",
    [
        lambda: Rating.objects.filter(aesthetic=9).update(state="quarantined"),
        lambda: Image.objects.filter(ratings__aesthetic=9).update(status="hidden", is_open=False),
    ],
    ids=["a rating that counts no more", "an image that is hidden"],
)
def test_what_went_away_makes_one(harbours, change):
    age_releases()
    build(harbours)
    change()
    assert due_dataset_ids() == [harbours.pk]


def test_a_revision_makes_one(harbours):
    age_releases()
    build(harbours)
    assert due_dataset_ids() == []
    Revision.objects.create(rating=Rating.objects.first(), number=1, aesthetic=3)
    assert due_dataset_ids() == [harbours.pk]


def test_a_failed_release_does_not_count(harbours):
    age_releases()
    Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0", state="failed", failure="x")
    assert due_dataset_ids() == [harbours.pk]


def test_a_closed_dataset_is_left_alone(harbours):
    Dataset.objects.update(state="closed")
    assert due_dataset_ids() == []


def test_one_failure_stops_no_other(harbours, releases_root):
    for slug in ("anchors", "zebras"):
        make_rating(make_images(DatasetFactory(slug=slug), 1)[0], make_rater())
    releases_root.mkdir()
    (releases_root / "anchors").write_text("a file where a folder should be")
    build_releases_task()
    assert dict(Release.objects.values_list("dataset__slug", "state")) == {
        "anchors": "failed",
        "harbours": "published",
        "zebras": "published",
    }


def test_a_failure_is_the_task_s_own(harbours, releases_root):
    releases_root.mkdir()
    (releases_root / "harbours").write_text("a file where a folder should be")
    with pytest.raises(ReleaseFailed):
        build_release_task(dataset_id=str(harbours.pk))


def test_every_task_has_limits_below_the_hour_after_which_the_broker_repeats_it():
    for task in (build_releases_task, build_release_task):
        assert task.soft_time_limit < task.time_limit < 3600


LOADED_BY_THE_WEB = """
import sys
import config.wsgi
from django.urls import get_resolver
from django.contrib import admin
assert get_resolver().url_patterns and admin.site._registry
print([name for name in ("pyarrow", "adbc_driver_postgresql") if name in sys.modules])
"""


@pytest.mark.slow
def test_web_processes_do_not_load_arrow(transactional_db):
    """It would cost every one of them 50 MB and half a second, and only workers need it."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED_BY_THE_WEB], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
