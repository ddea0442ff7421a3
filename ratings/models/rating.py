from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from kudos.models import Transaction
from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.moderation import ModerationAction
from ratings.models.rater import Rater


class RatingState(models.TextChoices):
    COUNTED = "counted", "counted"
    HELD = "held", "held: not proven yet"
    QUARANTINED = "quarantined", "quarantined with its rater"
    VOIDED = "voided", "voided by a moderator"
    SUPERSEDED = "superseded", "superseded by another rating of the same person"


class Proof(models.TextChoices):
    LEASE = "lease", "the signed lease came back"
    LOOKUP = "lookup", "an old client: the live lease was found by image"
    HASH = "hash", "the hash of the bytes shown came back with the lease"
    RELAY = "relay", "a relay vouches for it"
    HELD = "held", "none: leases could not be looked up"
    IMPORT = "import", "taken over from an older export"


class Rating(models.Model):
    """What one rater said of one image, with the evidence of how it was said.

    One for each lease, whatever happens; one for each (rater, image) unless the rater is shared or the rating was
    taken over from an export, where people could repeat themselves; one for each idempotency key of a rater.
    ``reward`` is a promise until ``settlement`` names the transaction that paid it. ``void_debit`` is what voiding
    took back from the balance; the rest went to the loss account, and restoring returns exactly this.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="ratings", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="ratings", db_index=False)
    is_shared = models.BooleanField("may be repeated: by a shared rater, or taken over", default=False)
    aesthetic = models.PositiveSmallIntegerField("aesthetic, 1 worst to 10 best")
    artifacts = models.PositiveSmallIntegerField("artifacts, 0 none to 5 ruined", null=True, blank=True)
    state = models.CharField(max_length=12, choices=RatingState, default=RatingState.COUNTED)
    created_at = models.DateTimeField("answered", default=timezone.now)

    lease_id = models.UUIDField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null is "none given"

    reward = models.PositiveSmallIntegerField(default=0)
    settlement = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    void_debit = models.PositiveSmallIntegerField(null=True, blank=True)
    moderation_action = models.ForeignKey(
        ModerationAction, on_delete=models.PROTECT, null=True, blank=True, related_name="ratings", db_index=False
    )

    # Evidence: how the answer came, and the rater as they were at that moment.
    proof = models.CharField(max_length=8, choices=Proof)
    is_late = models.BooleanField("answered after the live lease had ended", default=False)
    issued_at = models.DateTimeField(null=True, blank=True)
    client_agent = models.CharField(max_length=200)
    address_hash = models.CharField("keyed hash of the address", max_length=32, blank=True)
    country = models.CharField(max_length=2, blank=True)
    scale_version = models.PositiveSmallIntegerField()
    rater_images_generated = models.PositiveBigIntegerField(null=True, blank=True)
    rater_kudos = models.BigIntegerField(null=True, blank=True)
    rater_account_age = models.PositiveIntegerField("seconds", null=True, blank=True)
    rater_is_trusted = models.BooleanField(default=False)
    rater_is_trusted_elsewhere = models.BooleanField(null=True, blank=True)
    rater_rating_count = models.PositiveIntegerField(default=0)
    rater_challenges_failed = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(aesthetic__gte=1, aesthetic__lte=10), name="rating_aesthetic_within_scale"
            ),
            models.CheckConstraint(
                condition=Q(artifacts__isnull=True) | Q(artifacts__lte=5), name="rating_artifacts_within_scale"
            ),
            models.UniqueConstraint(fields=["lease_id"], name="rating_one_for_each_lease"),
            models.UniqueConstraint(
                fields=["rater", "image"], condition=Q(is_shared=False), name="rating_one_for_each_rater_and_image"
            ),
            models.UniqueConstraint(
                fields=["rater", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="rating_one_for_each_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(void_debit__isnull=True) | Q(state="voided", settlement__isnull=False),
                name="rating_debit_implies_voided_and_settled",
            ),
            models.CheckConstraint(
                condition=~Q(state="voided") | Q(moderation_action__isnull=False), name="rating_void_names_an_action"
            ),
            # `is_shared`, and not `proof`, keeps these out of the index above: every probe of what a rater has rated
            # names `is_shared` alone, and would no longer find an index whose condition says more.
            models.CheckConstraint(
                condition=~Q(proof="import") | Q(is_shared=True), name="rating_import_may_be_repeated"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["rater", "image", "address_hash"], condition=Q(is_shared=True), name="rating_shared_probe"
            ),
            models.Index(fields=["rater", "-id"], name="rating_history"),
            models.Index(fields=["dataset", "id"], name="rating_of_dataset"),
            models.Index(
                fields=["rater", "created_at"],
                condition=Q(settlement__isnull=True, reward__gt=0),
                name="rating_reward_pending",
            ),
            # What moderators look for is rare; these indexes hold next to nothing and cost an insert nothing.
            models.Index(
                fields=["moderation_action"], condition=Q(moderation_action__isnull=False), name="rating_of_action"
            ),
            models.Index(fields=["state", "-id"], condition=~Q(state="counted"), name="rating_not_counted"),
        ]

    def __str__(self) -> str:
        return f"rating {self.pk}"


class Skip(models.Model):
    """An image that this rater did not want to rate; it is not offered to them again for a while."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="skips", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="skips")
    reason = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rater", "image"], name="skip_one_for_each_rater_and_image"),
        ]

    def __str__(self) -> str:
        return f"skip of {self.image_id}"
