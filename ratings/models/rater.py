import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Identity


class RaterState(models.TextChoices):
    NEW = "new", "new"
    CALIBRATED = "calibrated", "calibrated"
    TRUSTED = "trusted", "trusted"
    WATCHED = "watched", "watched"
    QUARANTINED = "quarantined", "quarantined"
    VOIDED = "voided", "voided"


OUT_OF_COUNT = (RaterState.QUARANTINED, RaterState.VOIDED)


class Rater(models.Model):
    """Who rates: the counters and the standing of one identity.

    ``is_shared`` marks the anonymous key that many people use at once: it has no counters, because they
    would be the one row everybody waits for, and it may rate an image more than once.
    What a rater gives in quarantine does not count; ``state_before`` is where they go back to afterwards.
    ``is_linked`` says that the person has other raters, whose images they may not rate again.
    Who ``has_own_taste`` is never put into quarantine by the engine again, and counts little.
    ``pseudonym_seed`` is what a release's rater id is derived from; it says nothing about the person.
    """

    identity = models.OneToOneField(Identity, on_delete=models.PROTECT, related_name="rater")
    state = models.CharField(max_length=12, choices=RaterState, default=RaterState.NEW)
    state_before = models.CharField(
        "state before quarantine", max_length=12, choices=RaterState, blank=True, db_default=""
    )
    is_shared = models.BooleanField(default=False)
    is_trusted = models.BooleanField("validated by a moderator", default=False)
    rating_count = models.PositiveIntegerField("ratings given, whatever became of them", default=0)
    counted_count = models.PositiveIntegerField("ratings that count", default=0)
    challenges_failed = models.IntegerField("challenges failed minus solved", default=0)
    images_generated = models.PositiveBigIntegerField("images generated elsewhere", null=True, blank=True)
    external_kudos = models.BigIntegerField("kudos elsewhere", null=True, blank=True)
    external_created_at = models.DateTimeField("account made elsewhere", null=True, blank=True)
    is_trusted_elsewhere = models.BooleanField("trusted by the service they come from", null=True, blank=True)
    is_linked = models.BooleanField("one of several identities of a person", default=False, db_default=False)
    has_own_taste = models.BooleanField(
        "passed an appeal: answers like nobody else, and stands by it", default=False, db_default=False
    )
    pseudonym_seed = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state_before="") | Q(state__in=OUT_OF_COUNT), name="rater_state_before_is_of_a_quarantine"
            ),
            models.CheckConstraint(
                condition=Q(is_shared=False) | Q(rating_count=0, counted_count=0), name="rater_shared_has_no_counters"
            ),
            models.CheckConstraint(
                condition=Q(counted_count__lte=models.F("rating_count")), name="rater_counted_are_given"
            ),
            models.CheckConstraint(
                condition=Q(is_linked=False) | Q(is_shared=False), name="rater_shared_is_nobody_in_particular"
            ),
        ]

    def __str__(self) -> str:
        return f"rater {self.pk}"
