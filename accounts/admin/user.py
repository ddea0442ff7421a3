from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Door, ReadOnlyAdmin, as_id
from accounts.models import User


@admin.register(User)
class UserAdmin(ReadOnlyAdmin, DjangoUserAdmin):
    """People. They sign up and leave by themselves; a superuser decides who is staff and in which group.

    Everybody else who may look sees names and nothing that leads out of this service. The e-mail address
    is changed by its owner, because it has to be proven.
    """

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("username",)
    search_help_text = _("A user name, or how it begins; the number of a user; for superusers, also an e-mail address.")
    fieldsets = (
        (None, {"fields": ("username", "password", "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Times"), {"fields": ("date_joined", "last_login", "licence_accepted_at")}),
    )
    readonly_fields = ("username", "email", "date_joined", "last_login", "licence_accepted_at")
    filter_horizontal = ("groups",)
    superuser_fields = ("email", "password", "is_superuser", "groups", "last_login")
    doors: ClassVar[list[Door]] = [
        Door(_("Identities"), "accounts.identity", "user__id__exact"),
        Door(_("API keys"), "accounts.apikey", "user__id__exact"),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may edit users can make themselves anything, so only a superuser may."""
        del obj
        return request.user.is_active and request.user.is_superuser

    def find(self, term: str, request: HttpRequest) -> Q | None:
        found = Q(username__startswith=term)
        if request.user.is_superuser:
            found |= Q(email__startswith=term.lower())
        return found if (number := as_id(term)) is None else found | Q(pk=number)
