from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, as_uuid, column
from accounts.models import User
from ratings.admin.decisions import CarryOut, Decision, DecisionAdmin
from ratings.admin.impact import weigh_open, weigh_pause
from ratings.models import Dataset, ModerationAction
from ratings.services.moderation import open_dataset, pause_dataset

TOO_MANY = _("You selected several datasets. Decide about one at a time, each with its own reason.")

ORDER = _(
    "Images always come by chance; of some thirty at hand a rater who is trusted gets the one that the policy "
    "wants first. Everybody else gets any of them, because what tells whether somebody looks rests on chance. "
    "Breadth: the image with the fewest ratings. Depth: the one that lacks the fewest to its target, so that "
    "images are finished one after the other. Uncertainty: contested images, which have their target and are "
    "still not known well enough, then the one whose score is known worst: there a rating buys most certainty. "
    "An image has enough ratings at its target; where contested images may have more, it goes on until the 95 "
    "% interval of its score is narrow enough, or to that number."
)


def _about_one(service: Any) -> CarryOut:
    def carry_out(*, keys: Sequence[Any], by: User, reason: str, now: datetime) -> ModerationAction:
        return service(dataset=Dataset.objects.get(pk=keys[0]), by=by, reason=reason, now=now)

    return carry_out


DECISIONS = (
    Decision(
        name="pause_dataset",
        title=_("Pause dataset"),
        verb=_("Pause"),
        permission="ratings.change_dataset",
        limit=1,
        too_many=TOO_MANY,
        weigh=weigh_pause,
        carry_out=_about_one(pause_dataset),
        inverse="open_dataset",
    ),
    Decision(
        name="open_dataset",
        title=_("Open dataset"),
        verb=_("Open"),
        permission="ratings.change_dataset",
        limit=1,
        too_many=TOO_MANY,
        weigh=weigh_open,
        carry_out=_about_one(open_dataset),
        inverse="pause_dataset",
    ),
)


@admin.register(Dataset)
class DatasetAdmin(DecisionAdmin):
    """Datasets come into being by import. Moderators pause and open them; the words about them are a superuser's.

    The target is not edited here: which images are open depends on it.
    """

    list_display = (
        "slug",
        "name",
        column("state", _("state")),
        column("image_count", _("images")),
        column("target_rating_count", _("target")),
        column("licence", _("image licence")),
        column("ratings_licence", _("ratings licence")),
    )
    list_filter = ("state",)
    ordering = ("slug",)
    search_fields = ("slug",)
    search_help_text = _("The slug of a dataset, or how it begins; or its UUID.")
    fieldsets = (
        (None, {"fields": ("slug", "id", "name", "description", "licence", "ratings_licence")}),
        (
            _("Which images go first, and when there are enough ratings"),
            {"fields": ("order_policy", "contested_rating_count", "narrow_enough"), "description": ORDER},
        ),
        (_("Progress"), {"fields": ("state", "image_count", "target_rating_count", "scale_version", "created_at")}),
    )
    readonly_fields = ("slug", "id", "state", "image_count", "target_rating_count", "scale_version", "created_at")
    decisions: ClassVar[Sequence[Decision]] = DECISIONS
    doors: ClassVar[list[Door]] = [
        Door(_("Images"), "ratings.image", "dataset__id__exact"),
        Door(_("Ratings"), "ratings.rating", "dataset__id__exact"),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The change permission lets moderators decide; licences and words are not theirs."""
        del obj
        return request.user.is_active and request.user.is_superuser

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        found = Q(slug__startswith=term)
        return found | Q(pk=dataset_id) if (dataset_id := as_uuid(term)) else found
