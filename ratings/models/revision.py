from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ratings.models.rating import Rating


class Revision(models.Model):
    """What a rating said before its rater changed it. The rating itself has the last values.

    ``number`` counts from 1, so revision 1 holds the values that were given first; `Rating.revision_count` says how
    many there are.
    """

    rating = models.ForeignKey(Rating, on_delete=models.CASCADE, related_name="revisions", db_index=False)
    number = models.PositiveSmallIntegerField()
    aesthetic = models.PositiveSmallIntegerField("aesthetic before", null=True, blank=True)
    artifacts = models.PositiveSmallIntegerField("artifacts before", null=True, blank=True)
    is_artifacts_unsure = models.BooleanField("could not judge artifacts before", default=False)
    revised_at = models.DateTimeField(default=timezone.now, db_index=True)
    idempotency_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - null is "none given"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rating", "number"], name="revision_one_for_each_number"),
            models.UniqueConstraint(
                fields=["rating", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="revision_one_for_each_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(aesthetic__gte=1, aesthetic__lte=10) | Q(aesthetic__isnull=True),
                name="revision_aesthetic_within_scale",
            ),
            models.CheckConstraint(
                condition=Q(artifacts__isnull=True) | Q(artifacts__lte=5), name="revision_artifacts_within_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number} of rating {self.rating_id}"
