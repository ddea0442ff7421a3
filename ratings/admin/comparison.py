from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, ReadOnlyAdmin, ReadOnlyInline, as_id, as_uuid, column, link_to
from ratings.admin.comparison_impact import weigh_comparisons_restored, weigh_comparisons_voided
from ratings.admin.decisions import Decision, DecisionAdmin, find_keys_of_action
from ratings.admin.measured import MEASURED
from ratings.admin.pictures import LARGE, show_picture
from ratings.admin.rating import LIMIT, kudos_of, name_of
from ratings.models import Comparison, Image, ImageInSet, ImageSet, ModerationAction
from ratings.services.voiding_comparisons import restore_comparisons, void_comparisons

TOO_MANY = _(
    "You selected more than 10,000 comparisons, and one decision covers at most 10,000. "
    "Narrow the list to one rater or set, or take several decisions."
)
DECISIONS = (
    Decision(
        name="void_comparisons",
        title=_("Void comparisons"),
        verb=_("Void"),
        permission="ratings.change_comparison",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_comparisons_voided,
        carry_out=lambda keys, **options: void_comparisons(comparison_ids=keys, **options),
        inverse="restore_comparisons",
    ),
    Decision(
        name="restore_comparisons",
        title=_("Restore comparisons"),
        verb=_("Restore"),
        permission="ratings.change_comparison",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_comparisons_restored,
        carry_out=lambda keys, **options: restore_comparisons(comparison_ids=keys, **options),
        inverse="void_comparisons",
    ),
)


class PlaceInline(ReadOnlyInline):
    model = ImageInSet
    fields = ("position", "picture", "image")
    readonly_fields = ("picture",)
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageInSet]:
        return super().get_queryset(request).select_related("image").defer("image__prompt", "image__generation")

    @admin.display(description=_("picture"))
    def picture(self, place: ImageInSet) -> SafeString | str:
        return show_picture(place.image)


@admin.register(ImageSet)
class ImageSetAdmin(ReadOnlyAdmin):
    """Images of one request, as a relay named them."""

    list_display = ("id", "dataset", column("image_count", _("images")), "created_at")
    list_select_related = ("dataset",)
    # UUIDs tell nothing of time, but theirs is the order that an index has.
    ordering = ("pk",)
    search_fields = ("id",)
    search_help_text = _("The UUID of a set.")
    fields = ("id", "dataset", "image_count", "created_at")
    lookups = ("images__id__exact",)
    inlines = (PlaceInline,)
    doors: ClassVar[list[Door]] = [Door(_("Comparisons"), "ratings.comparison", "image_set__id__exact")]

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return Q(pk=set_id) if (set_id := as_uuid(term)) else None


@admin.register(Comparison)
class ComparisonAdmin(DecisionAdmin):
    """What somebody found of a set, and the evidence of how it was said. Moderators void and restore.

    What tells people behind one address apart is for superusers.
    """

    list_display = (
        "id",
        "picture",
        column("outcome", _("outcome")),
        column("state", _("state")),
        "image_set",
        "rater_link",
        column("best_from", _("known from")),
        column("is_tied", _("tied"), boolean=True),
        "kudos",
        "client",
        "created_at",
    )
    list_filter = ("state", "outcome", "proof", "best_from", "is_tied")
    list_select_related = ("best", "image_set", "rater__identity__user")
    search_fields = ("id",)
    search_help_text = _("The number of a comparison, or the UUID of a set.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "outcome",
                    "shown",
                    "best",
                    "image_set",
                    "rater_link",
                    "best_from",
                    "is_tied",
                    "revision_count",
                    "created_at",
                )
            },
        ),
        (_("What became of it"), {"fields": ("state", "moderation_action", "reward", "settlement", "void_debit")}),
        (
            _("How it came"),
            {
                "fields": (
                    "proof",
                    "issued_at",
                    "is_late",
                    "is_shared",
                    "client_agent",
                    "country",
                    "scale_version",
                    "lease_id",
                    "idempotency_key",
                    "address_hash",
                )
            },
        ),
        MEASURED,
        (
            _("The rater at that moment"),
            {
                "fields": (
                    "rater_rating_count",
                    "rater_is_trusted",
                    "rater_is_trusted_elsewhere",
                    "rater_challenges_failed",
                    "rater_images_generated",
                    "rater_kudos",
                    "rater_account_age",
                )
            },
        ),
    )
    readonly_fields = ("shown", "rater_link")
    superuser_fields = ("settlement", "lease_id", "idempotency_key", "address_hash", "session_id")
    lookups = ("image_set__id__exact", "rater__id__exact", "moderation_action__id__exact")
    decisions: ClassVar[Sequence[Decision]] = DECISIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        return super().get_queryset(request).defer("best__prompt", "best__generation")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if set_id := as_uuid(term):
            return Q(image_set_id=set_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    def find_keys(self, request: HttpRequest, decision: Decision) -> Sequence[Any]:
        """A link may also name an action, and so the comparisons that are as it left them."""
        of_action = find_keys_of_action(request, decision, Comparison)
        return super().find_keys(request, decision) if of_action is None else of_action

    def undo_query(self, action: ModerationAction, keys: Sequence[Any]) -> str:
        del keys
        return f"action={action.pk}"

    @admin.display(description=_("best"))
    def picture(self, comparison: Comparison) -> SafeString | str:
        if comparison.best is None:
            return "-"
        return link_to(comparison.best, show_picture(comparison.best))

    @admin.display(description=_("images in the order shown"))
    def shown(self, comparison: Comparison) -> SafeString:
        images = Image.objects.defer("prompt", "generation").in_bulk(comparison.image_ids)
        pictures = [images[image_id] for image_id in comparison.image_ids]
        return format_html_join(" ", "{}", ((link_to(image, show_picture(image, LARGE)),) for image in pictures))

    @admin.display(description=_("rater"))
    def rater_link(self, comparison: Comparison) -> SafeString:
        return link_to(comparison.rater, name_of(comparison.rater.identity.user, comparison.rater_id))

    @admin.display(description=_("kudos"))
    def kudos(self, comparison: Comparison) -> str:
        return kudos_of(comparison)

    @admin.display(description=_("client"))
    def client(self, comparison: Comparison) -> str:
        return comparison.client_agent.split(":")[0][:30]
