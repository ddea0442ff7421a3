from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ratings.models.image import Image
from ratings.models.rater import Rater
from ratings.models.skip import SkipReason


class ReportReason(models.TextChoices):
    """What a person can report. Reports that came of skips bear the reason of those."""

    ILLEGAL = "illegal", _("illegal")
    SEXUAL = "sexual", _("sexual, where it does not belong")
    GORE = "gore", _("gore")
    PRIVATE_PERSON = "private_person", _("a private person")
    COPYRIGHT = "copyright", _("copyright")
    BROKEN = "broken", _("broken")
    DUPLICATE = "duplicate", _("a duplicate")


REASONS = [*ReportReason.choices, *(choice for choice in SkipReason.choices if choice[0] not in ReportReason.values)]


class ReportState(models.TextChoices):
    OPEN = "open", _("open")
    UPHELD = "upheld", _("upheld")
    DISMISSED = "dismissed", _("dismissed")


class Report(models.Model):
    """Someone noticed something about an image, and moderators decide.

    One for each rater, image and reason. Without a rater it came of skips: so many people skipped the image for the
    same reason. ``address_hash`` tells whether two who have no account are two.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="reports", db_index=False)
    rater = models.ForeignKey(
        Rater, on_delete=models.CASCADE, null=True, blank=True, related_name="reports", db_index=False
    )
    reason = models.CharField(max_length=16, choices=REASONS)
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=ReportState, default=ReportState.OPEN)
    address_hash = models.CharField("keyed hash of the address", max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["image", "rater", "reason"],
                nulls_distinct=False,
                name="report_one_for_each_rater_image_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(rater__isnull=False) | Q(reason__in=SkipReason.values, note=""),
                name="report_without_rater_came_of_skips",
            ),
            models.CheckConstraint(
                condition=Q(rater__isnull=True) | Q(reason__in=ReportReason.values),
                name="report_of_a_rater_has_a_reason_to_report",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["rater", "-id"], name="report_of_rater"),
            models.Index(fields=["state", "-id"], name="report_of_state"),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}: {self.get_reason_display()}"
