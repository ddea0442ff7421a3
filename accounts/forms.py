"""What people fill in: signing in and up (allauth's forms, put in plain words), API keys, and where a list goes on."""

from typing import Any

from allauth.account.forms import LoginForm, SignupForm
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Scope, default_scopes

LARGEST_ID = 2**63 - 1
# Nobody makes a key for a relay here: it speaks for other people. An administrator does, `make_relay_key`.
SCOPE_TEXTS = {
    Scope.RATE: _("rate images"),
    Scope.READ: _("read my own ratings and kudos"),
    Scope.MODERATE: _("moderate, where I may"),
}


class SignInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Name or e-mail address")
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["remember"].label = _("Stay signed in on this device")


class SignUpForm(SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Name")
        self.fields["username"].help_text = _("Your real name is not asked for. Releases do not contain this one.")
        self.fields["email"].label = _("E-mail address")


class LanguageForm(forms.Form):
    """Another language for pages, and the page to go on with."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    next = forms.CharField(max_length=2000, required=False)


class ApiKeyForm(forms.Form):
    """A new key: what it is called and what it may do."""

    name = forms.CharField(
        label=_("What the key is for"),
        max_length=ApiKey.name.field.max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("A name for yourself, such as the program that will use it."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What the key may do"),
        choices=list(SCOPE_TEXTS.items()),
        initial=default_scopes,
        widget=forms.CheckboxSelectMultiple,
    )


class HordeKeyForm(forms.Form):
    """A key of AI Horde, used once to ask whose it is."""

    key = forms.CharField(
        label=_("Your AI Horde API key"),
        max_length=100,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("It is used once, to ask AI Horde who you are, and is not kept."),
    )


class OlderForm(forms.Form):
    """Where a list, newest first, goes on: after the row with this id."""

    before = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
