from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kudos.models import Transaction
from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.measured import Measured
from ratings.models.moderation import ModerationAction
from ratings.models.rater import Rater


class RatingState(models.TextChoices):
    COUNTED = "counted", _("counted")
    HELD = "held", _("held: not proven yet")
    QUARANTINED = "quarantined", _("quarantined with its rater")
    VOIDED = "voided", _("voided by a moderator")
    SUPERSEDED = "superseded", _("superseded by another rating of the same person")


class Proof(models.TextChoices):
    LEASE = "lease", "the signed lease came back"
    LOOKUP = "lookup", "an old client: the live lease was found by image"
    HASH = "hash", "the hash of the bytes shown came back with the lease"
    RELAY = "relay", "a relay vouches for it"
    HELD = "held", "none: leases could not be looked up"
    IMPORT = "import", "taken over from an older export"


class Rating(Measured):
    """What one rater said of one image, with the evidence of how it was said.

    One for each lease, whatever happens; one for each (rater, image) unless the rater is shared or the rating was
    taken over from an export, where people could repeat themselves; one for each idempotency key of a rater.
    At least one of the two questions is answered. No ``aesthetic`` is "cannot judge"; no ``artifacts`` is that too if
    ``is_artifacts_unsure`` says so, and else "not answered". The values are the last ones; `Revision` has those before.
    ``reward`` is a promise until ``settlement`` names the transaction that paid it. ``void_debit`` is what voiding
    took back from the balance; the rest went to the loss account, and restoring returns exactly this.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="ratings", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="ratings", db_index=False)
    is_shared = models.BooleanField("may be repeated: by a shared rater, or taken over", default=False)
    aesthetic = models.PositiveSmallIntegerField("aesthetic, 1 worst to 10 best", null=True, blank=True)
    artifacts = models.PositiveSmallIntegerField("artifacts, 0 none to 5 ruined", null=True, blank=True)
    is_artifacts_unsure = models.BooleanField("could not judge the artifacts", default=False, db_default=False)
    state = models.CharField(max_length=12, choices=RatingState, default=RatingState.COUNTED)
    created_at = models.DateTimeField("answered", default=timezone.now)
    revision_count = models.SmallIntegerField("times revised", default=0, db_default=0)
    looked_at = models.DateTimeField("saw what others said; not to be revised since", null=True, blank=True)

    lease_id = models.UUIDField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null is "none given"

    reward = models.PositiveSmallIntegerField(default=0)
    # That the transaction exists is checked once for each statement (migration 0020), and not once for each row: a
    # settlement names a million. It cannot cease to exist, because the ledger refuses to delete.
    settlement = models.ForeignKey(
        Transaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
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
            models.CheckConstraint(
                condition=Q(aesthetic__isnull=False) | Q(artifacts__isnull=False), name="rating_answers_a_question"
            ),
            models.CheckConstraint(
                condition=Q(is_artifacts_unsure=False) | Q(artifacts__isnull=True),
                name="rating_unsure_of_artifacts_gives_none",
            ),
            # One for all: each constraint of its own would cost every insert.
            models.CheckConstraint(
                condition=Q(
                    revision_count__gte=0,
                    session_position__gte=1,
                    decode_ms__gte=0,
                    first_input_ms__gte=0,
                    answer_ms__gte=0,
                    displayed_width__gte=1,
                    pixel_ratio__gte=1,
                ),
                name="rating_measurements_are_positive",
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
