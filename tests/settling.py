"""Settlement for tests that are about money: their raters are people whose answers are known to be in order."""

from ratings.models import Rater
from ratings.services import settlement


def settle_rewards(**when):
    """Calibrate everybody who is new, which takes some twenty ratings otherwise, and settle."""
    Rater.objects.filter(state="new", is_shared=False).update(state="calibrated")
    return settlement.settle_rewards(**when)
