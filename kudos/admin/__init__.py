"""The administration of kudos: the ledger to look at, and the payouts that moderators decide about."""

from kudos.admin.ledger import AccountAdmin, EntryAdmin, TransactionAdmin
from kudos.admin.payout import PayoutAdmin

__all__ = ["AccountAdmin", "EntryAdmin", "PayoutAdmin", "TransactionAdmin"]
