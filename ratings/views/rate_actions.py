"""What can be done on the rating page: each action has a form, and says what became of it in words and as data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import Caller, browser_holder, caller_from_request, take_over_leases
from accounts.queries import claimed_browsers
from ratings.countermeasures import admit_caller
from ratings.countermeasures.limits import Action
from ratings.forms import (
    ActionForm,
    LeaseForm,
    LookForm,
    RatingForm,
    ReportForm,
    RevisionForm,
    SkipForm,
    read_measurements,
)
from ratings.leases.token import label_of
from ratings.models import SkipReason
from ratings.rewards import current_prices
from ratings.services.proving import return_leases
from ratings.services.rater import accept_licence
from ratings.services.rating import RatingSubmission, SubmittedRating, submit_rating
from ratings.services.refusals import RatingRefused
from ratings.services.reporting import report_image
from ratings.services.revising import RatingRevision, look_at_crowd, revise_rating
from ratings.services.skipping import skip_image, unskip_image
from ratings.views.answers import Reply

PAGE_AGENT = "kudoscope-page:1:this-site"


class IdentityChanged(RatingRefused):
    """It was done under another identity than the caller's."""

    reason = "identity_changed"


@dataclass(frozen=True, slots=True)
class PageAction:
    """Something that can be done: the form it is asked for with, and how it is done."""

    form: type[ActionForm]
    carry_out: Callable[[HttpRequest, Any], Reply]


def admit(request: HttpRequest, action: Action) -> Caller:
    """Return who is calling. Raises RateLimited, which is a page of its own, or JSON for the script."""
    caller = caller_from_request(request)
    # For the header, which config/middleware.py writes.
    request.allowance = admit_caller(  # type: ignore[attr-defined]
        caller=caller, action=action, now=timezone.now(), proof=request.POST.get("altcha", "")
    )
    return caller


def check_identity(request: HttpRequest, form: ActionForm) -> None:
    """Refuse what somebody else did in this browser: it waits for them. Raises IdentityChanged.

    What was done before the person claimed the browser's ratings was done by them, also in a later session.
    """
    named = form.cleaned_data["identity"]
    caller = caller_from_request(request)
    if not named or named in {label_of(name) for name in (caller.holder, caller.former_holder) if name}:
        return
    for browser_id in claimed_browsers(caller.user_id) if caller.user_id else ():
        if label_of(browser_holder(browser_id)) == named:
            take_over_leases(request, browser_id)
            return
    raise IdentityChanged(_("This was done under another account, or before signing in. It waits for that one."))


def give_back(request: HttpRequest) -> None:
    """Take back what was handed out to somebody who leaves."""
    caller = admit(request, Action.READ)
    return_leases(caller=caller, tokens=request.POST.getlist("lease"), now=timezone.now())


def _submit(request: HttpRequest, form: RatingForm) -> Reply:
    if form.judges_nothing:
        return _skip_unjudged(request, form)
    submission = RatingSubmission(
        **form.answers(),
        image_id=form.cleaned_data["image_id"],
        lease=form.cleaned_data["lease"],
        sha256=form.cleaned_data["sha256"] or None,
        idempotency_key=form.cleaned_data["idempotency_key"],
        measurements=read_measurements(request.POST),
        client_agent=PAGE_AGENT,
    )
    caller = admit(request, Action.RATE)
    submitted = submit_rating(caller=caller, submission=submission, prices=current_prices(), now=timezone.now())
    accept_licence_of(request)
    return _tell(request, _("Saved: %(given)s."), submitted)


def accept_licence_of(request: HttpRequest) -> None:
    """Note that who has just answered accepted the licence of ratings: it stood on the page until now."""
    if request.user.pk is not None and request.user.licence_accepted_at is None:
        accept_licence(user_id=request.user.pk, now=timezone.now())


