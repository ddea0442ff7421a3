"""Two workers, and a worker beside a moderator: real threads, real connections, real commits, a real server."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction

from kudos.models import Payout, PayoutDecision
from kudos.queries import balance_of
from kudos.services.payouts import PayoutNotOpen, claim_payout, decide_payout, send_payouts
from tests.factories import UserFactory
from tests.kudos.conftest import collect, earn, make_horde_identity
from tests.people import now
from tests.ratings.services.test_concurrency import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PATIENCE = timedelta(seconds=20)


@pytest.fixture
def painters():
    return [make_horde_identity(number, 50) for number in range(1, 13)]


def send(award):
    return send_payouts(award=award, patience=PATIENCE, clock=now)


def test_workers_at_once_send_each_payout_once(painters, horde, award, adds_up):
    horde.delay = 0.05
    collect(award)
    sent = at_once([lambda: send(award)] * 4)
    assert sum(sent) == 12
    assert max(sent) < 12, "they shared the work"
    assert horde.received == Counter({f"painter#{number}": 50 for number in range(1, 13)})
    assert len(horde.asked) == 12
    adds_up()


def test_two_that_fill_the_outbox_at_once_make_one_payout_each(painters, award, adds_up):
    counts = at_once([lambda: collect(award)] * 4)
    assert sum(counts) == 12
    assert Payout.objects.count() == 12
    adds_up()


def test_filling_and_sending_and_earning_at_once(painters, horde, award, adds_up):
    def earn_more():
        for painter in painters:
            earn(painter.kudos_account.pk, 30)

    def work():
        for _ in range(4):
            collect(award)
            send(award)

    assert [each for each in at_once([work, work, earn_more]) if each is not None] == []
    work()
    assert horde.received == Counter({f"painter#{number}": 80 for number in range(1, 13)})
    assert sum(balance_of(painter.pk) for painter in painters) == 0
    adds_up()


def test_moderators_at_once_decide_once(horde, award, adds_up):
    painter = make_horde_identity(1, 50)
    horde.manner = "drops_unread"
    collect(award)
    send(award)
    payout = Payout.objects.get(state="ambiguous")
    by = UserFactory()

    def decide(decision):
        return decide_payout(payout_id=payout.pk, decision=decision, by=by, note="x", now=now())

    outcomes = at_once([lambda d=decision: decide(d) for decision in PayoutDecision] * 2)
    assert sum(isinstance(outcome, PayoutNotOpen) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, Payout) for outcome in outcomes) == 1
    payout.refresh_from_db()
    assert balance_of(painter.pk) == (50 if payout.decision == "give_back" else 0)
    adds_up()


def test_a_claim_is_committed_before_anything_leaves(painters, award):
    """Inside somebody's transaction the mark would vanish with it, and the kudos be sent twice."""
    collect(award)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        claim_payout(now=now())
    assert not Payout.objects.exclude(state="pending").exists()


def test_a_payout_that_somebody_holds_is_passed_over(award):
    make_horde_identity(1, 50)
    collect(award)
    with transaction.atomic():
        held = Payout.objects.select_for_update().get()
        assert at_once([lambda: claim_payout(now=now())]) == [None]
    assert claim_payout(now=now()) == held
