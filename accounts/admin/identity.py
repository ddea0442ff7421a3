from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, ReadOnlyAdmin, as_id, find_user_id
from accounts.models import Identity, IdentityKind


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    """Who answers. Upper apps add the doors to what they keep of an identity."""

    list_display = ("id", "kind", "external_id", "name", "user", "created_at")
    list_display_links = ("id", "external_id")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("external_id",)
    search_help_text = _("The number of an identity, its external id, or a user name, in full.")
    fields = ("kind", "external_id", "name", "user", "created_at")
    lookups = ("user__id__exact",)
    doors: ClassVar[list[Door]] = []

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        # With every kind named, the index on (kind, external id) answers.
        found = Q(kind__in=IdentityKind.values, external_id=term)
        if user_id := find_user_id(term):
            found |= Q(user_id=user_id)
        return found if (number := as_id(term)) is None else found | Q(pk=number)
