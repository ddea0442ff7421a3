from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from accounts.admin import IdentityAdmin
from accounts.admin.base import EMPTY, Door, ReadOnlyAdmin, as_id, as_uuid, column, find_user_id, link_to
from accounts.models import User
from ratings.admin import impact
from ratings.admin.decisions import CarryOut, Decision, DecisionAdmin, Impact
from ratings.admin.pictures import show_picture
from ratings.models import ModerationAction, Rater, Skip
from ratings.services.quarantine import end_quarantine, end_validation, quarantine_rater, validate_rater

IdentityAdmin.doors.append(Door(_("Rater"), "ratings.rater", "identity__id__exact"))
TOO_MANY = _("You selected several raters. Decide about one at a time, each with its own reason.")


def _about_one(service: Callable[..., ModerationAction]) -> CarryOut:
    def carry_out(*, keys: Sequence[Any], by: User, reason: str, now: datetime) -> ModerationAction:
        return service(rater_id=keys[0], by=by, reason=reason, now=now)

    return carry_out


def _decision(
    service: Callable[..., ModerationAction], weigh: Callable[[Sequence[Any]], Impact], inverse: str, **words: Any
) -> Decision:
    return Decision(
        name=service.__name__,
        permission="ratings.change_rater",
        limit=1,
        too_many=TOO_MANY,
        weigh=weigh,
        carry_out=_about_one(service),
        inverse=inverse,
        **words,
    )


DECISIONS = (
    _decision(
        quarantine_rater,
        impact.weigh_quarantine,
        "end_quarantine",
        title=_("Put into quarantine"),
        verb=_("Put into quarantine"),
    ),
    _decision(
        end_quarantine, impact.weigh_end, "quarantine_rater", title=_("End quarantine"), verb=_("End quarantine")
    ),
    _decision(validate_rater, impact.weigh_validate, "end_validation", title=_("Validate rater"), verb=_("Validate")),
    _decision(
        end_validation,
        impact.weigh_end_validation,
        "validate_rater",
        title=_("End validation"),
        verb=_("End validation"),
    ),
)


@admin.register(Rater)
class RaterAdmin(DecisionAdmin):
    """Raters and where they stand. What a release's rater ids are derived from is shown to nobody."""

    list_display = (
        "id",
        "user",
        "kind",
        column("state", _("state")),
        column("is_trusted", _("trusted"), boolean=True),
        column("rating_count", _("ratings")),
        column("counted_count", _("that count")),
        column("challenges_failed", _("failed challenges")),
        "created_at",
    )
    list_display_links = ("id", "user")
    list_filter = ("state", "is_trusted", "is_shared")
    list_select_related = ("identity__user",)
    search_fields = ("id",)
    search_help_text = _("The number of a rater, or a user name in full.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "identity",
                    "user",
                    "state",
                    "state_before",
                    "is_trusted",
                    "is_shared",
                    "is_linked",
                    "created_at",
                )
            },
        ),
        (_("Counters"), {"fields": ("rating_count", "counted_count", "challenges_failed")}),
        (_("What stands out"), {"fields": ("signals",)}),
        (
            _("Elsewhere"),
            {"fields": ("images_generated", "external_kudos", "external_created_at", "is_trusted_elsewhere")},
        ),
    )
    readonly_fields = ("user", "signals")
    lookups = ("identity__id__exact",)
    decisions: ClassVar[Sequence[Decision]] = DECISIONS
    doors: ClassVar[list[Door]] = [
        Door(_("Ratings"), "ratings.rating", "rater__id__exact"),
        Door(_("Comparisons"), "ratings.comparison", "rater__id__exact"),
        Door(_("Steps from state to state"), "ratings.ratertransition", "rater__id__exact"),
        Door(_("What the answers say"), "ratings.raterscore", "rater__id__exact"),
        Door(_("How they come about"), "ratings.ratersignal", "rater__id__exact"),
        Door(_("Skips"), "ratings.skip", "rater__id__exact"),
        Door(_("Reports"), "ratings.report", "rater__id__exact"),
    ]

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if user_id := find_user_id(term):
            return Q(identity__user_id=user_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("user"))
    def user(self, rater: Rater) -> str:
        return rater.identity.user.username if rater.identity.user else EMPTY

    @admin.display(description=_("signals"))
    def signals(self, rater: Rater) -> str:
        """Say what stands out of how the answers come about; it is for a person to weigh."""
        found = rater.signals.filter(is_striking=True).order_by("-log_evidence")
        lines = [(sentence, date_format(at, "Y-m-d")) for sentence, at in found.values_list("sentence", "measured_at")]
        return format_html_join(mark_safe("<br>"), "{} ({})", lines) or EMPTY

    @admin.display(description=_("kind"))
    def kind(self, rater: Rater) -> str:
        return rater.identity.get_kind_display()


@admin.register(Skip)
class SkipAdmin(ReadOnlyAdmin):
    list_display = ("id", "picture", "rater", "reason", "created_at")
    list_select_related = ("image", "rater")
    search_fields = ("id",)
    search_help_text = _("The number of a skip, or the UUID of an image.")
    fields = ("image", "rater", "reason", "created_at")
    lookups = ("image__id__exact", "rater__id__exact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skip]:
        return super().get_queryset(request).defer("image__prompt", "image__generation")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if image_id := as_uuid(term):
            return Q(image_id=image_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("image"))
    def picture(self, skip: Skip) -> SafeString:
        return link_to(skip.image, show_picture(skip.image))
