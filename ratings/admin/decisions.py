"""Decisions: select rows, read what would happen, give a reason, confirm. Each leaves a ModerationAction.

The page that asks holds the keys of exactly the rows it spoke of, so that what a moderator read is what
happens, whatever has come in meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Protocol, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnlyAdmin, as_id, link_to
from accounts.models import User
from ratings.models import Comparison, ModerationAction, Rating

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Impact:
    """What a decision would do: the rows it would change, and the sentences that say so."""

    keys: Sequence[Any]
    sentences: Sequence[str]


class CarryOut(Protocol):
    def __call__(self, *, keys: Sequence[Any], by: User, reason: str, now: datetime) -> ModerationAction: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """Something a moderator may decide about rows. ``name`` is its action, its address and its service."""

    name: str
    title: str | Promise
    verb: str | Promise
    permission: str
    limit: int
    too_many: str | Promise
    weigh: Callable[[Sequence[Any]], Impact]
    carry_out: CarryOut
    inverse: str


class SentenceField(forms.CharField):
    """Counts a line break as one character, as the browser does."""

    def to_python(self, value: Any) -> str | None:
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


class DecisionForm(forms.Form):
    """The reason, and what the page carries along: which rows, and the filters of the list it came from."""

    keys = forms.CharField(widget=forms.HiddenInput)
    filters = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = SentenceField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text=_("Stays on record with your name. At most 500 characters."),
    )


class DecisionAdmin(ReadOnlyAdmin):
    """A table about whose rows moderators decide. The decision's own permission is asked for at every step."""

    decisions: ClassVar[Sequence[Decision]] = ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {
            decision.name: (partial(_start, decision), decision.name, decision.title)
            for decision in self.decisions
            if request.user.has_perm(decision.permission)
        }

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"{decision.name}/",
                self.admin_site.admin_view(partial(self.decide, decision=decision)),
                name=f"ratings_{decision.name}",
            )
            for decision in self.decisions
        ]
        return [*own, *super().get_urls()]

    def decide(self, request: HttpRequest, *, decision: Decision) -> HttpResponse:
        """Ask about the rows named in the address, or do what was confirmed."""
        if not request.user.has_perm(decision.permission):
            raise PermissionDenied
        if request.method != "POST":
            impact = decision.weigh(self.find_keys(request, decision))
            return self.ask(request, decision, impact, DecisionForm(initial=_carried(impact)))
        impact = decision.weigh(self._parse_keys(decision, request.POST.get("keys", "")))
        form = DecisionForm(request.POST)
        if not form.is_valid() or not impact.keys:
            return self.ask(request, decision, impact, form)
        action = decision.carry_out(
            keys=impact.keys, by=cast("User", request.user), reason=form.cleaned_data["reason"], now=timezone.now()
        )
        self.message_user(request, self._report(decision, action, impact.keys), messages.SUCCESS)
        return HttpResponseRedirect(f"{self._list_url()}?{form.cleaned_data['filters']}")

    def ask(self, request: HttpRequest, decision: Decision, impact: Impact, form: DecisionForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": decision.title,
            "opts": self.opts,
            "decision": decision,
            "decide_url": reverse(f"admin:ratings_{decision.name}"),
            "list_url": self._list_url(),
            "impact": impact,
            "form": form,
        }
        return TemplateResponse(request, "admin/decide.html", context)

    def find_keys(self, request: HttpRequest, decision: Decision) -> Sequence[Any]:
        """Return the rows that a link names. Raises BadRequest."""
        return self._parse_keys(decision, request.GET.get("keys", ""))

    def undo_query(self, action: ModerationAction, keys: Sequence[Any]) -> str:
        """Return what the address of the inverse decision has to say, to name the rows of this one."""
        del action
        return f"keys={join_keys(keys)}"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            context |= {"decisions": [_step(d, obj) for d in self.decisions if request.user.has_perm(d.permission)]}
        return super().render_change_form(request, context, *args, **kwargs)

    def _parse_keys(self, decision: Decision, text: str) -> list[Any]:
        keys = [self.read_key(part) for part in text.split(",") if part]
        if not 0 < len(keys) <= decision.limit:
            raise BadRequest("The rows to decide about are missing, or they are too many.")
        return list(dict.fromkeys(keys))

    def _list_url(self) -> str:
        return reverse(f"admin:ratings_{self.opts.model_name}_changelist")

    def _report(self, decision: Decision, action: ModerationAction, keys: Sequence[Any]) -> str:
        if action.pk is None:
            return str(_("Nothing was changed: somebody had decided so before."))
        undo = f"{reverse(f'admin:ratings_{decision.inverse}')}?{self.undo_query(action, keys)}"
        return format_html(
            str(_("{what}: {count}. On record as {record}. If it was a mistake, {undo}.")),
            what=capfirst(action.get_kind_display()),
            count=f"{action.affected_count:,}",
            record=link_to(action, _("action %(id)d") % {"id": action.pk}),
            undo=format_html('<a href="{}">{}</a>', undo, _("undo it")),
        )


def find_keys_of_action(
    request: HttpRequest, decision: Decision, model: type[Rating] | type[Comparison]
) -> list[int] | None:
    """Return the rows that are as the action in the address left them; None when it names none. Raises BadRequest."""
    if "action" not in request.GET:
        return None
    action_id = as_id(request.GET["action"])
    if action_id is None:
        raise BadRequest("This is not the number of an action.")
    rows = model.objects.filter(moderation_action_id=action_id).order_by("pk")
    return list(rows.values_list("pk", flat=True)[: decision.limit])


def join_keys(keys: Sequence[Any]) -> str:
    return ",".join(getattr(key, "hex", None) or str(key) for key in keys)


def _start(decision: Decision, page: DecisionAdmin, request: HttpRequest, selected: models.QuerySet[Any]) -> Any:
    """Answer the change list: ask about the selected rows, or say that they are too many."""
    keys = list(selected.values_list("pk", flat=True)[: decision.limit + 1])
    if len(keys) > decision.limit:
        page.message_user(request, str(decision.too_many), messages.ERROR)
        return None
    impact = decision.weigh(keys)
    form = DecisionForm(initial=_carried(impact) | {"filters": request.GET.urlencode()})
    return page.ask(request, decision, impact, form)


def _carried(impact: Impact) -> dict[str, str]:
    return {"keys": join_keys(impact.keys)}


def _step(decision: Decision, obj: models.Model) -> dict[str, Any]:
    return {
        "label": decision.verb,
        "url": f"{reverse(f'admin:ratings_{decision.name}')}?keys={join_keys([obj.pk])}",
        "is_possible": bool(decision.weigh([obj.pk]).keys),
    }
