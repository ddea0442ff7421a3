"""Controls and appeals. What is gold is for operators alone: moderators rate, too."""

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnlyAdmin, as_id, as_uuid, column
from ratings.models import Appeal, ControlAnswer, GoldImage


@admin.register(GoldImage)
class GoldImageAdmin(ReadOnlyAdmin):
    """The nursery: gold, what is to become gold, and decoys."""

    list_display = (
        "image",
        "dataset",
        column("state", _("state")),
        column("use_count", _("answers")),
        column("aesthetic", _("known score")),
        "added_at",
    )
    list_filter = ("state",)
    list_select_related = ("image", "dataset")
    fieldsets = (
        (None, {"fields": ("image", "dataset", "state", "is_planted", "use_count", "added_at", "retired_at")}),
        (_("What is known"), {"fields": ("aesthetic", "aesthetic_share", "artifacts", "artifacts_share")}),
    )
    search_fields = ("image",)
    search_help_text = _("The id of an image.")
    lookups = ("image__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (key := as_uuid(term)) is None else Q(pk=key)


@admin.register(ControlAnswer)
class ControlAnswerAdmin(ReadOnlyAdmin):
    """What raters said of controls. It counts in no score."""

    list_display = (
        "id",
        "rater",
        "dataset",
        column("kind", _("kind")),
        column("aesthetic", _("aesthetic")),
        column("known_aesthetic", _("held against")),
        column("state", _("state")),
        "created_at",
    )
    list_filter = ("kind",)
    list_select_related = ("rater", "dataset")
    fieldsets = (
        (None, {"fields": ("rater", "image", "dataset", "kind", "state", "created_at", "client_agent")}),
        (_("Said"), {"fields": ("aesthetic", "artifacts", "said_aesthetic", "said_artifacts", "revision_count")}),
        (_("Held against"), {"fields": ("known_aesthetic", "aesthetic_share", "known_artifacts", "artifacts_share")}),
        (_("Reward"), {"fields": ("reward", "settlement")}),
    )
    search_fields = ("id",)
    search_help_text = _("The number of an answer.")
    lookups = ("rater__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    """Who says that a quarantine is wrong. Ending the quarantine, on the page of the rater, closes the appeal."""

    list_display = (
        "id",
        "rater",
        column("state", _("state")),
        column("repeat_count", _("repeats")),
        column("log_e", _("evidence")),
        "opened_at",
    )
    list_filter = ("state",)
    list_select_related = ("rater",)
    fields = ("rater", "state", "words", "repeat_count", "log_e", "opened_at", "decided_at")
    search_fields = ("id",)
    search_help_text = _("The number of an appeal.")
    lookups = ("rater__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)
