import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone


class DatasetState(models.TextChoices):
    OPEN = "open", "open: images are handed out"
    PAUSED = "paused", "paused: nothing is handed out, what was handed out may still be rated"
    CLOSED = "closed", "closed: nothing more is rated"


class OrderPolicy(models.TextChoices):
    """Where the ratings of those go who are trusted. The others' always go anywhere: their tests rest on that."""

    RANDOM = "random", "random: every open image alike"
    BREADTH = "breadth", "breadth: images with the fewest ratings first"
    DEPTH = "depth", "depth: images that lack the fewest first"
    UNCERTAINTY = "uncertainty", "uncertainty: images whose score is known worst first"


class Dataset(models.Model):
    """Images under one licence and purpose.

    ``licence`` covers the images, ``ratings_licence`` what raters give; both are SPDX identifiers.
    An image has enough ratings at ``target_rating_count``, or goes on to ``contested_rating_count`` while the interval
    of its score is wider than ``narrow_enough`` points.
    ``image_count`` counts every image ever imported; importers keep it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    licence = models.CharField("image licence (SPDX)", max_length=60)
    ratings_licence = models.CharField("ratings licence (SPDX)", max_length=60, default="CC0-1.0")
    target_rating_count = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    contested_rating_count = models.PositiveSmallIntegerField(
        "ratings that a contested image may have", default=0, db_default=0
    )
    narrow_enough = models.FloatField("width of a score's 95 % interval, in points", default=2.0, db_default=2.0)
    order_policy = models.CharField(
        "which images go first", max_length=12, choices=OrderPolicy, default=OrderPolicy.RANDOM, db_default="random"
    )
    state = models.CharField(max_length=8, choices=DatasetState, default=DatasetState.OPEN)
    scale_version = models.PositiveSmallIntegerField(default=1)
    image_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(target_rating_count__gte=1, target_rating_count__lte=1000),
                name="dataset_target_within_reason",
            ),
            models.CheckConstraint(
                condition=Q(contested_rating_count__lte=1000, narrow_enough__gt=0), name="dataset_cap_within_reason"
            ),
            models.CheckConstraint(condition=~Q(licence="") & ~Q(ratings_licence=""), name="dataset_states_licences"),
        ]

    def __str__(self) -> str:
        return self.slug
