"""Releases: what datasets held at one moment, published for good, and the files they are made of."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ratings.models import Dataset


class ReleaseState(models.TextChoices):
    BUILDING = "building", "building"
    PUBLISHED = "published", "published"
    FAILED = "failed", "failed"
    RETIRED = "retired", "retired: its files are gone"


class Release(models.Model):
    """All of one dataset that counts, as of one database snapshot.

    ``version`` is the day of the snapshot, with ``.1``, ``.2`` … when a day has several. A published
    release has a snapshot time and never changes, until it is retired: then its files are gone, and what they were
    stays here. A failed one keeps the reason.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=ReleaseState, default=ReleaseState.BUILDING)
    schema_version = models.CharField(max_length=10)
    rating_count = models.PositiveBigIntegerField(default=0)
    image_count = models.PositiveBigIntegerField(default=0)
    comparison_count = models.PositiveBigIntegerField(default=0, db_default=0)
    requested_at = models.DateTimeField(default=timezone.now)
    snapshot_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dataset", "version"], name="release_version_is_unique"),
            models.CheckConstraint(
                condition=~Q(state__in=["published", "retired"])
                | Q(published_at__isnull=False, snapshot_at__isnull=False),
                name="release_published_has_times",
            ),
            models.CheckConstraint(
                condition=Q(state="retired", retired_at__isnull=False) | (~Q(state="retired") & Q(retired_at=None)),
                name="release_retired_has_a_time",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(failure=""), name="release_failed_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.slug} {self.version}"


class ReleaseFile(models.Model):
    """One file of a release, with what a downloader needs to check it."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    path = models.CharField("path inside the release", max_length=200)
    media_type = models.CharField(max_length=60)
    byte_count = models.PositiveBigIntegerField()
    row_count = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "path"], name="release_file_path_is_unique"),
        ]

    def __str__(self) -> str:
        return self.path
