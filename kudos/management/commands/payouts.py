"""`manage.py payouts`: the outbox on a terminal, and decisions where the administration is out of reach."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from kudos.models import PayoutDecision, PayoutState
from kudos.queries import list_payouts
from kudos.services.payouts import PayoutNotOpen, decide_payout

DECISIONS = [decision.value.replace("_", "-") for decision in PayoutDecision]


class Command(BaseCommand):
    help = "List payouts to AI Horde, those in doubt unless told otherwise, or decide about one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        shown = actions.add_parser("list", help="show payouts, the newest first")
        shown.add_argument("--state", choices=[*PayoutState.values, "all"], default=PayoutState.AMBIGUOUS.value)
        shown.add_argument("--limit", type=int, default=50)
        decided = actions.add_parser("decide", help="settle a payout that is in doubt")
        decided.add_argument("payout", type=int, help="its number")
        decided.add_argument("decision", choices=DECISIONS)
        decided.add_argument("--by", required=True, metavar="USER", help="the name under which it stays on record")
        decided.add_argument("--reason", required=True, help="how you know; at most 500 characters")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["action"] == "list":
            self.show(options["state"], options["limit"])
        else:
            self.decide(options)

    def show(self, state: str, limit: int) -> None:
        if limit < 1:
            raise CommandError("--limit must be 1 or more.")
        for line in list_payouts(state="" if state == "all" else state, limit=limit):
            when = f"{line.created_at:%Y-%m-%d %H:%M}"
            self.stdout.write(f"{line.payout_id}\t{when}\t{line.username}\t{line.amount}\t{line.state}\t{line.answer}")

    def decide(self, options: dict[str, Any]) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        reason = options["reason"].strip()
        if by is None:
            raise CommandError("There is no user of this name.")
        if not 0 < len(reason) <= 500 or "\0" in reason:  # noqa: PLR2004 - as the column
            raise CommandError("Give a reason of at most 500 characters.")
        decision = PayoutDecision(options["decision"].replace("-", "_"))
        try:
            decide_payout(payout_id=options["payout"], decision=decision, by=by, note=reason, now=timezone.now())
        except PayoutNotOpen as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"On record: {decision.label}.")
