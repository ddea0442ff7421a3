"""A double-entry ledger: accounts, transactions, and entries that sum to zero.

The triggers of migration 0002 are the law; this module only names the tables. They refuse entries that do
not sum to zero, entries added to a transaction later, any UPDATE or DELETE of what was posted, a balance
written by anybody but themselves, and, through ``account_user_balance_not_negative``, an overdrawn user.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Identity, User


class AccountKind(models.TextChoices):
    USER = "user", "user"
    TREASURY = "treasury", "treasury: where rewards come from"
    PAYOUT = "payout", "payout: what left for another service"
    LOSS = "loss", "loss: what was voided after it had been spent"


class Account(models.Model):
    """Where kudos are: one account for each identity that earns, and one of each system kind.

    Only user accounts store a balance. Every settlement touches the treasury, so a stored balance there
    would be the one row everybody waits for; it is the sum of its entries.
    """

    kind = models.CharField(max_length=16, choices=AccountKind)
    identity = models.OneToOneField(
        Identity, on_delete=models.PROTECT, null=True, blank=True, related_name="kudos_account"
    )
    balance = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="user", identity__isnull=False) | (~Q(kind="user") & Q(identity__isnull=True)),
                name="account_user_has_an_identity",
            ),
            models.CheckConstraint(
                condition=Q(kind="user", balance__gte=0) | (~Q(kind="user") & Q(balance=0)),
                name="account_user_balance_not_negative",
            ),
            models.UniqueConstraint(fields=["kind"], condition=~Q(kind="user"), name="account_one_of_each_system_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.identity_id or ''}".strip()


class Reason(models.TextChoices):
    RATING = "rating", _("ratings settled")
    VOID = "void", _("ratings voided")
    RESTORE = "restore", _("ratings restored")
    TRANSFER = "transfer", _("transfer")
    AWARD = "award", _("award")
    PAYOUT = "payout", _("sent on to AI Horde")
    PAYOUT_RETURN = "payout_return", _("back from AI Horde")


class Transaction(models.Model):
    """Kudos that moved together, for one reason. The reference makes a repeat impossible."""

    reason = models.CharField(max_length=16, choices=Reason)
    reference = models.CharField(max_length=120)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reference"], name="transaction_reference_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}"


class Entry(models.Model):
    """One leg of a transaction: kudos that arrived at an account (positive) or left it (negative)."""

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries", db_index=False)
    amount = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "entries"
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_amount_not_zero"),
            models.UniqueConstraint(fields=["transaction", "account"], name="entry_one_for_each_account"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="entry_history")]

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class PayoutState(models.TextChoices):
    PENDING = "pending", "pending: waits to be sent"
    SENDING = "sending", "sending: on its way, not answered"
    PAID = "paid", "paid"
    REFUSED = "refused", "refused by AI Horde, and given back"
    AMBIGUOUS = "ambiguous", "ambiguous: a moderator must decide"
    RETURNED = "returned", "returned by a moderator"


# Kudos of these have left the balance, and it is not known yet that they arrived.
IN_FLIGHT = (PayoutState.PENDING, PayoutState.SENDING, PayoutState.AMBIGUOUS)


class PayoutDecision(models.TextChoices):
    ARRIVED = "arrived", "it arrived"
    SEND_AGAIN = "send_again", "it did not arrive: send it again"
    GIVE_BACK = "give_back", "it did not arrive: give it back"


class Payout(models.Model):
    """Kudos on their way to AI Horde: an outbox, of which each row leaves at most once.

    ``transaction`` moved the amount from the user to the payout account and was posted with this row; a
    payout that failed has a ``reversal``. An account has at most one payout that is in flight. Whoever
    sends it marks it first, and an answer that leaves doubt is for a moderator, who signs and explains.
    ``theirs_before`` and ``theirs_after`` are the user's kudos at AI Horde around the sending, where known.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payouts")
    username = models.CharField("sent to", max_length=120)
    amount = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=PayoutState, default=PayoutState.PENDING)
    transaction = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="payout")
    reversal = models.OneToOneField(
        Transaction, on_delete=models.PROTECT, null=True, blank=True, related_name="returned_payout"
    )
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField("not sent before", default=timezone.now)
    attempt_count = models.PositiveIntegerField("attempts", default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    http_status = models.PositiveSmallIntegerField("HTTP status", null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True, default="")
    theirs_before = models.BigIntegerField("kudos at AI Horde before", null=True, blank=True)
    theirs_after = models.BigIntegerField("kudos at AI Horde after", null=True, blank=True)
    decision = models.CharField(max_length=12, choices=PayoutDecision, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision_note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount_is_positive"),
            models.CheckConstraint(condition=~Q(username=""), name="payout_username_is_given"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=IN_FLIGHT), name="payout_account_has_one_in_flight"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", sent_at__isnull=True) | (~Q(state="pending") & Q(sent_at__isnull=False)),
                name="payout_sent_unless_pending",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, http_status__isnull=True)
                | Q(answered_at__isnull=False, http_status__isnull=False),
                name="payout_answer_has_status_and_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["paid", "refused"])
                | Q(answered_at__isnull=False)
                | Q(state="paid", decision="arrived"),
                name="payout_end_is_answered_or_decided",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["refused", "returned"], reversal__isnull=False)
                | (~Q(state__in=["refused", "returned"]) & Q(reversal__isnull=True)),
                name="payout_failed_is_reversed",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True, decided_by__isnull=True, decision_note="")
                | (~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision_note="")),
                name="payout_decision_is_signed_and_explained",
            ),
            models.CheckConstraint(
                condition=(Q(decision="") & ~Q(state="returned"))
                | Q(decision="arrived", state="paid")
                | Q(decision__in=["send_again", "give_back"], state="returned"),
                name="payout_decision_fits_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], condition=Q(state="pending"), name="payout_due"),
            models.Index(fields=["state", "-id"], name="payout_by_state"),
        ]

    def __str__(self) -> str:
        return f"payout {self.pk}"
