"""What is decided about raters and comparisons: quarantine, voiding, linking and settling see them as they see ratings."""

from datetime import timedelta

import pytest

from accounts.access import Caller
from accounts.models import IdentityKind
from kudos.queries import balance_of, history_of
from ratings.models import Comparison, Rater
from ratings.queries.raters import my_standing
from ratings.services.comparison import ComparisonSubmission, submit_comparison
from ratings.services.comparison_states import supersede_comparisons
from ratings.services.quarantine import end_quarantine, quarantine_rater
from ratings.services.rater import ensure_rater
from ratings.services.refusals import AlreadyRated
from ratings.services.voiding_comparisons import restore_comparisons, void_comparisons
from tests.people import make_person, now
from tests.ratings.services.test_comparison import PRICES, sign_again
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db


@pytest.fixture
def moderator():
    return make_person("moderator").user


@pytest.fixture
def compare(lease_set):
    """Lease a set and say that it is a tie; or say so of one that was leased before."""

    def give(caller, leased=None):
        leased = leased or lease_set(caller)
        submission = ComparisonSubmission(set_id=leased.set_id, lease=leased.lease, outcome="tie")
        return submit_comparison(caller=caller, submission=submission, prices=PRICES, now=now())

    return give


def decide(service, moderator, **about):
    return service(by=moderator, reason="a test", now=now(), **about)


def states():
    return list(Comparison.objects.order_by("id").values_list("state", flat=True))


def settle():
    return settle_rewards(hold=timedelta(0), now=now() + timedelta(minutes=1))


def test_quarantine_is_total_and_reversible(rater, outsider, compare, moderator, adds_up):
    for person in (rater, rater, outsider):
        compare(person.caller)
    rater_id = Rater.objects.get(identity_id=rater.identity_id).pk
    assert decide(quarantine_rater, moderator, rater_id=rater_id).affected_count == 2
    assert states() == ["quarantined", "quarantined", "counted"]
    assert compare(rater.caller).state == "quarantined"
    assert settle().comparison_count == 1
    adds_up()
    assert decide(end_quarantine, moderator, rater_id=rater_id).affected_count == 3
    assert set(states()) == {"counted"}
    assert settle().comparison_count == 3
    adds_up()


def test_rewards_wait_and_are_settled_once(rater, compare, adds_up):
    compare(rater.caller)
    compare(rater.caller)
    assert my_standing(identity_id=rater.identity_id, today=now()).pending_kudos == 30
    assert (settle().amount, settle().amount) == (30, 0)
    assert balance_of(rater.identity_id) == 30
    assert [line.note for line in history_of(identity_id=rater.identity_id)] == ["2 comparisons"]
    adds_up()


@pytest.mark.parametrize("is_settled", [False, True])
def test_voiding_takes_the_reward_back_and_restoring_returns_it(rater, compare, moderator, is_settled, adds_up):
    kept, voided = compare(rater.caller).comparison_id, compare(rater.caller).comparison_id
    if is_settled:
        settle()
    for _ in range(2):
        action = decide(void_comparisons, moderator, comparison_ids=[voided])
        assert (action.kind, action.affected_count, action.target) == ("void_comparisons", 1, "1 comparison")
        assert decide(void_comparisons, moderator, comparison_ids=[voided]).affected_count == 0
        assert Comparison.objects.get(pk=voided).state == "voided"
        adds_up()
        settle()
        assert balance_of(rater.identity_id) == 15
        assert decide(restore_comparisons, moderator, comparison_ids=[voided]).affected_count == 1
        adds_up()
    settle()
    assert balance_of(rater.identity_id) == 30
    assert Comparison.objects.get(pk=kept).state == "counted"
    adds_up()


def test_one_person_compares_a_set_once_under_whichever_identity(rater, compare, lease_set, moderator, adds_up):
    user_id = rater.user.pk
    alone = Caller(IdentityKind.HORDE, "4711", None, None, "horde:4711", "c" * 32)
    leased = lease_set(rater.caller)
    compare(rater.caller, leased)
    again = type(leased)(**{name: getattr(leased, name) for name in leased.__slots__} | {"lease": ""})
    again = again.__class__(leased.set_id, leased.dataset_id, sign_again(leased, alone.holder), leased.images, 1)
    second = compare(alone, again).comparison_id
    identity_id = ensure_rater(alone, now=now())
    Rater.objects.get(identity_id=identity_id).identity.__class__.objects.filter(pk=identity_id).update(user_id=user_id)
    Rater.objects.filter(identity__user_id=user_id).update(is_linked=True)
    assert supersede_comparisons(user_id=user_id) == {second}
    assert supersede_comparisons(user_id=user_id) == set()
    assert states() == ["counted", "superseded"]
    decide(void_comparisons, moderator, comparison_ids=[Comparison.objects.order_by("id").first().pk])
    with pytest.raises(AlreadyRated):
        compare(alone, again)
    adds_up()
