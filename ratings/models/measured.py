from django.db import models


class InputKind(models.TextChoices):
    KEYBOARD = "keyboard", "keyboard"
    POINTER = "pointer", "pointer"
    TOUCH = "touch", "touch"
    PEN = "pen", "pen"
    MIXED = "mixed", "mixed"


# The first of a session are said to be found by trial: ITU-R BT.500 discards five as well.
WARM_UP_COUNT = 5


class Measured(models.Model):
    """How an answer came about, as far as the client measured it.

    Columns, because a null costs a bit and a table of their own a row, an index entry and a join (decision 18).
    """

    session_id = models.UUIDField("session in the browser, never published", null=True, blank=True)
    session_position = models.SmallIntegerField("place in the session, from 1", null=True, blank=True)
    is_before_training = models.BooleanField("before the practice images", null=True, blank=True)
    decode_ms = models.IntegerField("from request to picture, ms", null=True, blank=True)
    first_input_ms = models.IntegerField("from picture to first input, ms", null=True, blank=True)
    answer_ms = models.IntegerField("from picture to answer, ms", null=True, blank=True)
    input_kind = models.CharField(max_length=8, choices=InputKind, blank=True, db_default="")
    displayed_width = models.SmallIntegerField("width on the page, CSS px", null=True, blank=True)
    pixel_ratio = models.SmallIntegerField("device pixels to a CSS px, hundredths", null=True, blank=True)
    is_dark = models.BooleanField("dark page", null=True, blank=True)
    is_zoomed = models.BooleanField("zoomed in", null=True, blank=True)
    language = models.CharField("language of the questions", max_length=10, blank=True, db_default="")

    class Meta:
        abstract = True

    @property
    def is_warm_up(self) -> bool | None:
        """Whether it was among the first of its session; None when its place is not known."""
        return None if self.session_position is None else self.session_position <= WARM_UP_COUNT
