"""The tables of the ratings domain, one file for each noun."""

from ratings.models.comparison import BestFrom, Comparison, ImageInSet, ImageSet
from ratings.models.dataset import Dataset, DatasetState
from ratings.models.image import AdultClass, Image, ImageStatus, Rendition
from ratings.models.moderation import ActionKind, ModerationAction
from ratings.models.preferences import PagePreferences
from ratings.models.rater import OUT_OF_COUNT, Rater, RaterState
from ratings.models.rating import Proof, Rating, RatingState, Skip

__all__ = [
    "OUT_OF_COUNT",
    "ActionKind",
    "AdultClass",
    "BestFrom",
    "Comparison",
    "Dataset",
    "DatasetState",
    "Image",
    "ImageInSet",
    "ImageSet",
    "ImageStatus",
    "ModerationAction",
    "PagePreferences",
    "Proof",
    "Rater",
    "RaterState",
    "Rating",
    "RatingState",
    "Rendition",
    "Skip",
]
