"""What can be done on the page for comparing: each action has a form, and says what became of it."""

import uuid
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ratings.countermeasures.limits import Action
from ratings.forms import LARGEST_ID, ActionForm, read_measurements
from ratings.models import Outcome, ReportReason, SkipReason
from ratings.rewards import current_prices
from ratings.services.comparing_again import (
    NewAnswer,
    report_from_set,
    return_sets,
    revise_comparison,
    skip_set,
    unskip_set,
)
from ratings.services.comparison import ComparisonSubmission, SubmittedComparison, submit_comparison
from ratings.services.rating import MAX_IDEMPOTENCY_KEY_LENGTH
from ratings.services.reporting import MAX_NOTE_LENGTH
from ratings.set_selection import MAX_COUNT
from ratings.views.rate_actions import PAGE_AGENT, PageAction, Reply, accept_licence_of, admit

LEASE_LENGTH = 200
MAX_RETURNED = 20


class SetForm(ActionForm):
    """The set an answer is about, and the proof that it was shown."""

    set_id = forms.UUIDField()
    lease = forms.CharField(max_length=LEASE_LENGTH)


class ChoiceForm(ActionForm):
    """The best image, by its id, or that there is none."""

    choice = forms.CharField(
        max_length=40, error_messages={"required": gettext_lazy("Choose one, or say that there is none.")}
    )
    idempotency_key = forms.CharField(max_length=MAX_IDEMPOTENCY_KEY_LENGTH, required=False)

    def clean_choice(self) -> tuple[str, uuid.UUID | None]:
        """Return the outcome and the best image."""
        choice: str = self.cleaned_data["choice"]
        if choice in {Outcome.TIE, Outcome.ALL_BAD}:
            return choice, None
        try:
            return Outcome.BEST.value, uuid.UUID(choice)
        except ValueError as error:
            raise forms.ValidationError(_("Choose one, or say that there is none.")) from error


class ComparisonForm(ChoiceForm, SetForm):
    """A comparison; ``sha256`` are the hashes of the pictures shown, in their order, with commas between them."""

    sha256 = forms.RegexField(
        r"^[0-9a-f]{8,64}(,[0-9a-f]{8,64}){1,3}$",
        required=False,
        error_messages={"invalid": gettext_lazy("The hash of a picture is no hash.")},
    )


class ComparisonRevisionForm(ChoiceForm):
    """What somebody says now. The outbox of the browser knows each answer that can be revised as ``rating_id``."""

    rating_id = forms.IntegerField(min_value=1, max_value=LARGEST_ID)


class SetSkipForm(SetForm):
    """A set that is not to be compared, and why, if that is said."""

    reason = forms.ChoiceField(choices=SkipReason.choices, required=False)


class SetReportForm(SetForm):
    """What is wrong with one image of a set, for moderators."""

    image_id = forms.UUIDField(error_messages={"required": gettext_lazy("Choose which image it is.")})
    reason = forms.ChoiceField(
        choices=ReportReason.choices,
        error_messages={"required": gettext_lazy("Choose what is wrong with the image.")},
    )
    note = forms.CharField(max_length=MAX_NOTE_LENGTH, required=False)


class SetCountForm(forms.Form):
    """How many sets the script asks for ahead."""

    count = forms.IntegerField(min_value=1, max_value=MAX_COUNT, required=False)


def give_back_sets(request: HttpRequest) -> None:
    """Take back what was handed out to somebody who leaves."""
    tokens = request.POST.getlist("lease")[:MAX_RETURNED]
    return_sets(caller=admit(request, Action.READ), tokens=tokens, now=timezone.now())


def _submit(request: HttpRequest, form: ComparisonForm) -> Reply:
    outcome, best_id = form.cleaned_data["choice"]
    hashes = form.cleaned_data["sha256"]
    submission = ComparisonSubmission(
        set_id=form.cleaned_data["set_id"],
        lease=form.cleaned_data["lease"],
        outcome=outcome,
        best_id=best_id,
        hashes=hashes.split(",") if hashes else (),
        idempotency_key=form.cleaned_data["idempotency_key"],
        measurements=read_measurements(request.POST),
        client_agent=PAGE_AGENT,
    )
    caller = admit(request, Action.RATE)
    submitted = submit_comparison(caller=caller, submission=submission, prices=current_prices(), now=timezone.now())
    accept_licence_of(request)
    return _tell(request, _("Saved."), submitted)


def _revise(request: HttpRequest, form: ComparisonRevisionForm) -> Reply:
    outcome, best_id = form.cleaned_data["choice"]
    revised = revise_comparison(
        caller=admit(request, Action.RATE),
        compared=form.cleaned_data["rating_id"],
        answer=NewAnswer(outcome, best_id, form.cleaned_data["idempotency_key"]),
        prices=current_prices(),
        now=timezone.now(),
    )
    return _tell(request, _("Changed."), revised)


def _tell(request: HttpRequest, message: str, submitted: SubmittedComparison) -> Reply:
    reward = 0 if request.user.is_anonymous else submitted.reward
    if reward:
        message += " " + ngettext("%(reward)d kudos pending.", "%(reward)d kudos pending.", reward) % {"reward": reward}
    data = {
        "reward": reward,
        "rating_id": submitted.comparison_id,
        "is_repeat": submitted.is_repeat,
        "revisable_until": submitted.revisable_until.isoformat(),
    }
    return Reply(message, data, submitted.comparison_id)


def _skip(request: HttpRequest, form: SetSkipForm) -> Reply:
    skip_set(
        caller=admit(request, Action.RATE),
        set_id=form.cleaned_data["set_id"],
        token=form.cleaned_data["lease"],
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
    )
    return Reply(_("Skipped. These images will not be shown to you together for a month."), {"reward": 0})


def _unskip(request: HttpRequest, form: SetForm) -> Reply:
    given: dict[str, Any] = {"set_id": form.cleaned_data["set_id"], "token": form.cleaned_data["lease"]}
    unskip_set(caller=admit(request, Action.RATE), now=timezone.now(), **given)
    return Reply(_("The skip is taken back."))


def _report(request: HttpRequest, form: SetReportForm) -> Reply:
    given = {name: form.cleaned_data[name] for name in ("set_id", "image_id", "reason", "note")}
    report_from_set(caller=admit(request, Action.RATE), token=form.cleaned_data["lease"], now=timezone.now(), **given)
    return Reply(_("Reported. A moderator will look at this image."), {"reward": 0})


ACTIONS = {
    "submit": PageAction(ComparisonForm, _submit),
    "revise": PageAction(ComparisonRevisionForm, _revise),
    "skip": PageAction(SetSkipForm, _skip),
    "unskip": PageAction(SetForm, _unskip),
    "report": PageAction(SetReportForm, _report),
}
