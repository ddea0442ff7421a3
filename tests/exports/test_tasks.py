"""The daily task: a release for every dataset that has changed, and one failure stops no other."""

import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from exports.models import Release
from exports.queries import due_dataset_ids
from exports.services import ReleaseFailed
from exports.tasks import build_release_task, build_releases_task
from ratings.models import Dataset, Image, Rating, Revision
from tests.exports.child import child_environment
from tests.exports.made import build, make_rater, make_rating
from tests.factories import DatasetFactory, make_images
from tests.people import now, tomorrow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]


def age_releases(hours=1):
    """Let the ratings so far be old, as they are a day later."""
    Rating.objects.update(created_at=now() - timedelta(hours=hours))


def due_tomorrow():
    return due_dataset_ids(now=tomorrow())


def test_it_works(harbours):
    build_releases_task()
    assert Release.objects.get().state == "published"


def test_a_dataset_without_ratings_waits(db):
    make_images(DatasetFactory(slug="fresh"), 2)
    assert due_tomorrow() == []


def test_nothing_new_makes_no_release(harbours):
    age_releases()
    build(harbours)
    assert due_tomorrow() == []


def test_a_new_rating_makes_one(harbours):
    age_releases()
    build(harbours)
    make_rating(Image.objects.filter(dataset=harbours).first(), make_rater())
    assert due_tomorrow() == [harbours.pk]


def test_a_rating_committed_while_the_last_snapshot_was_taken_makes_one(harbours):
    age_releases()
    release = build(harbours)
    make_rating(
        Image.objects.filter(dataset=harbours).first(),
        make_rater(),
        created_at=release.snapshot_at - timedelta(seconds=3),
    )
    assert due_tomorrow() == [harbours.pk]


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
    assert due_tomorrow() == [harbours.pk]


def test_a_revision_makes_one(harbours):
    age_releases()
    build(harbours)
    assert due_tomorrow() == []
    Revision.objects.create(rating=Rating.objects.first(), number=1, aesthetic=3)
    assert due_tomorrow() == [harbours.pk]


@pytest.mark.parametrize(
    ("every", "before", "day", "is_due"),
    [
        ("day", "2026-03-31", "2026-03-31", False),
        ("day", "2026-03-31", "2026-04-01", True),
        ("week", "2026-03-30", "2026-04-05", False),
        ("week", "2026-03-29", "2026-03-30", True),
        ("month", "2026-03-01", "2026-03-31", False),
        ("month", "2026-03-31", "2026-04-01", True),
    ],
)
def test_a_period_has_one_release(harbours, settings, every, before, day, is_due):
    settings.RELEASE_EVERY = every
    at = f"{before}T03:30:00Z"
    Release.objects.create(
        dataset=harbours, version=before, schema_version="2.0", state="published", snapshot_at=at, published_at=at
    )
    moment = datetime.fromisoformat(f"{day}T03:30:00Z")
    Rating.objects.update(created_at=moment - timedelta(minutes=5))
    assert due_dataset_ids(now=moment) == ([harbours.pk] if is_due else [])


def test_a_rating_that_is_held_back_makes_none(harbours, settings):
    settings.RELEASE_HOLD_BACK = timedelta(hours=72)
    age_releases(hours=71)
    assert due_dataset_ids(now=now()) == []
    age_releases(hours=73)
    assert due_dataset_ids(now=now()) == [harbours.pk]


def test_what_was_held_back_makes_the_next(harbours, settings):
    settings.RELEASE_HOLD_BACK = timedelta(hours=72)
    age_releases(hours=100)
    Rating.objects.filter(aesthetic=9).update(created_at=now() - timedelta(hours=71))
    assert build(harbours).rating_count == 2
    assert due_dataset_ids(now=now() + timedelta(days=1)) == [harbours.pk]
    assert due_dataset_ids(now=now() + timedelta(minutes=30)) == []


def test_a_failed_release_does_not_count(harbours):
    age_releases()
    Release.objects.create(dataset=harbours, version="2000-01-01", schema_version="1.0", state="failed", failure="x")
    assert due_tomorrow() == [harbours.pk]


def test_a_closed_dataset_is_left_alone(harbours):
    Dataset.objects.update(state="closed")
    assert due_tomorrow() == []


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
