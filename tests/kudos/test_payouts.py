"""Payouts, against a real HTTP server: what leaves the balance, what is sent, and what every answer leads to."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import valkey
from accounts.models import Identity
from accounts.outgoing import Limits
from kudos.award import REST_SECONDS, TROUBLES, HordeAward, NullAward
from kudos.models import Account, Entry, Payout, PayoutDecision
from kudos.queries import balance_of, payouts_of
from kudos.services.payouts import (
    PAUSE,
    SILENCE,
    PayoutNotOpen,
    claim_payout,
    compare_figures,
    create_payouts,
    decide_payout,
    deliver_payout,
    expire_sending,
    send_payouts,
)
from tests.factories import UserFactory
from tests.horde_award import ANSWERS, KEY, free_address
from tests.kudos.conftest import collect, earn, make_horde_identity
from tests.people import make_person, now

pytestmark = pytest.mark.django_db

CERTAIN_REFUSALS = ["refuses", "refuses_marshalled", "knows_nobody", "refuses_anonymous"]
NOT_CARRIED_OUT = ["refuses_key", "refuses_account", "is_busy", "redirects"]
DOUBTFUL = [*sorted(set(ANSWERS) - set(CERTAIN_REFUSALS) - set(NOT_CARRIED_OUT)), "drops", "drops_unread"]


@pytest.fixture
def painter():
    return make_horde_identity(7, 50)


@pytest.fixture
def moderator():
    return UserFactory(username="moderator")


def send(award, *, after=timedelta(0), patience=timedelta(seconds=20)):
    start = now()
    return send_payouts(award=award, patience=patience, clock=lambda: now() - start + start + after)


def decide(payout, decision, by, note="asked the user"):
    return decide_payout(payout_id=payout.pk, decision=decision, by=by, note=note, now=now())


def doubtful_payout(horde, award, manner="drops"):
    horde.manner = manner
    assert collect(award) == 1
    send(award)
    horde.manner = "awards"
    return Payout.objects.get(state="ambiguous")


def test_it_works(painter, horde, award, adds_up):
    horde.standings["7"] = 1234.6
    assert collect(award) == 1
    assert balance_of(painter.pk) == 0
    adds_up()
    assert send(award) == 1
    payout = Payout.objects.get()
    assert (payout.state, payout.amount, payout.username) == ("paid", 50, "painter#7")
    assert (payout.http_status, payout.theirs_before, payout.attempt_count) == (200, 1235, 1)
    assert payout.sent_at <= payout.answered_at
    assert horde.received == {"painter#7": 50}
    assert horde.asked == [{"username": "painter#7", "amount": 50, "apikey": KEY, "path": "/api/v2/kudos/award"}]
    adds_up()


def test_nothing_is_sent_twice(painter, horde, award, adds_up):
    for _ in range(3):
        collect(award)
        send(award)
    assert horde.received == {"painter#7": 50}
    earn(painter.kudos_account.pk, 30)
    collect(award)
    send(award)
    assert horde.received == {"painter#7": 80}
    adds_up()


def test_what_was_earned_in_between_goes_in_one_piece(painter, horde, award):
    for amount in (5, 5, 5):
        earn(painter.kudos_account.pk, amount)
    collect(award)
    send(award)
    assert [asked["amount"] for asked in horde.asked] == [65]


@pytest.mark.parametrize(("kudos", "count"), [(9, 0), (10, 1)])
def test_less_than_the_minimum_waits(award, kudos, count):
    make_horde_identity(8, kudos)
    assert collect(award, minimum=10) == count


@pytest.mark.parametrize(
    ("number", "name"),
    [("0", "Anonymous#0"), ("9", ""), ("9", "painter"), ("9", "painter#8"), ("9", "#99"), ("9", "painter#9 ")],
)
def test_who_cannot_be_named_or_is_nobody_keeps_the_kudos(award, number, name):
    identity = make_horde_identity(number, 50, name=name)
    assert collect(award) == 0
    assert balance_of(identity.pk) == 50


def test_only_users_of_ai_horde_are_paid_and_linked_ones_as_well(award):
    person = make_person("ada")
    earn(Account.objects.get(identity_id=person.identity_id).pk, 100)
    linked = make_horde_identity(8, 60, user=person.user)
    assert collect(award) == 1
    assert (balance_of(person.identity_id), balance_of(linked.pk)) == (100, 0)
    assert [(line.username, line.amount) for line in payouts_of(user_id=person.user.pk)] == [("painter#8", 60)]
    assert payouts_of(user_id=make_person("eve").user.pk) == payouts_of(user_id=None) == []


def test_only_those_who_are_payable_are_paid(painter, award):
    assert create_payouts(payable=Identity.objects.none(), minimum=1, award=award, now=now()) == 0
    assert balance_of(painter.pk) == 50


def test_switched_off_nothing_moves(painter):
    assert collect(NullAward()) == 0
    assert balance_of(painter.pk) == 50


def test_switched_off_later_what_is_pending_waits(painter, award):
    collect(award)
    assert send(NullAward()) == 0
    assert Payout.objects.get().attempt_count == 0


def test_only_one_payout_is_in_flight(painter, horde, award):
    doubtful_payout(horde, award)
    earn(painter.kudos_account.pk, 40)
    assert collect(award) == 0
    assert balance_of(painter.pk) == 40


@pytest.mark.parametrize("manner", CERTAIN_REFUSALS)
def test_a_refusal_is_final_and_the_kudos_come_back(painter, horde, award, adds_up, manner):
    horde.manner = manner
    collect(award)
    assert send(award) == 1
    payout = Payout.objects.get()
    assert payout.state == "refused"
    assert payout.answer
    assert balance_of(painter.pk) == 50
    assert horde.received == {}
    assert collect(award) == 0, "it is not tried again and again"
    adds_up()


def test_a_refused_user_is_tried_again_after_a_month_or_under_a_new_name(painter, horde, award):
    horde.manner = "refuses"
    collect(award)
    send(award)
    assert collect(award, at=now() + PAUSE - timedelta(hours=1)) == 0
    with transaction.atomic():
        assert collect(award, at=now() + PAUSE + timedelta(hours=1)) == 1
        transaction.set_rollback(True)
    Identity.objects.update(name="renamed#7")
    assert collect(award) == 1


@pytest.mark.parametrize("manner", NOT_CARRIED_OUT)
def test_what_was_certainly_not_carried_out_is_tried_again_later(painter, horde, award, adds_up, manner):
    horde.manner = manner
    collect(award)
    assert send(award) == 0
    payout = Payout.objects.get()
    assert (payout.state, payout.sent_at, payout.attempt_count) == ("pending", None, 1)
    assert payout.due_at > now()
    assert payout.http_status == ANSWERS[manner][0]
    adds_up()
    horde.manner = "awards"
    assert send(award) == 0, "not before it is due"
    assert send(award, after=timedelta(minutes=2)) == 1
    assert horde.received == {"painter#7": 50}
    adds_up()


@pytest.mark.parametrize("manner", DOUBTFUL)
def test_a_doubtful_answer_is_left_to_a_moderator(painter, horde, award, adds_up, manner):
    horde.standings["7"] = 1000
    payout = doubtful_payout(horde, award, manner)
    assert payout.theirs_before == 1000
    assert payout.theirs_after == 1000 + horde.received["painter#7"]
    assert payout.answer
    assert send(award, after=timedelta(days=1)) == 0
    assert collect(award) == 0
    assert len(horde.asked) == 1
    assert balance_of(painter.pk) == 0
    adds_up()


def test_a_slow_answer_is_doubtful(painter, horde, award, monkeypatch, adds_up):
    monkeypatch.setattr("kudos.award.AWARD_LIMITS", Limits(seconds=0.2, size=1000))
    payout = doubtful_payout(horde, award, "is_slow")
    assert "ReadTimeout" in payout.answer
    adds_up()


def test_while_nobody_answers_nothing_is_sent(painter, horde, award, adds_up):
    """A server that fails costs no doubtful payouts: its user page is asked first."""
    horde.is_away = True
    collect(award)
    assert send(award) == 0
    assert horde.asked == []
    assert Payout.objects.get().state == "pending"
    horde.is_away = False
    assert send(award, after=timedelta(minutes=2)) == 1
    adds_up()


def test_a_refused_connection_is_certainly_not_sent(painter, horde, adds_up):
    down = HordeAward(url=free_address(), key=KEY, allow_private=True)
    collect(down)
    for attempt in range(1, 4):
        assert send(down, after=timedelta(hours=7 * attempt)) == 0
        assert Payout.objects.get().attempt_count == attempt
    adds_up()


def test_back_off_doubles_up_to_six_hours(painter):
    down = HordeAward(url=free_address(), key=KEY, allow_private=True)
    collect(down)
    waits = []
    at = now()
    for _ in range(12):
        valkey.get_client().delete(TROUBLES)
        send_payouts(award=down, patience=timedelta(seconds=20), clock=lambda: at)  # noqa: B023
        waits.append((Payout.objects.get().due_at - at).total_seconds() / 60)
        at = Payout.objects.get().due_at
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]


def test_it_is_left_alone_after_three_troubles(horde, award):
    for number in range(1, 6):
        make_horde_identity(number, 50)
    horde.manner = "refuses_key"
    assert collect(award) == 5
    for _ in range(3):
        send(award)
    assert len(horde.asked) == 3
    assert award.is_resting()
    assert 0 < valkey.get_client().ttl(TROUBLES) <= REST_SECONDS
    valkey.get_client().delete(TROUBLES)
    horde.manner = "awards"
    assert send(award) == 2
    assert not award.is_resting()


def test_without_valkey_payouts_go_on(painter, horde, award, settings):
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    collect(award)
    assert send(award) == 1
    assert horde.received == {"painter#7": 50}


def test_a_private_network_is_not_called_unless_allowed(painter, horde):
    award = HordeAward(url=horde.url, key=KEY, allow_private=False)
    collect(award)
    assert send(award) == 0
    assert horde.asked == []
    assert Payout.objects.get().state == "pending"


def test_a_killed_sender_leaves_a_payout_to_a_moderator(painter, horde, award, adds_up):
    """The mark is committed before the request, so whatever happened after it cannot be repeated."""
    collect(award)
    claimed = claim_payout(now=now())
    award.give(username=claimed.username, amount=claimed.amount)
    assert send(award) == 0
    assert expire_sending(now=now() + SILENCE - timedelta(minutes=1)) == 0
    assert send(award, after=SILENCE + timedelta(minutes=1)) == 0
    assert Payout.objects.get().state == "ambiguous"
    assert horde.received == {"painter#7": 50}
    adds_up()


def test_an_answer_that_comes_too_late_changes_nothing(painter, horde, award, moderator, adds_up):
    collect(award)
    claimed = claim_payout(now=now())
    expire_sending(now=now() + SILENCE * 2)
    decide(claimed, PayoutDecision.GIVE_BACK, moderator)
    deliver_payout(payout=claimed, award=award, clock=now)
    assert Payout.objects.get().state == "returned"
    adds_up()


def test_a_moderator_says_that_it_arrived(painter, horde, award, moderator, adds_up):
    payout = decide(doubtful_payout(horde, award), PayoutDecision.ARRIVED, moderator)
    payout.refresh_from_db()
    assert (payout.state, payout.decided_by, payout.decision_note) == ("paid", moderator, "asked the user")
    assert balance_of(painter.pk) == 0
    assert send(award) == 0
    adds_up()


def test_a_moderator_has_it_sent_again(painter, horde, award, moderator, adds_up):
    first = doubtful_payout(horde, award, "drops_unread")
    Identity.objects.update(name="renamed#7")
    decide(first, PayoutDecision.SEND_AGAIN, moderator)
    assert balance_of(painter.pk) == 0
    adds_up()
    assert send(award) == 1
    assert list(Payout.objects.order_by("id").values_list("state", flat=True)) == ["returned", "paid"]
    assert horde.received == {"renamed#7": 50}
    earn(painter.kudos_account.pk, 20)
    assert collect(award) == 1, "this decision pauses nothing"
    adds_up()


def test_a_moderator_gives_it_back(painter, horde, award, moderator, adds_up):
    decide(doubtful_payout(horde, award, "drops_unread"), PayoutDecision.GIVE_BACK, moderator)
    assert balance_of(painter.pk) == 50
    assert collect(award) == 0
    assert collect(award, at=now() + PAUSE + timedelta(days=1)) == 1
    adds_up()


@pytest.mark.parametrize("decision", PayoutDecision)
def test_what_is_in_no_doubt_is_not_decided(painter, horde, award, moderator, decision):
    collect(award)
    waiting = Payout.objects.get()
    with pytest.raises(PayoutNotOpen):
        decide(waiting, decision, moderator)
    send(award)
    entries = Entry.objects.count()
    with pytest.raises(PayoutNotOpen):
        decide(waiting, decision, moderator)
    with pytest.raises(PayoutNotOpen):
        decide(Payout(pk=waiting.pk + 1), decision, moderator)
    assert Entry.objects.count() == entries


def test_figures_of_both_sides(painter, horde, award):
    horde.standings["7"] = -20.4
    payout = doubtful_payout(horde, award)
    figures = compare_figures(payout=payout, award=award)
    assert (figures.balance, figures.before, figures.after, figures.now, figures.change) == (0, -20, 30, 30, 50)
    horde.is_away = True
    figures = compare_figures(payout=payout, award=award)
    assert (figures.now, figures.change) == (None, 50)
    assert compare_figures(payout=payout, award=NullAward()).now is None


@pytest.mark.parametrize("figure", [None, "12", True, [], float("nan"), float("inf"), 10**400, 1e300, {}])
def test_a_figure_that_is_none_is_not_believed(painter, horde, award, figure):
    horde.standings["7"] = figure
    collect(award)
    assert send(award) == 1
    assert Payout.objects.get().theirs_before is None
