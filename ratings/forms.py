"""What the rating page sends."""

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
