import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class PracticeImage(models.Model):
    """A picture to practise on, with the level of artifacts that was planted in it and is told.

    It is in no dataset and never rated. The ten of them are some 700 kB, so the files are kept here and not in storage.
    ``number`` is its place in the order in which they are shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveSmallIntegerField(unique=True)
    planted_artifacts = models.PositiveSmallIntegerField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    webp = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(planted_artifacts__lte=5), name="practice_image_artifacts_within_scale"),
        ]

    def __str__(self) -> str:
        return f"practice image {self.number}"
