from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, ReadOnlyAdmin, ReadOnlyInline, as_id, as_uuid, column, link_to
from ratings.admin.pictures import LARGE, show_picture
from ratings.admin.rating import name_of
from ratings.models import Comparison, ImageInSet, ImageSet


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
class ComparisonAdmin(ReadOnlyAdmin):
    """Which image of a set somebody found best, and the evidence of how it was said."""

    list_display = (
        "id",
        "picture",
        "image_set",
        "rater_link",
        column("best_from", _("known from")),
        column("is_tied", _("tied"), boolean=True),
        "client",
        "created_at",
    )
    list_filter = ("best_from", "is_tied")
    list_select_related = ("best", "image_set", "rater__identity__user")
    search_fields = ("id",)
    search_help_text = _("The number of a comparison, or the UUID of a set.")
    fieldsets = (
        (
            None,
            {"fields": ("large_picture", "best", "image_set", "rater_link", "best_from", "is_tied", "created_at")},
        ),
        (_("How it came"), {"fields": ("proof", "is_shared", "client_agent", "country", "address_hash")}),
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
    readonly_fields = ("large_picture", "rater_link")
    superuser_fields = ("address_hash",)
    lookups = ("image_set__id__exact", "rater__id__exact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        return super().get_queryset(request).defer("best__prompt", "best__generation")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if set_id := as_uuid(term):
            return Q(image_set_id=set_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("best"))
    def picture(self, comparison: Comparison) -> SafeString:
        return link_to(comparison.best, show_picture(comparison.best))

    @admin.display(description=_("picture"))
    def large_picture(self, comparison: Comparison) -> SafeString | str:
        return show_picture(comparison.best, LARGE)

    @admin.display(description=_("rater"))
    def rater_link(self, comparison: Comparison) -> SafeString:
        return link_to(comparison.rater, name_of(comparison.rater.identity.user, comparison.rater_id))

    @admin.display(description=_("client"))
    def client(self, comparison: Comparison) -> str:
        return comparison.client_agent.split(":")[0][:30]
