"""Where allauth asks us how things are done here."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import read_browser_id
from accounts.addresses import hash_address, read_client_address
from accounts.languages import remember_language
from accounts.models import IdentityKind
from accounts.queries import find_identity_id


class AccountAdapter(DefaultAccountAdapter):
    """allauth's own ways, with refusals that say what to do next."""

    error_messages: ClassVar[dict[str, str | Promise]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This address and this password do not belong together. Check both."),
        "username_password_mismatch": _("This name and this password do not belong together. Check both."),
        "incorrect_code": _("This is not the code in the e-mail, or it has expired."),
        "incorrect_password": _("This is not your password."),
        "too_many_login_attempts": _("Too many attempts. Wait a few minutes, then try again."),
        "rate_limited": _("Too many requests. Wait a moment, then try again."),
    }

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **options: Any) -> HttpResponse:
        """Ask who rated here before they signed in whether that was them, on the way to where they were going."""
        response: HttpResponse = super().post_login(request, user, **options)
        if language := getattr(user, "language", ""):
            remember_language(response, language)
        browser_id = read_browser_id(request)
        if (
            browser_id
            and find_identity_id(kind=IdentityKind.BROWSER, external_id=browser_id)
            and response.get("Location")
        ):
            onward = urlencode({"next": response["Location"]})
            response["Location"] = f"{reverse('ratings:claim')}?{onward}"
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return what attempts are counted by: the hash by which we tell addresses apart, never the address."""
        return hash_address(read_client_address(request), now=timezone.now())
