from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone

from kudos.models import Transaction
from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.rater import Rater
from ratings.models.rating import RatingState


class GoldState(models.TextChoices):
    RAISING = "raising", "raising: gathers ratings of raters who are trusted"
    IN_USE = "in_use", "in use: measures raters"
    DECOY = "decoy", "decoy: kept out of releases as gold is, and else an image as any other"
    RETIRED = "retired", "retired: an image as any other"


class GoldImage(models.Model):
    """An image of the nursery: it gathers answers that are beyond doubt, and then measures raters.

    Until it is retired no page and no release shows what is known of it, and it never looks complete: an image that a
    rater could recognise measures nothing. Decoys share that, so that what is missing in a release is mostly no gold.
    ``is_planted`` means that its artifacts were planted, so they are known from the beginning. What is known is
    refreshed by the nursery: the scores, and the shares of the gold in use that is below them.
    """

    image = models.OneToOneField(Image, on_delete=models.CASCADE, primary_key=True, related_name="gold")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=GoldState, default=GoldState.RAISING)
    is_planted = models.BooleanField(default=False)
    use_count = models.PositiveIntegerField(default=0)
    aesthetic = models.FloatField("known score", null=True, blank=True)
    artifacts = models.FloatField("known artifacts", null=True, blank=True)
    aesthetic_share = models.FloatField("share of the gold below that", null=True, blank=True)
    artifacts_share = models.FloatField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="retired", retired_at__isnull=False) | (~Q(state="retired") & Q(retired_at=None)),
                name="gold_image_retired_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(aesthetic_share__gt=0, aesthetic_share__lt=1, artifacts_share__gt=0, artifacts_share__lt=1),
                name="gold_image_shares_are_between",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["dataset", "state"], name="gold_image_of_dataset")]

    def __str__(self) -> str:
        return f"gold {self.image_id}"


class ControlKind(models.TextChoices):
    GOLD = "gold", "gold: an image whose answers are known"
    REPEAT = "repeat", "repeat: an image that the rater has rated before"


class ControlAnswer(models.Model):
    """What a rater said of a control. It counts in no score, and for its rater it is an answer as any other.

    Its id is taken from the sequence of ratings, so that the number that the rater gets says nothing, and its reward
    settles as a rating's. One for each lease; one for each (rater, image) of a kind, unless the rater is shared; one
    for each key of a rater. ``aesthetic`` and ``artifacts`` are what was said at first, which measures; ``said_`` is
    what the rater sees: the last revision. Of a repeat, ``known_`` is what was said before.
    """

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=6, choices=ControlKind)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+", db_index=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="control_answers", db_index=False)
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="control_answers", db_index=False)
    is_shared = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=12, choices=RatingState, default=RatingState.COUNTED, db_default="counted")
    aesthetic = models.PositiveSmallIntegerField(null=True, blank=True)
    artifacts = models.PositiveSmallIntegerField(null=True, blank=True)
    said_aesthetic = models.PositiveSmallIntegerField("aesthetic, as revised", null=True, blank=True)
    said_artifacts = models.PositiveSmallIntegerField("artifacts, as revised", null=True, blank=True)
    is_artifacts_unsure = models.BooleanField("could not judge the artifacts", default=False, db_default=False)
    revision_keys = ArrayField(models.CharField(max_length=80), default=list, db_default=Value("{}"), blank=True)
    revision_count = models.SmallIntegerField("times revised", default=0, db_default=0)
    looked_at = models.DateTimeField("saw what others said; not to be revised since", null=True, blank=True)
    known_aesthetic = models.FloatField("score that it was held against", null=True, blank=True)
    known_artifacts = models.FloatField(null=True, blank=True)
    aesthetic_share = models.FloatField("share of the gold below that", null=True, blank=True)
    artifacts_share = models.FloatField(null=True, blank=True)
    lease_id = models.UUIDField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null is "none given"
    reward = models.PositiveSmallIntegerField(default=0)
    settlement = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField("answered")
    issued_at = models.DateTimeField(null=True, blank=True)
    client_agent = models.CharField(max_length=200)
    address_hash = models.CharField("keyed hash of the address", max_length=32, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(aesthetic__isnull=True) | Q(aesthetic__gte=1, aesthetic__lte=10),
                name="control_answer_aesthetic_within_scale",
            ),
            models.CheckConstraint(
                condition=Q(artifacts__isnull=True) | Q(artifacts__lte=5), name="control_answer_artifacts_within_scale"
            ),
            models.UniqueConstraint(fields=["lease_id"], name="control_answer_one_for_each_lease"),
            models.CheckConstraint(
                condition=(Q(said_aesthetic__isnull=True) | Q(said_aesthetic__gte=1, said_aesthetic__lte=10))
                & (Q(said_artifacts__isnull=True) | Q(said_artifacts__lte=5)),
                name="control_answer_said_within_scale",
            ),
            models.UniqueConstraint(
                fields=["rater", "image", "kind"],
                condition=Q(is_shared=False),
                name="control_answer_once_for_each_rater",
            ),
            models.UniqueConstraint(
                fields=["rater", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="control_answer_one_for_each_idempotency_key",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["rater", "address_hash", "image"],
                condition=Q(is_shared=True),
                name="control_answer_shared_probe",
            ),
            models.Index(fields=["dataset", "id"], name="control_answer_of_dataset"),
            models.Index(fields=["rater", "-id"], name="control_answer_history"),
            models.Index(
                fields=["rater", "created_at"],
                condition=Q(settlement__isnull=True, reward__gt=0),
                name="control_answer_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} answered by rater {self.rater_id}"
