import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.rater import Rater
from ratings.models.rating import Proof


class ImageSet(models.Model):
    """Images that one request generated, in their order.

    The id is the request's own, so a set that comes twice is found out by the primary key. Written once, with
    all its images, and never changed.
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


class BestFrom(models.TextChoices):
    """Where the best of a set is known from. AI Horde makes two of them out of ratings before it sends them."""

    GIVEN = "given", "chosen by the rater"
    ONLY = "only", "derived: the only image rated, with 7 or more"
    HIGHEST = "highest", "derived: the image rated highest"


class Comparison(models.Model):
    """Which image of a set one rater found best, with the evidence of how it was said.

    One for each (rater, set) unless the rater is shared. The best image is one of the set: a foreign key to
    (set, image) says so, ``comparison_best_is_in_its_set``, which Django cannot spell and migration 0004 makes.
    ``is_tied`` marks what was derived although several images shared the highest rating: the sender then took
    the first of them. Whether a comparison counts is up to the state of its rater.
    """

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="comparisons")
    is_shared = models.BooleanField("by a shared rater", default=False)
    image_set = models.ForeignKey(ImageSet, on_delete=models.PROTECT, related_name="comparisons")
    best = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    best_from = models.CharField("where the best is known from", max_length=8, choices=BestFrom)
    is_tied = models.BooleanField("derived from a tie", default=False)
    created_at = models.DateTimeField("answered", default=timezone.now)

    # Evidence, as of a rating: how the answer came, and the rater as they were at that moment.
    proof = models.CharField(max_length=8, choices=Proof)
    client_agent = models.CharField(max_length=200)
    address_hash = models.CharField("keyed hash of the address", max_length=32, blank=True)
    country = models.CharField(max_length=2, blank=True)
    rater_images_generated = models.PositiveBigIntegerField(null=True, blank=True)
    rater_kudos = models.BigIntegerField(null=True, blank=True)
    rater_account_age = models.PositiveIntegerField("seconds", null=True, blank=True)
    rater_is_trusted = models.BooleanField(default=False)
    rater_is_trusted_elsewhere = models.BooleanField(null=True, blank=True)
    rater_rating_count = models.PositiveIntegerField(default=0)
    rater_challenges_failed = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rater", "image_set"],
                condition=Q(is_shared=False),
                name="comparison_one_for_each_rater_and_set",
            ),
            models.CheckConstraint(
                condition=Q(is_tied=False) | Q(best_from=BestFrom.HIGHEST), name="comparison_tie_implies_derived"
            ),
        ]

    def __str__(self) -> str:
        return f"comparison {self.pk}"
