"""Releases as those who run the service see them: every build, what became of it, and a button for another."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin.base import Door, ReadOnlyAdmin
from exports.models import Release, ReleaseFile
from exports.tasks import build_release_task
from ratings.admin import DatasetAdmin
from ratings.models import Dataset

DatasetAdmin.doors.append(Door(_("Releases"), "exports.release", "dataset__id__exact"))


class BuildForm(forms.Form):
    dataset = forms.ModelChoiceField(Dataset.objects.order_by("slug"), label=_("Dataset"), empty_label=None)


class ReleaseFileInline(admin.TabularInline):
    """The files of a release. They are evidence, and nobody's to edit."""

    model = ReleaseFile
    extra = 0
    can_delete = False
    fields = readonly_fields = ("path", "row_count", "byte_count", "sha256", "media_type")
    ordering = ("path",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """A list to look at, newest first. Who may add a release may have one built; nobody edits one."""

    change_list_template = "exports/admin_release_list.html"
    list_display = (
        "version",
        "dataset",
        "state",
        "rating_count",
        "image_count",
        "size",
        "requested_at",
        "published_at",
        "failure",
    )
    list_filter = ("state", "dataset")
    list_select_related = ("dataset",)
    search_fields = ("version",)
    search_help_text = _("A version, or how it begins; or the slug of a dataset.")
    fields = (
        "dataset",
        "version",
        "state",
        "failure",
        "schema_version",
        "rating_count",
        "image_count",
        "requested_at",
        "snapshot_at",
        "published_at",
    )
    inlines = (ReleaseFileInline,)
    lookups: ClassVar[tuple[str, ...]] = ("dataset__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return Q(version__startswith=term) | Q(dataset__slug=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        return super().get_queryset(request).annotate(byte_count=Sum("files__byte_count"))

    @admin.display(description=_("size"))
    def size(self, release: Any) -> str:
        return filesizeformat(release.byte_count) if release.byte_count else ""

    def get_urls(self) -> list[URLPattern]:
        build = self.admin_site.admin_view(require_POST(self.build_view))
        return [path("build/", build, name="exports_release_build"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        form = BuildForm() if request.user.has_perm("exports.add_release") else None
        return super().changelist_view(request, {"build_form": form, **(extra_context or {})})

    def build_view(self, request: HttpRequest) -> HttpResponse:
        """Have a release of one dataset built by a worker."""
        if not request.user.has_perm("exports.add_release"):
            raise PermissionDenied
        form = BuildForm(request.POST)
        if form.is_valid():
            dataset = form.cleaned_data["dataset"]
            build_release_task.delay_on_commit(dataset_id=str(dataset.pk))
            text = _now(
                "A worker is asked to build a release of %(dataset)s. Reload this page to see what becomes of it."
            )
            self.message_user(request, text % {"dataset": dataset.slug}, messages.SUCCESS)
        else:
            self.message_user(request, _now("Choose one of the datasets."), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:exports_release_changelist"))
