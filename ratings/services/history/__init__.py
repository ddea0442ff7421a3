"""Ratings that were given elsewhere, taken over from an export: a dataset of history, which nobody rates any more."""

from ratings.services.history.dataset import NotHistory, create_history, find_history
from ratings.services.history.merging import HistoryBusy, HistoryDisturbed, HistoryReport, Stage, import_history

__all__ = [
    "HistoryBusy",
    "HistoryDisturbed",
    "HistoryReport",
    "NotHistory",
    "Stage",
    "create_history",
    "find_history",
    "import_history",
]
