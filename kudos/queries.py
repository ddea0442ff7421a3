"""Reads of the ledger."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.queries import identities_of_person
from kudos.models import Account, Entry, Payout, PayoutDecision, PayoutState, Reason


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a person's history, newest first."""

    entry_id: int
    amount: int
    reason: str
    reference: str
    note: str
    created_at: datetime
    balance_after: int

    @property
    def reason_text(self) -> str:
        return str(Reason(self.reason).label)

    @property
    def note_text(self) -> str:
        """The note as its owner reads it: what was counted is kept in English, because the ledger has no language."""
        return COUNTED.sub(_say_count, self.note)


COUNTED = re.compile(r"\b(\d+) (rating|comparison)s?\b", re.ASCII)


def _say_count(found: re.Match[str]) -> str:
    count = int(found[1])
    if found[2] == "rating":
        return ngettext("%(count)d rating", "%(count)d ratings", count) % {"count": count}
    return ngettext("%(count)d comparison", "%(count)d comparisons", count) % {"count": count}


# What the owner reads. A payout that was sent again is a line of its own.
PAYOUT_TEXTS = {
    PayoutState.PENDING: _("Waits to be sent"),
    PayoutState.SENDING: _("On its way"),
    PayoutState.PAID: _("Arrived"),
    PayoutState.REFUSED: _("Refused by AI Horde; the kudos are back in your balance"),
    PayoutState.AMBIGUOUS: _("Sent, but not clearly answered; a moderator is finding out whether it arrived"),
    PayoutState.RETURNED: _("Did not arrive; the kudos are back in your balance"),
}
PAYOUT_COLUMNS = ("pk", "username", "amount", "state", "decision", "created_at", "answer")


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One payout. Its owner sees ``state_text``; ``answer`` is AI Horde's, and for moderators."""

    payout_id: int
    username: str
    amount: int
    state: str
    decision: str
    created_at: datetime
    answer: str

    @property
    def state_text(self) -> str:
        if self.decision == PayoutDecision.SEND_AGAIN:
            return str(_("Did not arrive; sent again"))
        return str(PAYOUT_TEXTS[PayoutState(self.state)])


def balance_of(identity_id: int | None) -> int:
    """Return the settled kudos of an identity; one without an account has none."""
    if identity_id is None:
        return 0
    return Account.objects.filter(identity_id=identity_id).values_list("balance", flat=True).first() or 0


def balance_of_person(identity_id: int | None) -> int:
    """Return the settled kudos of an identity and of all that are linked to the same account, together."""
    return 0 if identity_id is None else _balance_of_all(identities_of_person(identity_id))


def history_of(*, identity_id: int | None, before_id: int | None = None, limit: int = 50) -> list[HistoryLine]:
    """Return the newest ``limit`` lines older than entry ``before_id``, each with the balance after it.

    Lines and balances are those of the person: of the identity and all that are linked to the same account.
    """
    if identity_id is None:
        return []
    identities = identities_of_person(identity_id)
    page = sorted(
        (entry for one in identities for entry in _newest_entries(one, before_id, limit)),
        key=lambda entry: entry.pk,
        reverse=True,
    )[:limit]
    if not page:
        return []
    balance = _balance_of_all(identities) - _posted_after(identities, page[0].pk)
    lines = []
    for entry in page:
        posted = entry.transaction
        lines.append(
            HistoryLine(
                entry.pk, entry.amount, posted.reason, posted.reference, posted.note, posted.created_at, balance
            )
        )
        balance -= entry.amount
    return lines


def payouts_of(*, user_id: int | None, limit: int = 20) -> list[PayoutLine]:
    """Return the newest payouts of everything that a user rates as, newest first."""
    if user_id is None:
        return []
    rows = Payout.objects.filter(account__identity__user_id=user_id).order_by("-id").values_list(*PAYOUT_COLUMNS)
    return [PayoutLine(*row) for row in rows[:limit]]


def list_payouts(*, state: str = "", limit: int = 50) -> list[PayoutLine]:
    """Return the newest payouts of everybody, of one state or of all."""
    rows = Payout.objects.filter(state=state) if state else Payout.objects.all()
    return [PayoutLine(*row) for row in rows.order_by("-id").values_list(*PAYOUT_COLUMNS)[:limit]]


def _newest_entries(identity_id: int, before_id: int | None, limit: int) -> list[Entry]:
    """Return the newest entries of one account: each has an index of its own to be read from its end."""
    entries = Entry.objects.filter(account__identity_id=identity_id).select_related("transaction").order_by("-id")
    return list(entries.filter(id__lt=before_id)[:limit] if before_id else entries[:limit])


def _balance_of_all(identity_ids: list[int]) -> int:
    return sum(Account.objects.filter(identity_id__in=identity_ids).values_list("balance", flat=True))


def _posted_after(identity_ids: list[int], entry_id: int) -> int:
    entries = Entry.objects.filter(account__identity_id__in=identity_ids, id__gt=entry_id)
    return sum(entries.values_list("amount", flat=True))
