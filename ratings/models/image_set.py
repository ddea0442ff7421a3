import hashlib
import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.rater import Rater


class ImageSet(models.Model):
    """Images that are compared with each other, in their order.

    A set that a relay sent has the id of the request that generated it, so one that comes twice is found out by the
    primary key. A set that was drawn here has the id that `key_of_images` gives its images. Written once, with all its
    images, and never changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="image_sets", db_index=False)
    images: "models.ManyToManyField[Image, ImageInSet]" = models.ManyToManyField(
        Image, through="ImageInSet", related_name="image_sets"
    )
    image_count = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(image_count__gte=1), name="image_set_has_an_image"),
        ]
        # Ids are random, so reading in their order from a random point is a random sample.
        indexes: ClassVar = [models.Index(fields=["dataset", "id"], name="image_set_pick")]

    def __str__(self) -> str:
        return str(self.id)


class ImageInSet(models.Model):
    """The place of one image in one set, counted from 0; an image is in a set once, and alone in its place."""

    image_set = models.ForeignKey(ImageSet, on_delete=models.PROTECT, related_name="places", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="places")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "image in a set"
        verbose_name_plural = "images in sets"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image_set", "image"], name="image_in_set_once"),
            models.UniqueConstraint(fields=["image_set", "position"], name="image_in_set_has_its_own_place"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.image_set_id}"


class SetSkip(models.Model):
    """Images that this rater did not want to compare; they are not offered to them together again for thirty days.

    They are known by the key of the images: a set that was drawn and never compared has no row.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="set_skips", db_index=False)
    images_key = models.UUIDField("key of the images")
    reason = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rater", "images_key"], name="set_skip_one_for_each_rater_and_images"),
        ]

    def __str__(self) -> str:
        return f"skip of {self.images_key}"


def key_of_images(image_ids: Iterable[uuid.UUID]) -> uuid.UUID:
    """Return what says whether two sets have the same images, in whatever order.

    The first sixteen bytes of the SHA-256 of the ids in order, joined by commas, which PostgreSQL can compute as well.
    """
    text = ",".join(sorted(str(image_id) for image_id in image_ids))
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
