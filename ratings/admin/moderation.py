from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, ReadOnlyAdmin, as_id, as_uuid, find_user_id
from ratings.admin import comparison, dataset, image, rater, rating
from ratings.models import ActionKind, Dataset, ModerationAction

RATINGS = Door(_("Ratings"), "ratings.rating", "moderation_action__id__exact")
COMPARISONS = Door(_("Comparisons"), "ratings.comparison", "moderation_action__id__exact")
# Answers say which action left them as they are.
DOORS = {
    ActionKind.VOID_RATINGS: RATINGS,
    ActionKind.RESTORE_RATINGS: RATINGS,
    ActionKind.VOID_COMPARISONS: COMPARISONS,
    ActionKind.RESTORE_COMPARISONS: COMPARISONS,
}
OF_DATASETS = {ActionKind.PAUSE_DATASET, ActionKind.OPEN_DATASET}
OF_RATERS = {
    ActionKind.QUARANTINE_RATER,
    ActionKind.END_QUARANTINE,
    ActionKind.VALIDATE_RATER,
    ActionKind.END_VALIDATION,
}
ALL = (*comparison.DECISIONS, *dataset.DECISIONS, *image.DECISIONS, *rater.DECISIONS, *rating.DECISIONS)
DECISIONS = {decision.name: decision for decision in ALL}
# The kinds speak of one image, the decisions of several; all other names are the same.
NAMES = {ActionKind.HIDE_IMAGE: "hide_images", ActionKind.RESTORE_IMAGE: "restore_images"}


@admin.register(ModerationAction)
class ModerationActionAdmin(ReadOnlyAdmin):
    """What was decided, by whom and why. Written once, by the services; read by every moderator."""

    list_display = ("id", "kind", "subject", "affected_count", "moderator", "taken_at", "reason")
    list_filter = ("kind",)
    list_select_related = ("taken_by",)
    search_fields = ("id",)
    search_help_text = _("The number of an action, or the name of a moderator in full.")
    fields = ("kind", "subject", "affected_count", "moderator", "taken_at", "reason")
    readonly_fields = ("subject", "moderator")
    lookups = ("taken_by__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if user_id := find_user_id(term):
            return Q(taken_by_id=user_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        action = kwargs["obj"]
        decision = DECISIONS[NAMES.get(action.kind, action.kind)]
        rows = _name_rows(action)
        if rows and request.user.has_perm(decision.permission):
            address = f"{reverse(f'admin:ratings_{decision.inverse}')}?{rows}"
            context |= {"decisions": [{"label": _("Undo"), "url": address, "is_possible": True}]}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("moderator"))
    def moderator(self, action: ModerationAction) -> str | Promise:
        return action.taken_by.username if action.taken_by else _("the service, after reports")

    @admin.display(description=_("about"))
    def subject(self, action: ModerationAction) -> SafeString | str:
        if address := _address_of(action):
            return format_html('<a href="{}">{}</a>', address, action.target)
        return action.target


def _name_rows(action: ModerationAction) -> str | None:
    """Return how an address names the rows of an action; None for several images, whose ids it does not keep."""
    if action.kind in DOORS:
        return f"action={action.pk}"
    if action.kind in OF_RATERS:
        return f"keys={_rater_of(action)}"
    if action.kind in OF_DATASETS:
        key = Dataset.objects.filter(slug=action.target).values_list("pk", flat=True).first()
    else:
        key = as_uuid(action.target)
    return f"keys={key.hex}" if key else None


def _address_of(action: ModerationAction) -> str | None:
    """Return where what the action was about can be seen."""
    if action.kind in DOORS:
        return DOORS[ActionKind(action.kind)].url_for(action.pk)
    if action.kind in OF_RATERS:
        return reverse("admin:ratings_rater_change", args=[_rater_of(action)])
    if action.kind in OF_DATASETS:
        return f"{reverse('admin:ratings_dataset_changelist')}?{urlencode({'q': action.target})}"
    if image_id := as_uuid(action.target):
        return reverse("admin:ratings_image_change", args=[image_id])
    return None


def _rater_of(action: ModerationAction) -> str:
    """Return the number in "rater 12", as the service writes it."""
    return action.target.rpartition(" ")[2]
