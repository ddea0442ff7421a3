from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ratings.models.dataset import Dataset


class ImageStatus(models.TextChoices):
    PENDING = "pending", "pending: pixels have not arrived"
    ACTIVE = "active", "active"
    HIDDEN = "hidden", "hidden by a moderator"
    WITHDRAWN = "withdrawn", "withdrawn for good"


class AdultClass(models.TextChoices):
    SAFE = "safe", "safe"
    SUGGESTIVE = "suggestive", "suggestive"
    ADULT = "adult", "adult"
    UNKNOWN = "unknown", "not classified"


class ClosedBecause(models.TextChoices):
    NARROW = "narrow", "its score is known well enough"
    CAP = "cap", "contested to the last: it has as many ratings as one may have"


class Image(models.Model):
    """One picture to rate.

    The id is globally unique, because old clients send nothing else: the source's UUID, or
    uuid5(dataset, source id). ``rating_count`` and the sums count the ratings in state ``counted``.
    ``wanted_count`` is how many of them the image is to have where the engine decided otherwise than the dataset;
    ``closed_because`` and ``closed_at`` say why and when it decided that there are enough.
    ``is_open`` says whether the image may still be handed out; it is stored, and changes once or twice in
    the life of an image, so that the counters beside it stay out of every index and updates stay in their
    page (HOT). ``sampling_key`` is random and fixed: reading in its order from a random point is a random
    sample at the cost of one index range. ``group_key`` is shared by images of one prompt, set or looks
    (``services/grouping.py``); nobody is shown two of a group within ten places.
    """

    id = models.UUIDField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="images", db_index=False)
    status = models.CharField(max_length=10, choices=ImageStatus, default=ImageStatus.ACTIVE)
    adult_class = models.CharField(max_length=10, choices=AdultClass, default=AdultClass.SAFE)
    is_open = models.BooleanField(default=True)
    sampling_key = models.IntegerField()

    wanted_count = models.PositiveSmallIntegerField("ratings wanted, where not the dataset's", null=True, blank=True)
    closed_because = models.CharField(max_length=12, choices=ClosedBecause, blank=True, db_default="")
    closed_at = models.DateTimeField(null=True, blank=True)

    rating_count = models.PositiveIntegerField(default=0)
    aesthetic_sum = models.PositiveIntegerField(default=0)
    artifacts_count = models.PositiveIntegerField(default=0)
    artifacts_sum = models.PositiveIntegerField(default=0)

    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    mime = models.CharField(max_length=40)
    source_id = models.CharField(max_length=300)
    source_url = models.URLField(max_length=1000, blank=True)
    licence = models.CharField("licence (SPDX), where it differs from the dataset's", max_length=60, blank=True)
    prompt = models.TextField(blank=True)
    model_name = models.CharField(max_length=200, blank=True)
    generation = models.JSONField("generation parameters", default=dict, blank=True)
    planted_artifacts = models.PositiveSmallIntegerField(
        "planted artifact level, never shown", null=True, blank=True, editable=False
    )
    group_key = models.BigIntegerField("images with the same are kept apart", null=True, blank=True, editable=False)
    perceptual_hash = models.BigIntegerField(
        "looks, where nothing else says what it belongs with", null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dataset", "source_id"], name="image_source_is_known_once"),
            models.UniqueConstraint(
                fields=["dataset", "sha256"], condition=~Q(sha256=""), name="image_bytes_are_known_once"
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(status=ImageStatus.ACTIVE), name="image_open_implies_active"
            ),
            models.CheckConstraint(
                condition=Q(aesthetic_sum__gte=F("rating_count"), aesthetic_sum__lte=F("rating_count") * 10),
                name="image_aesthetic_sum_within_scale",
            ),
            models.CheckConstraint(
                condition=Q(artifacts_sum__lte=F("artifacts_count") * 5), name="image_artifacts_sum_within_scale"
            ),
            models.CheckConstraint(
                condition=Q(planted_artifacts__isnull=True) | Q(planted_artifacts__lte=5),
                name="image_planted_artifacts_within_scale",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["dataset", "adult_class", "sampling_key"], condition=Q(is_open=True), name="image_open_pick"
            ),
            models.Index(
                fields=["dataset", "adult_class", "model_name", "sampling_key"],
                condition=Q(is_open=True) & ~Q(model_name=""),
                name="image_open_of_model",
            ),
            # Images of one prompt or request, to be compared with each other; not those that only look alike.
            models.Index(
                fields=["dataset", "adult_class", "group_key", "sampling_key"],
                condition=Q(is_open=True, group_key__isnull=False, perceptual_hash__isnull=True),
                name="image_open_of_group",
            ),
            models.Index(fields=["status"], condition=~Q(status="active"), name="image_not_active"),
            *(
                models.Index(
                    F("dataset"),
                    F("perceptual_hash").bitrightshift(16 * band).bitand(0xFFFF),
                    condition=Q(perceptual_hash__isnull=False),
                    name=f"image_looks_{band}",
                )
                for band in range(4)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Rendition(models.Model):
    """A re-encoded copy of an image as it is shown, with the hash by which a client proves what it showed."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="renditions", db_index=False)
    size = models.PositiveSmallIntegerField("longest side asked for, px")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    byte_count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.CharField("name in storage", max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image", "size"], name="rendition_one_of_each_size"),
        ]

    def __str__(self) -> str:
        return self.file
