"""Scores of images and reliability of raters, kept up while ratings come in."""

from ratings.services.scoring.consumer import Taken, update_scores
from ratings.services.scoring.engine import carry_out_quarantines
from ratings.services.scoring.fitting import is_fit_due, recompute_scores

__all__ = ["Taken", "carry_out_quarantines", "is_fit_due", "recompute_scores", "update_scores"]
