from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import IsNull
from django.utils import timezone

from kudos.models import Transaction
from ratings.models.image import Image
from ratings.models.image_set import ImageSet
from ratings.models.measured import Measured
from ratings.models.moderation import ModerationAction
from ratings.models.rater import Rater
from ratings.models.rating import Proof, RatingState


class Outcome(models.TextChoices):
    BEST = "best", "one is the best"
    TIE = "tie", "several are as good"
    ALL_BAD = "all_bad", "all of them are bad"


class BestFrom(models.TextChoices):
    """Where the outcome is known from. AI Horde makes two of them out of ratings before it sends them."""

    GIVEN = "given", "chosen by the rater"
    ONLY = "only", "derived: the only image rated, with 7 or more"
    HIGHEST = "highest", "derived: the image rated highest"


class Comparison(Measured):
    """What one rater found of the images of a set, with the evidence of how it was said.

    One for each lease, whatever happens; one for each (rater, set) unless the rater is shared; one for each idempotency
    key of a rater. ``best`` is there if and only if the outcome is that one is the best, and it is one of the images
    shown: `array_position` says so, and a foreign key to (set, image), ``comparison_best_is_in_its_set``, which Django
    cannot spell and migration 0004 makes. ``image_ids`` are the images in the order in which they were shown, which
    may be fewer than the set has; of a relay's, in the order in which it named them. ``is_tied`` marks what was
    derived although several images shared the highest rating: the sender then took the first of them.

    State, reward, measurements and what became of it are as of a rating: times begin when all images could be seen, and
    the width is that of the narrowest. The answer is the last one; `ComparisonRevision` has those
    before.
    """

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="comparisons", db_index=False)
    is_shared = models.BooleanField("by a shared rater", default=False)
    image_set = models.ForeignKey(ImageSet, on_delete=models.PROTECT, related_name="comparisons")
    image_ids = ArrayField(models.UUIDField(), verbose_name="images in the order shown")
    images_key = models.UUIDField("key of the images")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.BEST, db_default="best")
    best = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    best_from = models.CharField("where the outcome is known from", max_length=8, choices=BestFrom)
    is_tied = models.BooleanField("derived from a tie", default=False)
    state = models.CharField(max_length=12, choices=RatingState, default=RatingState.COUNTED, db_default="counted")
    created_at = models.DateTimeField("answered", default=timezone.now)
    revision_count = models.PositiveSmallIntegerField("times revised", default=0, db_default=0)

    lease_id = models.UUIDField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null is "none given"

    reward = models.PositiveSmallIntegerField(default=0, db_default=0)
    settlement = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    void_debit = models.PositiveSmallIntegerField(null=True, blank=True)
    moderation_action = models.ForeignKey(
        ModerationAction, on_delete=models.PROTECT, null=True, blank=True, related_name="comparisons", db_index=False
    )

    # Evidence, as of a rating: how the answer came, and the rater as they were at that moment.
    proof = models.CharField(max_length=8, choices=Proof)
    is_late = models.BooleanField("answered after the live lease had ended", default=False, db_default=False)
    issued_at = models.DateTimeField(null=True, blank=True)
    client_agent = models.CharField(max_length=200)
    address_hash = models.CharField("keyed hash of the address", max_length=32, blank=True)
    country = models.CharField(max_length=2, blank=True)
    scale_version = models.PositiveSmallIntegerField("version of the question's wording", default=1, db_default=1)
    rater_images_generated = models.PositiveBigIntegerField(null=True, blank=True)
    rater_kudos = models.BigIntegerField(null=True, blank=True)
    rater_account_age = models.PositiveIntegerField("seconds", null=True, blank=True)
    rater_is_trusted = models.BooleanField(default=False)
    rater_is_trusted_elsewhere = models.BooleanField(null=True, blank=True)
    rater_rating_count = models.PositiveIntegerField(default=0)
    rater_challenges_failed = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lease_id"], name="comparison_one_for_each_lease"),
            models.UniqueConstraint(
                fields=["rater", "image_set"],
                condition=Q(is_shared=False),
                name="comparison_one_for_each_rater_and_set",
            ),
            models.UniqueConstraint(
                fields=["rater", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="comparison_one_for_each_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.BEST, best__isnull=False) | ~Q(outcome=Outcome.BEST) & Q(best__isnull=True),
                name="comparison_best_if_and_only_if_one_is",
            ),
            models.CheckConstraint(
                condition=Q(best__isnull=True)
                | Q(
                    IsNull(
                        Func(F("image_ids"), F("best"), function="array_position", output_field=models.IntegerField()),
                        False,
                    )
                ),
                name="comparison_best_was_shown",
            ),
            models.CheckConstraint(
                condition=Q(proof=Proof.RELAY) | Q(image_ids__len__gte=2, image_ids__len__lte=4),
                name="comparison_shows_two_to_four",
            ),
            models.CheckConstraint(
                condition=Q(is_tied=False) | Q(best_from=BestFrom.HIGHEST), name="comparison_tie_implies_derived"
            ),
            models.CheckConstraint(
                condition=Q(void_debit__isnull=True) | Q(state="voided", settlement__isnull=False),
                name="comparison_debit_implies_voided_and_settled",
            ),
            models.CheckConstraint(
                condition=~Q(state="voided") | Q(moderation_action__isnull=False),
                name="comparison_void_names_an_action",
            ),
            # One for all, as of a rating.
            models.CheckConstraint(
                condition=Q(
                    session_position__gte=1,
                    decode_ms__gte=0,
                    first_input_ms__gte=0,
                    answer_ms__gte=0,
                    displayed_width__gte=1,
                    pixel_ratio__gte=1,
                ),
                name="comparison_measurements_are_positive",
            ),
        ]
        indexes: ClassVar = [
            # What this rater has compared, whatever the set was called.
            models.Index(fields=["rater", "images_key"], name="comparison_images_probe"),
            models.Index(fields=["rater", "-id"], name="comparison_history"),
            models.Index(
                fields=["rater", "created_at"],
                condition=Q(settlement__isnull=True, reward__gt=0),
                name="comparison_reward_pending",
            ),
            models.Index(
                fields=["moderation_action"], condition=Q(moderation_action__isnull=False), name="comparison_of_action"
            ),
            models.Index(fields=["state", "-id"], condition=~Q(state="counted"), name="comparison_not_counted"),
        ]

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class ComparisonRevision(models.Model):
    """What a comparison said before its rater changed it. The comparison itself has the last answer.

    ``number`` counts from 1, so revision 1 holds the answer that was given first.
    """

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="revisions", db_index=False)
    number = models.PositiveSmallIntegerField()
    outcome = models.CharField("outcome before", max_length=8, choices=Outcome)
    best = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    revised_at = models.DateTimeField(default=timezone.now)
    idempotency_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - null is "none given"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["comparison", "number"], name="comparison_revision_one_for_each_number"),
            models.UniqueConstraint(
                fields=["comparison", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="comparison_revision_one_for_each_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.BEST, best__isnull=False) | ~Q(outcome=Outcome.BEST) & Q(best__isnull=True),
                name="comparison_revision_best_if_and_only_if_one_is",
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number} of comparison {self.comparison_id}"
