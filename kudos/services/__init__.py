"""The rules of kudos: the ledger's only writer, and what goes on to AI Horde."""

from kudos.services.ledger import Posting, ensure_user_accounts, post_transactions, system_account_id

__all__ = ["Posting", "ensure_user_accounts", "post_transactions", "system_account_id"]
