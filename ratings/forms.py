"""What the rating page sends."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ratings.models import InputKind, ReportReason, SkipReason
from ratings.services.rating import MAX_IDEMPOTENCY_KEY_LENGTH, Measurements
from ratings.services.reporting import MAX_NOTE_LENGTH

LEASE_LENGTH = 100
IDENTITY_LENGTH = 40
MAX_AHEAD = 8
UNSURE = "unsure"
LARGEST_ID = 2**63 - 1
LARGEST_SMALL = 2**15 - 1
HOUR_MS = 3_600_000
SESSION = re.compile(r"[0-9a-f]{32}")
BOOLEANS = {"1": True, "0": False}


class AnswerField(forms.IntegerField):
    """A number on a scale, or `UNSURE` for "cannot judge"."""

    def to_python(self, value: Any) -> Any:
        return UNSURE if value == UNSURE else super().to_python(value)

    def run_validators(self, value: Any) -> None:
        if value != UNSURE:
            super().run_validators(value)


class ActionForm(forms.Form):
    """Whatever is done: ``identity`` is what the caller was called when they did it, if the page says so."""

    identity = forms.CharField(max_length=IDENTITY_LENGTH, required=False)


class LeaseForm(ActionForm):
    """The image an answer is about, and the proof that it was shown."""

    image_id = forms.UUIDField()
    lease = forms.CharField(max_length=LEASE_LENGTH)


class AnswersForm(ActionForm):
    """Answers to both questions; the second may be left out, and either may be `UNSURE`."""

    aesthetic = AnswerField(min_value=1, max_value=10, error_messages={"required": _("Choose 1 to 10 first.")})
    artifacts = AnswerField(min_value=0, max_value=5, required=False)
    idempotency_key = forms.CharField(max_length=MAX_IDEMPOTENCY_KEY_LENGTH, required=False)

    @property
    def judges_nothing(self) -> bool:
        """Whether neither question is answered: there is nothing to store."""
        answers = self.answers()
        return answers["aesthetic"] is None and answers["artifacts"] is None

    def answers(self) -> dict[str, Any]:
        """Return the answers as services take them."""
        given = {name: self.cleaned_data[name] for name in ("aesthetic", "artifacts")}
        numbers = {name: None if value == UNSURE else value for name, value in given.items()}
        return numbers | {"is_artifacts_unsure": given["artifacts"] == UNSURE}


class RatingForm(AnswersForm, LeaseForm):
    """A rating, with what the browser knows of the bytes it showed."""

    sha256 = forms.RegexField(
        r"^[0-9a-f]{8,64}$", required=False, error_messages={"invalid": _("The hash of the picture is no hash.")}
    )


class RevisionForm(AnswersForm):
    """What somebody says now in the place of what they said."""

    rating_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)


class SkipForm(LeaseForm):
    """An image that is not to be rated, and why, if that is said."""

    reason = forms.ChoiceField(choices=SkipReason.choices, required=False)


class ReportForm(LeaseForm):
    """What is wrong with an image, for moderators."""

    reason = forms.ChoiceField(
        choices=ReportReason.choices, error_messages={"required": _("Choose what is wrong with the image.")}
    )
    note = forms.CharField(max_length=MAX_NOTE_LENGTH, required=False)


class LookForm(ActionForm):
    """The rating of somebody who would like to see what others said."""

    rating_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)


def read_measurements(sent: Mapping[str, str]) -> Measurements:
    """Return what the page measured. A rating is not refused for a measurement: what is none is left out.

    Numbers that are too large to be true are the largest that is stored.
    """
    return Measurements(
        session_id=uuid.UUID(hex=session) if SESSION.fullmatch(session := sent.get("session", "")) else None,
        session_position=_whole(sent.get("position"), 1, LARGEST_SMALL),
        is_before_training=BOOLEANS.get(sent.get("is_before_training", "")),
        decode_ms=_whole(sent.get("decode_ms"), 0, HOUR_MS),
        first_input_ms=_whole(sent.get("first_input_ms"), 0, HOUR_MS),
        answer_ms=_whole(sent.get("answer_ms"), 0, HOUR_MS),
        input_kind=kind if (kind := sent.get("input", "")) in InputKind.values else "",
        displayed_width=_whole(sent.get("displayed_width"), 1, LARGEST_SMALL),
        pixel_ratio=_whole(sent.get("pixel_ratio"), 1, LARGEST_SMALL, times=100),
        is_dark=BOOLEANS.get(sent.get("is_dark", "")),
        is_zoomed=BOOLEANS.get(sent.get("is_zoomed", "")),
        language=language if (language := sent.get("language", "")) in dict(settings.LANGUAGES) else "",
    )


def _whole(text: str | None, smallest: int, largest: int, *, times: int = 1) -> int | None:
    try:
        number = float(text or "") * times
    except ValueError:
        return None
    # Not a number compares as false.
    return round(min(number, largest)) if smallest <= number else None


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


class PracticeForm(forms.Form):
    """An answer to an image to practise on."""

    image_id = forms.UUIDField()
    artifacts = forms.IntegerField(min_value=0, max_value=5, error_messages={"required": _("Choose 0 to 5 first.")})
