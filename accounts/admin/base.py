"""What the administration of every table is built on: it shows and does not touch, and stays fast."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db import OperationalError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from accounts.admin.pagination import BoundedPaginator, IndexedChangeList
from accounts.models import User

LARGEST_ID = 2**63 - 1
EMPTY = "-"


class Door(NamedTuple):
    """A way from one row to the rows of another table that belong to it: ("ratings.rating", "rater__id__exact")."""

    label: str | Promise
    model: str
    lookup: str

    def url_for(self, key: object) -> str:
        app, model = self.model.split(".")
        return f"{reverse(f'admin:{app}_{model}_changelist')}?{self.lookup}={key}"

    def is_open_to(self, request: HttpRequest) -> bool:
        app, model = self.model.split(".")
        return request.user.has_perm(f"{app}.view_{model}")


class ReadOnlyAdmin(admin.ModelAdmin):
    """A table to look at.

    Lists come in the order of an index, are found by what is indexed, and are given up after
    ``list_timeout``. An address may filter by ``lookups`` and by the list's own filters, and by nothing
    else: otherwise whoever may not see a column could still ask which rows hold a value.
    """

    actions_selection_counter = True
    change_form_template = "admin/look_form.html"
    empty_value_display = EMPTY
    list_per_page = 100
    list_timeout: ClassVar[str] = "5s"
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by: ClassVar[tuple[str, ...]] = ()

    doors: ClassVar[Sequence[Door]] = ()
    lookups: ClassVar[Sequence[str]] = ()
    superuser_fields: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        del request, args
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def find(self, term: str, request: HttpRequest) -> Q | None:
        """Return the condition for what was typed into the search box, or None when it can match nothing."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        condition = self.find(term, request)
        return (queryset.none() if condition is None else queryset.filter(condition)), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        del value
        if request is None:
            return False
        own = {f"{name}__{kind}" for name in self.get_list_filter(request) for kind in ("exact", "isnull")}
        return lookup in own or lookup in self.lookups

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IndexedChangeList]:
        del request, kwargs
        return IndexedChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._visible(request, self.list_display)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self._visible(request, self.list_filter)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = super().get_fieldsets(request, obj)
        return [(name, {**options, "fields": self._visible(request, options["fields"])}) for name, options in sections]

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        context = {"subtitle": self._describe_lookups(request), **(extra_context or {})}
        try:
            # A transaction, so that the time limit ends with it; nothing is written.
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [self.list_timeout])
                return super().changelist_view(request, context)
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled) or not request.GET:
                raise
        slow = _("Too few rows match, and finding them took too long. Start from one image, rater or dataset instead.")
        self.message_user(request, slow, messages.WARNING)
        return HttpResponseRedirect(request.path)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        for value in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self.read_key(value)
        return super().response_action(request, queryset)

    def read_key(self, text: str) -> Any:
        """Return the primary key that a form or an address gives. Raises BadRequest."""
        try:
            return self.opts.pk.to_python(text)
        except ValidationError as error:
            raise BadRequest("This is not the key of a row.") from error

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            doors = [door for door in self.doors if door.is_open_to(request)]
            context |= {"doors": [{"label": door.label, "url": door.url_for(obj.pk)} for door in doors]}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Write the columns that were changed, and leave alone what others have counted meanwhile."""
        del request, change
        columns = {field.name for field in self.opts.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data))

    def _visible(self, request: HttpRequest, names: Sequence[Any]) -> list[Any]:
        return [name for name in names if request.user.is_superuser or name not in self.superuser_fields]

    def _describe_lookups(self, request: HttpRequest) -> str:
        named = [(lookup.split("__")[0], request.GET[lookup]) for lookup in self.lookups if lookup in request.GET]
        what = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named)
        return _("Only %(what)s") % {"what": what} if what else ""


class ReadOnlyInline(admin.TabularInline):
    """The few rows that belong to one row, shown on its page."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        del request, args
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False


def column(name: str, title: str | Promise, *, boolean: bool = False) -> Callable[[Any], Any]:
    """Return a column of a list that shows a field under a title short enough for a list."""

    @admin.display(description=cast("str", title), boolean=boolean)
    def show(obj: models.Model) -> Any:
        return getattr(obj, name)

    show.__name__ = name
    return show


def link_to(obj: models.Model, text: object = None) -> SafeString:
    """Return a link to the page of a row."""
    opts = obj._meta  # noqa: SLF001 - Django documents it
    address = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', address, text or obj)


def find_user_id(username: str) -> int | None:
    """Return who has this name. Asked first, because no index answers a condition on two tables at once."""
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


def as_id(term: str) -> int | None:
    """Return the number that was typed, or None when it cannot be the id of a row."""
    if not (term.isascii() and term.isdecimal()) or len(term) > len(str(LARGEST_ID)):
        return None
    return number if (number := int(term)) <= LARGEST_ID else None


def as_uuid(term: str) -> uuid.UUID | None:
    """Return the UUID that was typed, or None when it is none."""
    try:
        return uuid.UUID(term)
    except ValueError:
        return None
