"""From a settled rating to AI Horde and back: the tasks as they run, and what voiding does afterwards."""

import pytest

from accounts.models import Identity
from kudos.models import AccountKind, Entry, Payout
from kudos.queries import balance_of
from kudos.services.payouts import decide_payout
from ratings.models import Rater, Rating
from ratings.queries.payable import payable_identities
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.voiding import restore_ratings, void_ratings
from ratings.tasks import create_payouts_task, send_payouts_task, settle_rewards_task
from tests.factories import UserFactory
from tests.horde_award import KEY, FakeAward
from tests.people import now
from tests.properties.test_payouts import rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def horde(settings):
    with FakeAward() as fake:
        settings.HORDE_URL, settings.HORDE_AWARD_KEY, settings.HORDE_ALLOW_PRIVATE = fake.url, KEY, True
        yield fake


@pytest.fixture
def painter(dataset):
    """A user of AI Horde with five ratings."""
    identity = Identity.objects.create(kind="horde", external_id="7", name="painter#7")
    Rater.objects.create(identity=identity)
    for image in dataset.images.order_by("pk")[:5]:
        rate(identity, image.pk)
    assert Rating.objects.count() == 5
    return identity


def run_tasks():
    Rater.objects.filter(state="new").update(state="calibrated")
    settle_rewards_task()
    create_payouts_task()
    send_payouts_task()


def lost():
    return sum(Entry.objects.filter(account__kind=AccountKind.LOSS).values_list("amount", flat=True))


def test_it_works(painter, horde, adds_up):
    run_tasks()
    assert horde.received == {"painter#7": 25}
    assert balance_of(painter.pk) == 0
    adds_up()


def test_without_a_key_kudos_stay(painter, horde, settings, adds_up):
    settings.HORDE_AWARD_KEY = ""
    run_tasks()
    assert balance_of(painter.pk) == 25
    adds_up()


def test_less_than_the_minimum_stays(painter, horde, settings):
    settings.PAYOUT_MINIMUM = 26
    run_tasks()
    assert balance_of(painter.pk) == 25


@pytest.mark.parametrize("state", ["quarantined", "voided"])
def test_kudos_of_doubtful_raters_stay(painter, horde, state):
    Rater.objects.filter(state="new").update(state="calibrated")
    settle_rewards_task()
    Rater.objects.update(state=state)
    run_tasks()
    assert balance_of(painter.pk) == 25
    assert not payable_identities().exists()
    Rater.objects.update(state="new")
    run_tasks()
    assert horde.received == {"painter#7": 25}


def test_what_waits_to_be_sent_waits_on_while_its_rater_is_in_doubt(painter, horde, adds_up):
    Rater.objects.update(state="calibrated")
    settle_rewards_task()
    create_payouts_task()
    by = {"by": UserFactory(), "reason": "a script", "now": now()}
    quarantine_rater(rater_id=painter.rater.pk, **by)
    send_payouts_task()
    assert (horde.received, Payout.objects.get().state) == ({}, "pending")
    end_quarantine(rater_id=painter.rater.pk, **by)
    send_payouts_task()
    assert (horde.received, Payout.objects.get().state) == ({"painter#7": 25}, "paid")
    adds_up()


def test_what_is_voided_after_it_has_left_is_a_loss(painter, horde, adds_up):
    run_tasks()
    ids = list(Rating.objects.order_by("id").values_list("id", flat=True))[:3]
    by = {"by": UserFactory(), "reason": "a script", "now": now()}
    void_ratings(rating_ids=ids, **by)
    assert (balance_of(painter.pk), lost()) == (0, -15)
    adds_up()
    restore_ratings(rating_ids=ids, **by)
    assert (balance_of(painter.pk), lost()) == (0, 0)
    run_tasks()
    assert horde.received == {"painter#7": 25}
    adds_up()


def test_what_is_voided_while_it_is_in_doubt_adds_up_whatever_is_decided(painter, horde, adds_up):
    horde.manner = "drops_unread"
    run_tasks()
    by = UserFactory()
    void_ratings(rating_ids=list(Rating.objects.values_list("id", flat=True)), by=by, reason="x", now=now())
    assert lost() == -25
    adds_up()
    decide_payout(payout_id=Payout.objects.get().pk, decision="give_back", by=by, note="x", now=now())
    assert balance_of(painter.pk) == 25
    adds_up()
