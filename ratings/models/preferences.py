from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Identity
from ratings.models.image import AdultClass


class PagePreferences(models.Model):
    """How one person wants the rating page, and what they want to see there; one row for each identity, if any.

    ``keys`` maps an action to the physical key (``KeyboardEvent.code``) that it was moved to. ``adult_classes`` are the
    classes of images that the person asked for besides safe ones: only who stated a year of birth may, and nothing
    more is asked about their age. ``trained_at`` is when they finished practising.
    """

    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, related_name="page_preferences")
    keys = models.JSONField(default=dict, blank=True)
    keys_on = models.BooleanField("single keys do something", default=True)
    auto_advance = models.BooleanField("go on by itself when both questions are answered", default=True)
    daily_goal = models.PositiveSmallIntegerField("ratings a day", default=50)
    weekly_goal = models.PositiveSmallIntegerField("active days a week", default=3)
    reduced_data = models.BooleanField("smaller pictures, fewer ahead", default=False)
    adult_classes = ArrayField(models.CharField(max_length=10, choices=AdultClass), default=list, blank=True)
    birth_year = models.PositiveSmallIntegerField("year of birth, as stated", null=True, blank=True)
    trained_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "page preferences"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(adult_classes__len=0) | Q(birth_year__isnull=False),
                name="page_preferences_adult_images_imply_a_stated_age",
            ),
            models.CheckConstraint(
                condition=Q(adult_classes__contained_by=["suggestive", "adult"]),
                name="page_preferences_adult_classes_may_be_asked_for",
            ),
            models.CheckConstraint(
                condition=Q(weekly_goal__gte=1, weekly_goal__lte=7), name="page_preferences_weekly_goal_is_of_a_week"
            ),
            models.CheckConstraint(
                condition=Q(daily_goal__gte=1, daily_goal__lte=1000), name="page_preferences_daily_goal_is_of_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"preferences of {self.identity_id}"
