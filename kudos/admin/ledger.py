"""The ledger to look at. The database refuses to change what was posted, and nothing here tries."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import IdentityAdmin, UserAdmin
from accounts.admin.base import EMPTY, Door, ReadOnlyAdmin, ReadOnlyInline, as_id, find_user_id
from kudos.models import Account, AccountKind, Entry, Transaction

UserAdmin.doors.append(Door(_("Kudos accounts"), "kudos.account", "identity__user__id__exact"))
IdentityAdmin.doors.append(Door(_("Kudos account"), "kudos.account", "identity__id__exact"))


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts. Only those of people store a balance, so the others show none."""

    list_display = ("id", "kind", "identity", "user", "stored_balance", "created_at")
    list_filter = ("kind",)
    list_select_related = ("identity__user",)
    search_fields = ("id",)
    search_help_text = _("The number of an account, or a user name in full.")
    fields = ("kind", "identity", "user", "stored_balance", "created_at")
    lookups = ("identity__id__exact", "identity__user__id__exact")
    doors: ClassVar[Sequence[Door]] = (Door(_("Entries"), "kudos.entry", "account__id__exact"),)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if user_id := find_user_id(term):
            return Q(identity__user_id=user_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("user"))
    def user(self, account: Account) -> str:
        identity = account.identity
        return identity.user.username if identity and identity.user else EMPTY

    @admin.display(description=_("balance"))
    def stored_balance(self, account: Account) -> int | str:
        return account.balance if account.kind == AccountKind.USER else EMPTY


class EntryInline(ReadOnlyInline):
    """The legs of a transaction: two or three."""

    model = Entry
    fields = ("account", "amount")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("account")


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    list_display = ("id", "reason", "reference", "note", "created_at")
    list_display_links = ("id", "reference")
    list_filter = ("reason",)
    search_fields = ("reference",)
    search_help_text = _("The number of a transaction, or its reference in full.")
    fields = ("reason", "reference", "note", "created_at")
    inlines = (EntryInline,)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        found = Q(reference=term)
        return found if (number := as_id(term)) is None else found | Q(pk=number)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "account", "amount", "transaction", "reason", "posted_at")
    list_select_related = ("account", "transaction")
    search_fields = ("id",)
    search_help_text = _("The number of an entry.")
    fields = ("account", "amount", "transaction", "reason", "posted_at")
    lookups = ("account__id__exact", "transaction__id__exact")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("reason"))
    def reason(self, entry: Entry) -> str:
        return entry.transaction.get_reason_display()

    @admin.display(description=_("posted"))
    def posted_at(self, entry: Entry) -> Any:
        return entry.transaction.created_at
