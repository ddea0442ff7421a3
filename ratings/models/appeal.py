from typing import ClassVar

from django.db import models
from django.db.models import Q

from ratings.models.rater import Rater


class AppealState(models.TextChoices):
    OPEN = "open", "open: is being asked repeats"
    PASSED = "passed", "passed: stands by what they said"
    TO_PERSON = "to_person", "a person decides"
    CLOSED = "closed", "closed: a person has decided"


class Appeal(models.Model):
    """A rater says that their ratings do come from looking at the images. Eight repeats decide, or else a person.

    ``repeat_count`` and ``log_e`` are what the repeats since ``opened_at`` came to, as of the last look.
    """

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="appeals", db_index=False)
    state = models.CharField(max_length=9, choices=AppealState, default=AppealState.OPEN)
    words = models.CharField("what they have to say", max_length=1000, blank=True)
    repeat_count = models.PositiveSmallIntegerField(default=0)
    log_e = models.FloatField("logarithm of the e-value of the repeats", default=0.0)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rater"], condition=Q(state__in=["open", "to_person"]), name="appeal_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "to_person"], decided_at=None)
                | Q(state__in=["passed", "closed"], decided_at__isnull=False),
                name="appeal_decided_has_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["rater", "-id"], name="appeal_history")]

    def __str__(self) -> str:
        return f"appeal of rater {self.rater_id}"
