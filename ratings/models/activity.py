from typing import ClassVar

from django.db import models

from ratings.models.rater import Rater


class ActiveDay(models.Model):
    """A day, in the site's time zone, on which a rater rated: what weekly goals are counted by.

    Written by the statement that stores the rating. People behind the shared key have none.
    """

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="active_days", db_index=False)
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rater", "day"], name="active_day_of_a_rater_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rater_id} on {self.day}"
