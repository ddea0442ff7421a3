from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import EMPTY, ReadOnlyAdmin, as_id, as_uuid, column, link_to
from ratings.admin.pictures import LARGE, show_picture
from ratings.models import Report


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """What raters noticed, and what came of many skips. To look at; images are hidden and shown on their own page."""

    list_display = (
        "id",
        "picture",
        column("reason", _("reason")),
        "times_reported",
        column("state", _("state")),
        "status",
        "reporter",
        "created_at",
        "note",
    )
    list_filter = ("state", "reason")
    list_select_related = ("image", "rater")
    search_fields = ("id",)
    search_help_text = _("The number of a report, or the UUID of an image.")
    fields = (
        "large_picture",
        "image",
        "status",
        "reason",
        "times_reported",
        "note",
        "state",
        "reporter",
        "created_at",
        "address_hash",
    )
    readonly_fields = ("large_picture", "status", "times_reported", "reporter")
    superuser_fields = ("address_hash",)
    lookups = ("image__id__exact", "rater__id__exact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        same = Report.objects.filter(image_id=OuterRef("image_id"), reason=OuterRef("reason")).order_by()
        counted = same.values("image_id").annotate(n=Count("pk")).values("n")
        rows = super().get_queryset(request).defer("image__prompt", "image__generation")
        return rows.annotate(times=Subquery(counted))

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if image_id := as_uuid(term):
            return Q(image_id=image_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("image"))
    def picture(self, report: Report) -> SafeString:
        return link_to(report.image, show_picture(report.image))

    @admin.display(description=_("picture"))
    def large_picture(self, report: Report) -> SafeString | str:
        return show_picture(report.image, LARGE)

    @admin.display(description=_("image is"))
    def status(self, report: Report) -> str:
        return report.image.get_status_display()

    @admin.display(description=_("times reported for this"))
    def times_reported(self, report: Report) -> int:
        return int(getattr(report, "times", 0))

    @admin.display(description=_("reported by"))
    def reporter(self, report: Report) -> SafeString | str:
        return link_to(report.rater, str(report.rater)) if report.rater else EMPTY
