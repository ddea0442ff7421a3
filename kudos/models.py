"""A double-entry ledger: accounts, transactions, and entries that sum to zero.

The triggers of migration 0002 are the law; this module only names the tables. They refuse entries that do
not sum to zero, entries added to a transaction later, any UPDATE or DELETE of what was posted, a balance
written by anybody but themselves, and, through ``account_user_balance_not_negative``, an overdrawn user.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Identity


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
    RATING = "rating", "ratings settled"
    VOID = "void", "ratings voided"
    RESTORE = "restore", "ratings restored"
    TRANSFER = "transfer", "transfer"
    AWARD = "award", "award"


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
