"""The tables of the ratings domain, one file for each noun."""

from ratings.models.activity import ActiveDay
from ratings.models.appeal import Appeal, AppealState
from ratings.models.comparison import BestFrom, Comparison, ComparisonRevision, Outcome
from ratings.models.control import ControlAnswer, ControlKind, GoldImage, GoldState
from ratings.models.dataset import Dataset, DatasetState, OrderPolicy
from ratings.models.image import AdultClass, Image, ImageStatus, Rendition
from ratings.models.image_set import ImageInSet, ImageSet, SetSkip, key_of_images
from ratings.models.measured import WARM_UP_COUNT, InputKind
from ratings.models.moderation import ActionKind, ModerationAction
from ratings.models.practice import PracticeImage
from ratings.models.preferences import PagePreferences
from ratings.models.quality import (
    ImageScore,
    QualityAlarm,
    RaterScore,
    RaterSignal,
    RaterTransition,
    RatingChange,
    ScoreCursor,
    SignalKind,
    Task,
    TaskParameters,
)
from ratings.models.rater import OUT_OF_COUNT, Rater, RaterState
from ratings.models.rating import Proof, Rating, RatingState
from ratings.models.report import Report, ReportReason, ReportState
from ratings.models.revision import Revision
from ratings.models.skip import Skip, SkipReason

__all__ = [
    "OUT_OF_COUNT",
    "WARM_UP_COUNT",
    "ActionKind",
    "ActiveDay",
    "AdultClass",
    "Appeal",
    "AppealState",
    "BestFrom",
    "Comparison",
    "ComparisonRevision",
    "ControlAnswer",
    "ControlKind",
    "Dataset",
    "DatasetState",
    "GoldImage",
    "GoldState",
    "Image",
    "ImageInSet",
    "ImageScore",
    "ImageSet",
    "ImageStatus",
    "InputKind",
    "ModerationAction",
    "OrderPolicy",
    "Outcome",
    "PagePreferences",
    "PracticeImage",
    "Proof",
    "QualityAlarm",
    "Rater",
    "RaterScore",
    "RaterSignal",
    "RaterState",
    "RaterTransition",
    "Rating",
    "RatingChange",
    "RatingState",
    "Rendition",
    "Report",
    "ReportReason",
    "ReportState",
    "Revision",
    "ScoreCursor",
    "SetSkip",
    "SignalKind",
    "Skip",
    "SkipReason",
    "Task",
    "TaskParameters",
    "key_of_images",
]
