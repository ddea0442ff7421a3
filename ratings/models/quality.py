import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ratings.models.dataset import Dataset
from ratings.models.image import Image
from ratings.models.moderation import ModerationAction
from ratings.models.rater import Rater, RaterState


class Task(models.TextChoices):
    """The two questions. They are never mixed: each has scores and reliabilities of its own."""

    AESTHETIC = "aesthetic", "aesthetic"
    ARTIFACTS = "artifacts", "artifacts"


class ScoreCursor(models.Model):
    """How far the quality engine has come in a dataset.

    Ratings and answers to controls have one sequence of numbers, so ``rating_id`` is about both. It is committed in one
    transaction with what was made of the answers up to it, and locked by whoever works on the dataset: so each answer
    is taken once, whatever dies, and by one consumer at a time.
    """

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, primary_key=True, related_name="score_cursor")
    rating_id = models.PositiveBigIntegerField("last answer taken", default=0)
    version = models.UUIDField("changes with every update", default=uuid.uuid4)
    taken_count = models.PositiveBigIntegerField("answers taken in all", default=0)
    fitted_count = models.PositiveBigIntegerField("ratings in the last fit", default=0)
    waited_count = models.PositiveIntegerField("runs in a row that waited in vain", default=0, db_default=0)
    signals_rating_id = models.PositiveBigIntegerField(
        "last answer whose rater's signals were measured", default=0, db_default=0
    )
    updated_at = models.DateTimeField(null=True, blank=True)
    fitted_at = models.DateTimeField("last fit from scratch", null=True, blank=True)

    def __str__(self) -> str:
        return f"cursor of {self.dataset_id}"


class TaskParameters(models.Model):
    """What the last fit found out about the raters of a dataset as a whole, for one task; read by every update."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="task_parameters", db_index=False)
    task = models.CharField(max_length=10, choices=Task)
    values = models.JSONField()
    agreement = models.JSONField("how the fit agreed with the updates before it", default=dict)
    fitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "task parameters"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dataset", "task"], name="task_parameters_once_for_each_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task} of {self.dataset_id}"


class ImageScore(models.Model):
    """The consensus about one image, for one task.

    Relayed, imported and held ratings are in none of it; of what is quarantined, ``rating_count`` alone knows. The
    row's own id is what the engine calls the image, because its mathematics knows whole numbers only.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="scores", db_index=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.CharField(max_length=10, choices=Task)
    rating_count = models.PositiveIntegerField("ratings looked at", default=0)
    counted_count = models.PositiveIntegerField("of raters who look, as likely as not", default=0)
    score = models.FloatField(null=True)
    standard_error = models.FloatField(null=True)
    low = models.FloatField("95 % interval from", null=True)
    high = models.FloatField("to", null=True)
    effective_count = models.FloatField("effective number of ratings", default=0)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["image", "task"], name="image_score_once_for_each_task"),
            models.CheckConstraint(
                condition=Q(low__lte=F("score"), high__gte=F("score"), standard_error__gte=0),
                name="image_score_within_its_interval",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["dataset", "task"], name="image_score_of_dataset")]

    def __str__(self) -> str:
        return f"{self.task} of {self.image_id}"


class RaterScore(models.Model):
    """What one rater's answers in one dataset say about the rater, for one task.

    Behind the shared key each address is looked at by itself; ``address_hash`` tells them apart and is "" for all
    others. ``numbers`` are the columns of ratings.stats.state.RATER_COLUMNS, one after the other. The row's own id is
    what the engine calls the rater.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="scores", db_index=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.CharField(max_length=10, choices=Task)
    address_hash = models.CharField(max_length=32, blank=True)
    rating_count = models.PositiveIntegerField("answers looked at", default=0)
    numbers = ArrayField(models.FloatField(), default=list)
    is_silent = models.BooleanField("does not vote: in quarantine", default=False)
    weight = models.FloatField(default=0)
    bias = models.FloatField(default=0)
    noise = models.FloatField(default=0)
    p_honest = models.FloatField("probability that the rater looks", default=0.5)
    reliability = models.FloatField(default=0)
    reliability_low = models.FloatField("95 % interval from", default=0)
    reliability_high = models.FloatField("to", default=1)
    trust_log_e = models.FloatField("logarithm of the e-value for trust", default=0.0)
    ban_log_e = models.FloatField("logarithm of the e-value against", default=0.0)
    change = models.FloatField("logarithm of the odds that behaviour changed", default=0.0)
    repeat_log_e = models.FloatField("logarithm of the e-value of repeats", default=0.0)
    reason = models.CharField("what speaks against the rater most", max_length=300, blank=True)
    kind = models.CharField("kind of not looking that is likeliest", max_length=8, blank=True, db_default="")
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rater", "address_hash", "dataset", "task"], name="rater_score_once_for_each_dataset_and_task"
            ),
            models.CheckConstraint(
                condition=Q(p_honest__gte=0, p_honest__lte=1, reliability__gte=0, reliability__lte=1),
                name="rater_score_is_a_probability",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["dataset", "task"], name="rater_score_of_dataset"),
            models.Index(
                fields=["rater"], condition=Q(ban_log_e__gte=4) | Q(p_honest__lt=0.1), name="rater_score_suspects"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} of rater {self.rater_id} in {self.dataset_id}"


class RatingChange(models.Model):
    """A rating that changed after it had been stored: its state, or its values. The engine takes it and deletes it."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+", db_index=False)
    rating_id = models.PositiveBigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["dataset", "id"], name="rating_change_of_dataset")]

    def __str__(self) -> str:
        return f"change of rating {self.rating_id}"


