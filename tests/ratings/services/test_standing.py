"""Raters go from state to state as the evidence grows, and each step stays on record."""

from dataclasses import replace

import pytest

from accounts.models import User
from ratings.models import ImageScore, ModerationAction, Rater, RaterScore, RaterTransition, Rating
from ratings.services.quarantine import end_quarantine, validate_rater
from ratings.services.scoring import carry_out_quarantines
from ratings.services.scoring.standing import Evidence, next_step
from ratings.services.settlement import settle_rewards
from tests.people import make_person, now
from tests.ratings.services.scoring_crowd import POLICY, Crowd

pytestmark = pytest.mark.slow
QUIET = Evidence(1, "new", False, False, 1.0, 1.0, 0.9, 20, 0.0, "", None)
STEPS = [
    ("nothing is known", {}, None),
    ("trust from 20 pays", {"trust_e": 20}, "calibrated"),
    ("fifty quiet ratings pay", {"rating_count": 50}, "calibrated"),
    ("fifty ratings without interest do not", {"rating_count": 50, "p_honest": 0.8}, None),
    ("nor fifty on which the bet has lost", {"rating_count": 50, "trust_e": 0.9}, None),
    ("trust from 100 is trusted", {"trust_e": 100}, "trusted"),
    ("whoever a moderator vouches for is trusted", {"is_validated": True, "rating_count": 1}, "trusted"),
    ("nobody is anything before ten ratings", {"trust_e": 1e9, "rating_count": 9}, None),
    ("evidence against is watched from 100", {"ban_e": 100, "state": "trusted"}, "watched"),
    ("who is watched stays so until 20", {"ban_e": 21, "state": "watched"}, None),
    ("and is let go after that", {"ban_e": 19, "state": "watched"}, "new"),
    ("or calibrated again", {"ban_e": 19, "state": "watched", "trust_e": 30}, "calibrated"),
    ("from 1000 in quarantine", {"ban_e": 1000, "rating_count": 9, "p_honest": 0.4}, "quarantined"),
    ("also who looks with p < .02 over 30", {"ban_e": 20, "p_honest": 0.019, "rating_count": 30}, "quarantined"),
    ("but not over 29", {"ban_e": 20, "p_honest": 0.019, "rating_count": 29}, None),
    ("nor while the e-value is quiet", {"ban_e": 19, "p_honest": 0.001, "rating_count": 99}, None),
    ("and with p < .05 over 10 when watched", {"ban_e": 100, "p_honest": 0.04, "rating_count": 10}, "quarantined"),
    ("but not over 9", {"ban_e": 100, "p_honest": 0.04, "rating_count": 9}, "watched"),
    ("nor from 1000 who looks as likely as not", {"ban_e": 1000, "rating_count": 9}, "watched"),
    ("an own taste is never held", {"ban_e": 1e9, "p_honest": 0.01, "rating_count": 99, "has_own_taste": True},
     "calibrated"),
    ("what a person knew counts no more", {"ban_e": 5000, "cleared_ban_e": 4000.0}, None),
    ("what came on top does", {"ban_e": 5e6, "cleared_ban_e": 4000.0, "p_honest": 0.4}, "quarantined"),
    ("nobody comes out of quarantine by this", {"state": "quarantined", "trust_e": 1e9}, None),
    ("rewards wait when behaviour changes", {"state": "trusted", "trust_e": 1e9, "change": 7}, "watched"),
    ("and trust does", {"trust_e": 1e9, "change": 7}, "watched"),
    ("but not of an own taste", {"state": "calibrated", "change": 7, "has_own_taste": True}, None),
    ("until it looks as it did", {"state": "watched", "trust_e": 1e9, "change": 6}, "trusted"),
    ("calibrated stays", {"state": "calibrated", "trust_e": 3, "p_honest": 0.4}, None),
    ("also where little speaks for it", {"state": "calibrated", "trust_e": 0.5}, None),
    ("until nothing does", {"state": "calibrated", "trust_e": 0.5, "p_honest": 0.4}, "new"),
    ("but for an own taste",
     {"state": "calibrated", "trust_e": 0.5, "p_honest": 0.4, "has_own_taste": True}, None),
]  # fmt: skip


@pytest.mark.parametrize(("known", "to_state"), [step[1:] for step in STEPS], ids=[step[0] for step in STEPS])
def test_next_step(known, to_state):
    step = next_step(replace(QUIET, **known), POLICY)
    assert (step.to_state.value if step else None) == to_state
    assert step is None or len(step.reason) > 20


AFTER_THE_FIT = [
    ("the probability decides alone", {}, True),
    ("but not over a few ratings", {"rating_count": 29}, False),
    ("nor by a change that no moment shows", {"kind": "changed"}, False),
    ("but by one that shows", {"kind": "changed", "change": 7}, True),
    ("nor against what a person has decided", {"cleared_ban_e": 1.0}, False),
]


@pytest.mark.parametrize(("known", "is_held"), [step[1:] for step in AFTER_THE_FIT], ids=[s[0] for s in AFTER_THE_FIT])
def test_after_the_fit_from_scratch(known, is_held):
    improbable = replace(QUIET, **{"p_honest": 0.019, "rating_count": 30} | known)
    step = next_step(improbable, POLICY, is_nightly=True)
    assert (step is not None and step.to_state == "quarantined") is is_held
    by_day = next_step(improbable, POLICY)
    assert by_day is None or by_day.to_state == "watched"


