"""Quarantine is of a person: all linked identities go together, and nobody is linked in or out of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from accounts.models import Identity
from kudos.queries import balance_of_person
from ratings.models import Image, ModerationAction, Rater, Rating
from ratings.queries.payable import payable_identities
from ratings.services import quarantine
from ratings.services.linking import LinkedElsewhere, OutOfCount, unlink_identity
from ratings.services.quarantine import end_quarantine, modify_rater, quarantine_rater
from ratings.services.settlement import settle_rewards
from tests.accounts.staff import make_moderator
from tests.factories import UserFactory
from tests.people import now
from tests.ratings.services.test_concurrency import at_once, wait_until_somebody_waits_for_a_lock
from tests.ratings.services.test_linking import KEY, HordePerson, link, rate, take_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(horde):
    return HordePerson(horde.add_user(KEY, 7))


@pytest.fixture
def by():
    return {"by": UserFactory(), "reason": "a script", "now": now()}


def let_rate(*callers):
    """Let each rate once, each an image of its own: of one that both rate, linking leaves one rating."""
    images = Image.objects.filter(rating_count=0).order_by("pk").values_list("pk", flat=True)
    for caller, image_id in zip(callers, list(images), strict=False):
        rate(caller, take_one(caller, image_id))


@pytest.fixture
def raters(rater, ada, dataset):
    """The raters of an account with three ratings and of its linked AI Horde identity with two."""
    let_rate(*[rater.caller] * 3, *[ada.caller] * 2)
    return [Rater.objects.get(identity_id=identity) for identity in (rater.identity_id, link(rater).id)]


def standing():
    return sorted(Rater.objects.values_list("identity__kind", "state", "counted_count"))


@pytest.mark.parametrize("which", [0, 1])
def test_one_decision_takes_out_and_lets_in_the_person(raters, by, adds_up, which):
    Rater.objects.filter(pk=raters[1].pk).update(state="calibrated")
    pk, other = raters[which].pk, raters[1 - which].pk
    action = quarantine_rater(rater_id=pk, **by)
    assert (action.affected_count, action.target) == (5, f"linked {other} and rater {pk}")
    assert standing() == [("account", "quarantined", 0), ("horde", "quarantined", 0)]
    assert set(Rating.objects.values_list("state")) == {("quarantined",)}
    adds_up()
    assert end_quarantine(rater_id=other, **by).affected_count == 5
    assert standing() == [("account", "new", 3), ("horde", "calibrated", 2)]
    assert ModerationAction.objects.count() == 2
    adds_up()


@pytest.mark.parametrize("which", [0, 1])
def test_nothing_of_the_person_is_paid_meanwhile(raters, rater, by, which):
    assert payable_identities().exists()
    quarantine_rater(rater_id=raters[which].pk, **by)
    assert settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1)).amount == 0
    assert balance_of_person(rater.identity_id) == 0
    assert not payable_identities().exists()
    end_quarantine(rater_id=raters[which].pk, **by)
    assert payable_identities().exists()


def test_one_identity_in_doubt_keeps_back_the_kudos_of_all(raters):
    """However it came about; the nightly check tells of it."""
    from config.invariants import find_violations

    Rater.objects.filter(pk=raters[0].pk).update(state="voided")
    assert not payable_identities().exists()
    assert any("is in quarantine with 1 raters of 2" in sentence for sentence in find_violations())


def test_others_stay_where_they_are(raters, outsider, horde, by, adds_up):
    stranger = HordePerson(horde.add_user("hordeKey00000000000002", 8))
    let_rate(outsider.caller, stranger.caller)
    quarantine_rater(rater_id=raters[0].pk, **by)
    assert Rater.objects.filter(state="new", counted_count=1).count() == 2
    assert [identity.external_id for identity in payable_identities()] == ["8"]
    adds_up()


@pytest.mark.parametrize("kind", ["account", "horde"])
def test_nobody_is_linked_while_one_is_out_of_count(rater, ada, dataset, by, adds_up, kind):
    let_rate(rater.caller, ada.caller)
    flagged = Rater.objects.get(identity__kind=kind)
    quarantine_rater(rater_id=flagged.pk, **by)
    with pytest.raises(OutOfCount, match="under review"):
        link(rater)
    assert not Identity.objects.filter(kind="horde", user__isnull=False).exists()
    assert not Rater.objects.filter(is_linked=True).exists()
    adds_up()
    end_quarantine(rater_id=flagged.pk, **by)
    link(rater)
    adds_up()


def test_somebody_elses_stays_refused_as_such(raters, outsider, by):
    quarantine_rater(rater_id=raters[0].pk, **by)
    with pytest.raises(LinkedElsewhere):
        link(outsider)


def test_unlinking_is_no_way_out(raters, rater, by, adds_up):
    quarantine_rater(rater_id=raters[0].pk, **by)
    unlink_identity(user=rater.user, identity_id=raters[1].identity_id)
    assert not payable_identities().exists()
    assert {state for _, state, _ in standing()} == {"quarantined"}
    with pytest.raises(OutOfCount):
        link(rater)
    adds_up()


def test_the_page_tells_of_all(raters):
    moderator = make_moderator()
    for name in ("quarantine_rater", "end_quarantine"):
        address = reverse(f"admin:ratings_{name}")
        said = " ".join(moderator.web.get(f"{address}?keys={raters[1].pk}").context["impact"].sentences)
        assert "5 ratings" in said
        assert "by the same person, are decided about with it: 1." in said
        moderator.web.post(address, {"keys": str(raters[1].pk), "filters": "", "reason": "A script did it."})
    assert {("account", "new", 3), ("horde", "new", 2)} <= set(standing())


def test_a_modification_that_fails_halfway_leaves_nothing(raters, by, monkeypatch, adds_up):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(quarantine, "move_counters", fail)
        with pytest.raises(ZeroDivisionError):
            modify_rater(rater_id=raters[0].pk, is_validated=True, is_flagged=True, **by)
    assert not Rater.objects.filter(is_trusted=True).exists()
    assert not ModerationAction.objects.exists()
    adds_up()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["account", "horde"])
def test_who_is_linked_while_quarantine_waits_goes_with_it(rater, ada, dataset, by, adds_up, kind):
    let_rate(rater.caller, ada.caller)
    flagged = Rater.objects.get(identity__kind=kind)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            link(rater)
            waiting = pool.submit(lambda: at_once([lambda: quarantine_rater(rater_id=flagged.pk, **by)])[0])
            wait_until_somebody_waits_for_a_lock()
        action = waiting.result(10)
    assert action.affected_count == 2
    assert standing() == [("account", "quarantined", 0), ("horde", "quarantined", 0)]
    adds_up()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_linking_and_quarantine_at_once_never_part_a_person(rater, ada, dataset, by, adds_up):
    let_rate(rater.caller, ada.caller)
    own, theirs = Rater.objects.order_by("id").values_list("id", flat=True)

    def link_and_unlink():
        for _ in range(6):
            try:
                linked = link(rater)
            except OutOfCount:
                continue
            adds_up()
            unlink_identity(user=rater.user, identity_id=linked.id)

    def flag(pk):
        return lambda: [decide(rater_id=pk, **by) for _ in range(6) for decide in (quarantine_rater, end_quarantine)]

    results = at_once([link_and_unlink, flag(own), flag(theirs)])
    assert [result for result in results if isinstance(result, Exception)] == []
    adds_up()