class RaterTransition(models.Model):
    """A rater went from one state to another: why, in words and in numbers. Rows are written once."""

    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="transitions", db_index=False)
    from_state = models.CharField("from", max_length=12, choices=RaterState)
    to_state = models.CharField("to", max_length=12, choices=RaterState)
    reason = models.CharField(max_length=500)
    evidence = models.JSONField(default=dict)
    moderation_action = models.ForeignKey(
        ModerationAction, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(from_state=F("to_state")), name="rater_transition_leads_elsewhere"),
            models.CheckConstraint(condition=~Q(reason=""), name="rater_transition_states_a_reason"),
        ]
        indexes: ClassVar = [models.Index(fields=["rater", "-id"], name="rater_transition_history")]

    def __str__(self) -> str:
        return f"rater {self.rater_id}: {self.from_state} to {self.to_state}"


class SignalKind(models.TextChoices):
    """What is measured of how answers come about; one file each in ratings/countermeasures/signals."""

    PACE = "pace", "faster than one can look"
    RUNS = "runs", "runs of one value"
    SAMENESS = "sameness", "nearly always the same"
    NO_DAMAGE = "no_damage", "no artifacts where others see them"
    PATTERN = "pattern", "answers follow the answers before, not the images"
    ADDRESS = "address", "many raters at one address"
    LOCKSTEP = "lockstep", "answers in lock-step with another rater"
    PUSHING = "pushing", "extreme answers to images that others push too"
    CHANGE = "change", "answers otherwise than before"


class RaterSignal(models.Model):
    """Something about how a rater answers in a dataset that is worth a look. It is evidence, and bans nobody.

    ``log_evidence`` is the natural logarithm of how much likelier it is from who does not look than from who does, or
    of one over the chance that who looks gets so far; ``sentence`` says it in words. ``is_striking`` is what moderators
    are to look at. The last measurements that differed are kept in ``past_evidence`` and ``past_at``, newest last.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="signals", db_index=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=24, choices=SignalKind)
    value = models.FloatField()
    log_evidence = models.FloatField("evidence (natural logarithm)", default=0)
    answer_count = models.PositiveIntegerField("answers looked at")
    sentence = models.CharField("in words", max_length=300)
    is_striking = models.BooleanField("stands out", default=False)
    struck_at = models.DateTimeField("stood out first", null=True, blank=True)
    measured_at = models.DateTimeField()
    past_evidence = ArrayField(models.FloatField(), default=list, blank=True)
    past_at = ArrayField(models.DateTimeField(), default=list, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rater", "dataset", "kind"], name="rater_signal_one_of_each_kind"),
            models.CheckConstraint(
                condition=Q(is_striking=False) | Q(struck_at__isnull=False), name="rater_signal_striking_has_a_time"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-struck_at"], condition=Q(is_striking=True), name="rater_signal_striking"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of rater {self.rater_id}"


class QualityAlarm(models.Model):
    """Something about the scores of a dataset that a person has to look at."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="quality_alarms")
    task = models.CharField("question, if it is about one", max_length=10, choices=Task, blank=True)
    kind = models.CharField(max_length=24)
    message = models.CharField(max_length=500)
    value = models.FloatField()
    raised_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-raised_at"], name="quality_alarm_newest")]

    def __str__(self) -> str:
        return self.message