def test_a_copier_is_held_although_the_e_value_is_quiet():
    copier = replace(QUIET, p_honest=0.019, rating_count=10, kind="copier")
    assert next_step(copier, POLICY).to_state == "quarantined"
    assert next_step(replace(copier, rating_count=9), POLICY) is None


@pytest.fixture
def crowd(db):
    crowd = Crowd()
    crowd.rate_all()
    crowd.take()
    return crowd


@pytest.fixture
def script(crowd):
    """Somebody who gives every image a ten, sixty times."""
    rater = Rater.objects.get(identity=make_person("script").identity_id)
    crowd.rate(rater, answer=lambda image: 10, reward=5)
    crowd.take()
    return rater


def state_of(rater):
    return Rater.objects.values_list("state", flat=True).get(pk=rater.pk)


def test_people_are_calibrated_and_then_trusted(crowd):
    assert {state_of(rater) for rater in crowd.raters[4:]} == {"trusted"}
    steps = RaterTransition.objects.filter(rater=crowd.raters[-1])
    assert [step.to_state for step in steps.order_by("id")][-1] == "trusted"
    assert steps.last().evidence["trust_e"] >= 100
    assert "follow the images" in steps.last().reason


def test_a_script_is_quarantined_whole_and_on_record(crowd, script, adds_up):
    assert state_of(script) in {"new", "watched"}
    assert carry_out_quarantines(policy=POLICY, now=now()) == 1
    assert state_of(script) == "quarantined"
    assert set(Rating.objects.filter(rater=script).values_list("state", flat=True)) == {"quarantined"}
    action = ModerationAction.objects.get()
    assert action.taken_by.username == "quality engine"
    assert not User.objects.get(username="quality engine").has_usable_password()
    step = RaterTransition.objects.get(rater=script, to_state="quarantined")
    assert step.moderation_action == action
    assert step.evidence["rating_count"] == 60
    before = dict(ImageScore.objects.filter(task="aesthetic").values_list("image_id", "counted_count"))
    crowd.take()
    assert RaterScore.objects.get(rater=script, task="aesthetic").is_silent
    after = dict(ImageScore.objects.filter(task="aesthetic").values_list("image_id", "counted_count"))
    assert sum(after.values()) <= sum(before.values())
    assert carry_out_quarantines(policy=POLICY, now=now()) == 0
    assert crowd.take().change_count == 0
    adds_up()


def test_silence_gives_the_scores_that_were_without(crowd):
    without = dict(ImageScore.objects.filter(task="aesthetic").values_list("image_id", "score"))
    rater = Rater.objects.get(identity=make_person().identity_id)
    crowd.rate(rater, answer=lambda image: 1)
    Rater.objects.filter(pk=rater.pk).update(state="quarantined")
    Rating.objects.filter(rater=rater).update(state="quarantined")
    crowd.count()
    crowd.take()
    silenced = dict(ImageScore.objects.filter(task="aesthetic").values_list("image_id", "score"))
    assert silenced == pytest.approx(without, abs=0.2)
    anew = crowd.take_anew
    Rater.objects.filter(pk=rater.pk).update(state="new")
    Rating.objects.filter(rater=rater).update(state="counted")
    crowd.count()
    anew()
    assert not RaterScore.objects.filter(is_silent=True).exists()


def test_who_was_let_back_in_is_not_held_for_the_same_again(crowd, script, adds_up):
    carry_out_quarantines(policy=POLICY, now=now())
    crowd.take()
    end_quarantine(rater_id=script.pk, by=make_person("moderator").user, reason="a strange taste", now=now())
    crowd.take()
    assert carry_out_quarantines(policy=POLICY, now=now()) == 0
    assert [step.to_state for step in RaterTransition.objects.filter(rater=script).order_by("id")][-1] != "quarantined"
    adds_up()


def test_linked_raters_are_one_person(crowd, script):
    other = Rater.objects.get(identity=make_person().identity_id)
    user = script.identity.user
    other.identity.kind, other.identity.user = "horde", user
    other.identity.save(update_fields=["kind", "user"])
    Rater.objects.filter(pk__in=[script.pk, other.pk]).update(is_linked=True)
    carry_out_quarantines(policy=POLICY, now=now())
    assert {state_of(script), state_of(other)} == {"quarantined"}


def test_rewards_wait_for_calibration(crowd):
    from datetime import timedelta

    rater = Rater.objects.get(identity=make_person().identity_id)
    crowd.rate(rater, crowd.images[:5], reward=5)
    pay = {"hold": timedelta(0), "now": now() + timedelta(seconds=1)}
    assert settle_rewards(**pay).rating_count == 0
    for state, count in (("watched", 0), ("quarantined", 0), ("calibrated", 5)):
        Rater.objects.filter(pk=rater.pk).update(state=state)
        assert settle_rewards(**pay).rating_count == count


def test_a_moderator_s_word_is_enough(crowd):
    person = make_person()
    rater = Rater.objects.get(identity=person.identity_id)
    validate_rater(rater_id=rater.pk, by=make_person("moderator").user, reason="panel", now=now())
    crowd.rate(rater, crowd.images[:2])
    crowd.take()
    assert state_of(rater) == "trusted"
