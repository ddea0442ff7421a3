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


class Dataset(models.Model):
    """Images under one licence and purpose.

    ``licence`` covers the images, ``ratings_licence`` what raters give; both are SPDX identifiers.
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
            models.CheckConstraint(condition=~Q(licence="") & ~Q(ratings_licence=""), name="dataset_states_licences"),
        ]

    def __str__(self) -> str:
        return self.slug
