"""The administration of ratings: tables to look at, and the decisions that moderators take. One file for each noun."""

from ratings.admin.comparison import ComparisonAdmin, ImageSetAdmin
from ratings.admin.control import AppealAdmin, ControlAnswerAdmin, GoldImageAdmin
from ratings.admin.dataset import DatasetAdmin
from ratings.admin.image import ImageAdmin
from ratings.admin.moderation import ModerationActionAdmin
from ratings.admin.quality import QualityAlarmAdmin, RaterScoreAdmin, RaterSignalAdmin, RaterTransitionAdmin
from ratings.admin.rater import RaterAdmin, SkipAdmin
from ratings.admin.rating import RatingAdmin
from ratings.admin.report import ReportAdmin

__all__ = [
    "AppealAdmin",
    "ComparisonAdmin",
    "ControlAnswerAdmin",
    "DatasetAdmin",
    "GoldImageAdmin",
    "ImageAdmin",
    "ImageSetAdmin",
    "ModerationActionAdmin",
    "QualityAlarmAdmin",
    "RaterAdmin",
    "RaterScoreAdmin",
    "RaterSignalAdmin",
    "RaterTransitionAdmin",
    "RatingAdmin",
    "ReportAdmin",
    "SkipAdmin",
]
