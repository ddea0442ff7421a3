from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnlyAdmin, as_id, column
from ratings.models import QualityAlarm, RaterScore, RaterSignal, RaterTransition


@admin.register(RaterTransition)
class RaterTransitionAdmin(ReadOnlyAdmin):
    """How raters went from state to state, and why."""

    list_display = (
        "id",
        "rater",
        column("from_state", _("from")),
        column("to_state", _("to")),
        column("reason", _("reason")),
        "taken_at",
    )
    list_select_related = ("rater",)
    fields = ("rater", "from_state", "to_state", "reason", "evidence", "moderation_action", "taken_at")
    search_fields = ("id",)
    search_help_text = _("The number of a step.")
    lookups = ("rater__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)


@admin.register(RaterScore)
class RaterScoreAdmin(ReadOnlyAdmin):
    """What the answers of raters say about them, for each dataset and question."""

    list_display = (
        "id",
        "rater",
        "dataset",
        column("task", _("question")),
        column("rating_count", _("ratings")),
        column("p_honest", _("looks (p)")),
        column("reliability", _("reliability")),
        column("reason", _("what speaks against")),
    )
    list_select_related = ("rater", "dataset")
    fieldsets = (
        (None, {"fields": ("rater", "dataset", "task", "rating_count", "is_silent", "updated_at")}),
        (
            _("Reliability"),
            {"fields": ("reliability", "reliability_low", "reliability_high", "weight", "bias", "noise")},
        ),
        (_("Tests"), {"fields": ("p_honest", "trust_log_e", "ban_log_e", "change", "reason")}),
    )
    search_fields = ("id",)
    search_help_text = _("The number of a row.")
    lookups = ("rater__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)


@admin.register(RaterSignal)
class RaterSignalAdmin(ReadOnlyAdmin):
    """How answers come about. It is evidence to be weighed by a person, and moves nobody."""

    list_display = (
        "id",
        "rater",
        "dataset",
        column("kind", _("signal")),
        column("is_striking", _("stands out"), boolean=True),
        column("log_evidence", _("evidence")),
        column("sentence", _("in words")),
        "measured_at",
    )
    list_filter = ("is_striking", "kind")
    list_select_related = ("rater", "dataset")
    fieldsets = (
        (None, {"fields": ("rater", "dataset", "kind", "sentence", "value", "answer_count", "log_evidence")}),
        (_("Over time"), {"fields": ("is_striking", "struck_at", "measured_at", "past_evidence", "past_at")}),
    )
    search_fields = ("id",)
    search_help_text = _("The number of a row.")
    lookups = ("rater__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)


@admin.register(QualityAlarm)
class QualityAlarmAdmin(ReadOnlyAdmin):
    """What about the scores of a dataset a person has to look at."""

    list_display = ("id", "dataset", column("task", _("question")), "message", "raised_at")
    list_select_related = ("dataset",)
    fields = ("dataset", "task", "kind", "message", "value", "raised_at")
    search_fields = ("id",)
    search_help_text = _("The number of an alarm.")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)
