from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ratings.models.image import Image
from ratings.models.rater import Rater


class SkipReason(models.TextChoices):
    BROKEN = "broken", _("the picture is broken")
    TEXT_ONLY = "text_only", _("nothing but text")
    PERSONAL = "personal", _("not for me")
    CANNOT_JUDGE = "cannot_judge", _("I cannot judge it")
    OTHER = "other", _("another reason")


class Skip(models.Model):
    """An image that this rater did not want to rate; it is not offered to them again for thirty days."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="skips", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="skips")
    reason = models.CharField(max_length=16, blank=True, choices=SkipReason)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rater", "image"], name="skip_one_for_each_rater_and_image"),
        ]

    def __str__(self) -> str:
        return f"skip of {self.image_id}"
