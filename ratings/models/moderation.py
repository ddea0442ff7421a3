from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class ActionKind(models.TextChoices):
    VOID_RATINGS = "void_ratings", "ratings voided"
    RESTORE_RATINGS = "restore_ratings", "ratings restored"
    VOID_COMPARISONS = "void_comparisons", "comparisons voided"
    RESTORE_COMPARISONS = "restore_comparisons", "comparisons restored"
    PAUSE_DATASET = "pause_dataset", "dataset paused"
    OPEN_DATASET = "open_dataset", "dataset opened"
    HIDE_IMAGE = "hide_image", "image hidden"
    RESTORE_IMAGE = "restore_image", "image restored"
    QUARANTINE_RATER = "quarantine_rater", "rater quarantined"
    END_QUARANTINE = "end_quarantine", "quarantine ended"
    VALIDATE_RATER = "validate_rater", "rater validated"
    END_VALIDATION = "end_validation", "validation ended"


class ModerationAction(models.Model):
    """Someone decided: who, when, what, on how many rows, and why. Rows are written once.

    Nobody is named where the service itself hid an image, because of reports.
    """

    kind = models.CharField(max_length=20, choices=ActionKind)
    taken_at = models.DateTimeField(default=timezone.now)
    taken_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="moderation_actions"
    )
    target = models.CharField(max_length=200)
    affected_count = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=500)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="moderation_action_states_a_reason"),
            models.CheckConstraint(
                condition=Q(taken_by__isnull=False) | Q(kind=ActionKind.HIDE_IMAGE),
                name="moderation_action_names_who_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.target}"
