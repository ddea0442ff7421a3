import uuid
from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import EMPTY, Door, ReadOnlyInline, as_uuid, column, link_to
from ratings.admin.decisions import Decision, DecisionAdmin
from ratings.admin.impact import weigh_hide, weigh_show
from ratings.admin.pictures import LARGE, STORED, serve_hidden_picture, show_picture
from ratings.models import Image, Rendition
from ratings.services.moderation import hide_images, restore_images

# One page of the list: more pictures than that nobody has looked at.
LIMIT = 100
TOO_MANY = _("You selected more than 100 images, and one decision covers at most 100. Take several decisions.")
DECISIONS = (
    Decision(
        name="hide_images",
        title=_("Hide images"),
        verb=_("Hide"),
        permission="ratings.change_image",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_hide,
        carry_out=lambda keys, **options: hide_images(image_ids=keys, **options),
        inverse="restore_images",
    ),
    Decision(
        name="restore_images",
        title=_("Restore images"),
        verb=_("Restore"),
        permission="ratings.change_image",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_show,
        carry_out=lambda keys, **options: restore_images(image_ids=keys, **options),
        inverse="hide_images",
    ),
)


class RenditionInline(ReadOnlyInline):
    model = Rendition
    fields = ("size", "width", "height", "byte_count", "sha256", "file")


# How many ratings it is to have where the engine decided otherwise than the dataset; why and when it has enough.
ENOUGH = ("wanted_count", "closed_because", "closed_at")


@admin.register(Image)
class ImageAdmin(DecisionAdmin):
    """Images as they were imported. Moderators hide and restore; what was planted, only superusers see."""

    list_display = (
        "picture",
        "name",
        "dataset",
        column("status", _("status")),
        column("adult_class", _("class")),
        column("is_open", _("open"), boolean=True),
        column("rating_count", _("ratings")),
        "mean",
    )
    list_display_links = ("name",)
    list_filter = ("status", "adult_class", "is_open")
    list_select_related = ("dataset",)
    # UUIDs tell nothing of time, but theirs is the order that an index has.
    ordering = ("pk",)
    search_fields = ("id",)
    search_help_text = _("The UUID of an image.")
    fieldsets = (
        (None, {"fields": ("large_picture", "id", "dataset", "status", "adult_class", "is_open", "created_at")}),
        (_("Ratings that count"), {"fields": ("rating_count", "mean", "artifacts_count", "mean_artifacts", *ENOUGH)}),
        (
            _("Source"),
            {
                "fields": (
                    "source_id",
                    "source_url",
                    "licence",
                    "sha256",
                    "width",
                    "height",
                    "mime",
                    "prompt",
                    "model_name",
                    "generation",
                    "planted_artifacts",
                )
            },
        ),
    )
    readonly_fields = ("large_picture", "mean", "mean_artifacts")
    superuser_fields = ("planted_artifacts",)
    lookups = ("dataset__id__exact",)
    inlines = (RenditionInline,)
    decisions: ClassVar[Sequence[Decision]] = DECISIONS
    doors: ClassVar[list[Door]] = [
        Door(_("Ratings"), "ratings.rating", "image__id__exact"),
        Door(_("Sets"), "ratings.imageset", "images__id__exact"),
        Door(_("Skips"), "ratings.skip", "image__id__exact"),
        Door(_("Reports"), "ratings.report", "image__id__exact"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        return super().get_queryset(request).defer("prompt", "generation")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.hidden_picture)
        return [path("<uuid:image_id>/picture.webp", view, name="ratings_image_picture"), *super().get_urls()]

    def hidden_picture(self, request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return serve_hidden_picture(request, get_object_or_404(Image, pk=image_id, status__in=STORED))

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return Q(pk=image_id) if (image_id := as_uuid(term)) else None

    @admin.display(description=_("image"))
    def picture(self, image: Image) -> SafeString:
        return link_to(image, show_picture(image))

    @admin.display(description=_("picture"))
    def large_picture(self, image: Image) -> SafeString | str:
        return show_picture(image, LARGE)

    @admin.display(description=_("id"))
    def name(self, image: Image) -> str:
        return str(image.pk)

    @admin.display(description=_("mean aesthetic"))
    def mean(self, image: Image) -> str:
        return f"{image.aesthetic_sum / image.rating_count:.2f}" if image.rating_count else EMPTY

    @admin.display(description=_("mean artifacts"))
    def mean_artifacts(self, image: Image) -> str:
        return f"{image.artifacts_sum / image.artifacts_count:.2f}" if image.artifacts_count else EMPTY
