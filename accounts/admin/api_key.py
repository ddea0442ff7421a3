from collections.abc import Iterable
from typing import cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.base import ReadOnlyAdmin, find_user_id
from accounts.models import ApiKey, User
from accounts.queries import PREFIX_LENGTH
from accounts.services import NoSuchApiKey, revoke_api_key


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys, of which nobody sees more than the prefix. They can be revoked, and not be given back."""

    list_display = ("prefix", "name", "user", "scopes", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("prefix",)
    search_help_text = _("The first eight characters of a key, or a user name in full. Never paste a whole key.")
    fields = ("prefix", "name", "user", "scopes", "created_at", "last_used_at", "revoked_at")
    lookups = ("user__id__exact",)
    actions = ("revoke",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        found = Q(prefix=term[:PREFIX_LENGTH])
        return found | Q(user_id=user_id) if (user_id := find_user_id(term)) else found

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description=_("Revoke the selected keys, for good"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = list(_revoke_all(queryset.filter(revoked_at=None)))
        user_id = cast("User", request.user).pk
        for key in revoked:
            LogEntry.objects.log_actions(user_id, [key], CHANGE, str(_("Revoked.")), single_object=True)
        if not revoked:
            self.message_user(request, _("These keys are revoked already."), messages.WARNING)
            return
        done = ngettext("%(count)d key is revoked.", "%(count)d keys are revoked.", len(revoked))
        self.message_user(request, done % {"count": len(revoked)}, messages.SUCCESS)


def _revoke_all(keys: Iterable[ApiKey]) -> Iterable[ApiKey]:
    for key in keys:
        try:
            yield revoke_api_key(user=key.user, key_id=key.pk, now=timezone.now())
        except NoSuchApiKey:
            continue  # Its owner was faster.