def _skip_unjudged(request: HttpRequest, form: RatingForm) -> Reply:
    """Take "cannot judge" twice for what it is, also from a page without script."""
    given = {name: form.cleaned_data[name] for name in ("image_id", "lease")}
    caller = admit(request, Action.RATE)
    skip_image(caller=caller, reason=SkipReason.CANNOT_JUDGE, now=timezone.now(), **given)
    return _skipped()


def _revise(request: HttpRequest, form: RevisionForm) -> Reply:
    revision = RatingRevision(**form.answers(), idempotency_key=form.cleaned_data["idempotency_key"])
    submitted = revise_rating(
        caller=admit(request, Action.RATE),
        rated=form.cleaned_data["rating_id"],
        revision=revision,
        prices=current_prices(),
        now=timezone.now(),
    )
    return _tell(request, _("Changed: %(given)s."), submitted)


def _tell(request: HttpRequest, words: str, submitted: SubmittedRating) -> Reply:
    message = words % {"given": _given(submitted)}
    reward = 0 if request.user.is_anonymous else submitted.reward
    if reward:
        message += " " + ngettext("%(reward)d kudos pending.", "%(reward)d kudos pending.", reward) % {"reward": reward}
    data = {
        "reward": reward,
        "rating_id": submitted.rating_id,
        "is_repeat": submitted.is_repeat,
        "revisable_until": submitted.revisable_until.isoformat(),
    }
    return Reply(message, data, submitted.rating_id)


def _given(submitted: SubmittedRating) -> str:
    aesthetic = _("cannot judge") if submitted.aesthetic is None else str(submitted.aesthetic)
    if submitted.artifacts is None:
        return aesthetic
    return _("%(aesthetic)s and %(artifacts)s") % {"aesthetic": aesthetic, "artifacts": submitted.artifacts}


def _skip(request: HttpRequest, form: SkipForm) -> Reply:
    if "rating_id" in request.POST:
        return Reply(_("Your rating stays as it was: what is saved can be changed, and not be skipped."), {"reward": 0})
    given = {name: form.cleaned_data[name] for name in ("image_id", "lease", "reason")}
    skip_image(caller=admit(request, Action.RATE), now=timezone.now(), **given)
    return _skipped()


def _skipped() -> Reply:
    return Reply(_("Skipped. This image will not be shown to you for a month."), {"reward": 0})


def _unskip(request: HttpRequest, form: LeaseForm) -> Reply:
    given = {name: form.cleaned_data[name] for name in ("image_id", "lease")}
    unskip_image(caller=admit(request, Action.RATE), now=timezone.now(), **given)
    return Reply(_("The skip is taken back."))


def _report(request: HttpRequest, form: ReportForm) -> Reply:
    given = {name: form.cleaned_data[name] for name in ("image_id", "lease", "reason", "note")}
    report_image(caller=admit(request, Action.RATE), now=timezone.now(), **given)
    return Reply(_("Reported. A moderator will look at this image."), {"reward": 0})


def _look(request: HttpRequest, form: LookForm) -> Reply:
    rating_id = form.cleaned_data["rating_id"]
    crowd = look_at_crowd(caller=admit(request, Action.RATE), rating_id=rating_id, now=timezone.now())
    words = ngettext(
        "%(n)d other person: %(score)s on average.", "%(n)d other people: %(score)s on average.", crowd.rating_count
    )
    message = words % {"n": crowd.rating_count, "score": _("unknown") if crowd.score is None else localize(crowd.score)}
    data = {
        "prompt": crowd.prompt,
        "model_name": crowd.model_name,
        "histogram": {"aesthetic": crowd.aesthetic, "artifacts": crowd.artifacts},
        "rating_count": crowd.rating_count,
        "score": crowd.score,
    }
    return Reply(message, data)


ACTIONS = {
    "submit": PageAction(RatingForm, _submit),
    "revise": PageAction(RevisionForm, _revise),
    "skip": PageAction(SkipForm, _skip),
    "unskip": PageAction(LeaseForm, _unskip),
    "report": PageAction(ReportForm, _report),
    "look": PageAction(LookForm, _look),
}
