"""What the rating page sends."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ratings.services.rating import MAX_IDEMPOTENCY_KEY_LENGTH

LEASE_LENGTH = 100
MAX_AHEAD = 4


class LeaseForm(forms.Form):
    """The image an answer is about, and the proof that it was shown."""

    image_id = forms.UUIDField()
    lease = forms.CharField(max_length=LEASE_LENGTH)


class RatingForm(LeaseForm):
    """An answer to both questions; the second may be left out."""

    aesthetic = forms.IntegerField(min_value=1, max_value=10, error_messages={"required": _("Choose 1 to 10 first.")})
    artifacts = forms.IntegerField(min_value=0, max_value=5, required=False)
    idempotency_key = forms.CharField(max_length=MAX_IDEMPOTENCY_KEY_LENGTH, required=False)


class CountForm(forms.Form):
    """How many images the script asks for ahead."""

    count = forms.IntegerField(min_value=1, max_value=MAX_AHEAD, required=False)


class PageSettingsForm(forms.Form):
    """How a person wants the rating page; what is not sent stays as it is."""

    keys = forms.JSONField(required=False, error_messages={"invalid": _("The keys are not valid JSON.")})
    keys_on = forms.BooleanField(required=False)
    auto_advance = forms.BooleanField(required=False)
    reduced_data = forms.BooleanField(required=False)
    daily_goal = forms.IntegerField(label=_("Goal: ratings a day"), min_value=1, max_value=1000)
    weekly_goal = forms.IntegerField(label=_("Goal: active days a week"), min_value=1, max_value=7)
    # Hidden fields before the boxes send "", so that none ticked means none wanted.
    adult_classes = forms.TypedMultipleChoiceField(
        choices=[("", ""), ("suggestive", _("suggestive")), ("adult", _("adult"))],
        required=False,
    )
    birth_year = forms.IntegerField(label=_("Year of birth"), min_value=1900, max_value=2200, required=False)

    def changes(self) -> dict[str, Any]:
        """Return what was sent, by name."""
        sent = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        if "adult_classes" in sent:
            sent["adult_classes"] = [name for name in sent["adult_classes"] if name]
        if "keys" in sent:
            sent["keys"] = sent["keys"] or {}
        return sent
