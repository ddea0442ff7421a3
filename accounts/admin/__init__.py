"""The administration of accounts, and what the administration of every app is built on.

Staff sign in where everybody does: the same limits on attempts, and the same ways to prove who one is.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin.api_key import ApiKeyAdmin
from accounts.admin.identity import IdentityAdmin
from accounts.admin.user import UserAdmin

__all__ = ["ApiKeyAdmin", "IdentityAdmin", "UserAdmin"]

admin.site.site_header = "Kudoscope"
admin.site.site_title = "Kudoscope"
admin.site.index_title = _("Administration")
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
