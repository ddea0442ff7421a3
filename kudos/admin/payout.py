"""Payouts to look at, and the page on which a moderator decides about one that was not clearly answered."""

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin import IdentityAdmin
from accounts.admin.base import EMPTY, Door, ReadOnlyAdmin, as_id, column
from kudos.award import current_award
from kudos.models import Payout, PayoutDecision, PayoutState
from kudos.services.payouts import PayoutNotOpen, compare_figures, decide_payout

if TYPE_CHECKING:
    from accounts.models import User

IdentityAdmin.doors.append(Door(_("Payouts"), "kudos.payout", "account__identity__id__exact"))

DECIDE = "kudos.change_payout"
# What each button says, and what follows from it.
CHOICES = (
    (PayoutDecision.ARRIVED, _("It arrived"), _("The payout counts as paid. Nothing is sent.")),
    (
        PayoutDecision.SEND_AGAIN,
        _("It did not arrive: send it again"),
        _("The same amount is sent once more. If it did arrive after all, it is paid twice."),
    ),
    (
        PayoutDecision.GIVE_BACK,
        _("It did not arrive: give it back"),
        _("The kudos return to the balance here, and nothing is sent to this user for 30 days."),
    ),
)


class PayoutDecisionForm(forms.Form):
    """What a moderator has found out, and how."""

    decision = forms.ChoiceField(choices=PayoutDecision.choices, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text=_("How you know. Stays on record with your name. At most 500 characters."),
    )


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """The outbox. Rows change by what AI Horde answers and by decisions, and by nothing else."""

    list_display = (
        "id",
        "username",
        "amount",
        column("state", _("state")),
        "created_at",
        "answer",
    )
    list_display_links = ("id", "username")
    list_filter = ("state",)
    search_fields = ("id",)
    search_help_text = _("The number of a payout, or the number of an AI Horde user after #.")
    fieldsets = (
        (None, {"fields": ("username", "user", "amount", "state", "account", "transaction", "reversal")}),
        (_("When"), {"fields": ("created_at", "due_at", "attempt_count", "sent_at", "answered_at")}),
        (_("AI Horde"), {"fields": ("http_status", "answer", "theirs_before", "theirs_after")}),
        (_("Decision"), {"fields": ("decision", "decided_by", "decided_at", "decision_note")}),
    )
    readonly_fields = ("user",)
    superuser_fields = ("account", "transaction", "reversal")
    lookups = ("account__identity__id__exact",)

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if term.startswith("#") and (number := as_id(term[1:])) is not None:
            return Q(account__identity__kind="horde", account__identity__external_id=str(number))
        return None if (number := as_id(term)) is None else Q(pk=number)

    @admin.display(description=_("user"))
    def user(self, payout: Payout) -> str:
        identity = payout.account.identity
        return identity.user.username if identity and identity.user else EMPTY

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(self.decide)
        return [path("<int:payout_id>/decide/", decide, name="kudos_decide_payout"), *super().get_urls()]

    def decide(self, request: HttpRequest, payout_id: int) -> HttpResponse:
        """Show both sides' figures and ask, or do what was decided."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        payout = self.get_queryset(request).filter(pk=payout_id).select_related("account__identity__user").first()
        if payout is None:
            raise Http404
        form = PayoutDecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._carry_out(request, payout, form.cleaned_data)
        return self._ask(request, payout, form)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        payout = kwargs.get("obj")
        if payout is not None and request.user.has_perm(DECIDE):
            step = {
                "label": _("Decide"),
                "url": reverse("admin:kudos_decide_payout", args=[payout.pk]),
                "is_possible": payout.state == PayoutState.AMBIGUOUS,
            }
            context |= {"decisions": [step]}
        return super().render_change_form(request, context, *args, **kwargs)

    def _carry_out(self, request: HttpRequest, payout: Payout, answers: dict[str, str]) -> HttpResponse:
        decision = PayoutDecision(answers["decision"])
        try:
            decided = decide_payout(
                payout_id=payout.pk,
                decision=decision,
                by=cast("User", request.user),
                note=answers["note"],
                now=timezone.now(),
            )
        except PayoutNotOpen as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.log_change(request, decided, f"{decision}: {answers['note']}")
            self.message_user(request, _("On record: %s.") % decision.label, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:kudos_payout_change", args=[payout.pk]))

    def _ask(self, request: HttpRequest, payout: Payout, form: PayoutDecisionForm) -> HttpResponse:
        is_open = payout.state == PayoutState.AMBIGUOUS
        context = {
            **self.admin_site.each_context(request),
            "title": _("Payout %d: did it arrive?") % payout.pk,
            "opts": self.opts,
            "payout": payout,
            "form": form,
            "is_open": is_open,
            "figures": compare_figures(payout=payout, award=current_award()) if is_open else None,
            "choices": CHOICES,
        }
        return TemplateResponse(request, "admin/kudos/decide_payout.html", context)
