"""What answers to controls say of raters, while they come in and read back; and appeals."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection

from ratings.models import Appeal, ControlAnswer, GoldImage, ImageScore, Rater, RaterScore, RaterTransition, Rating
from ratings.services.appealing import AppealedAlready, Decided, NothingToAppeal, decide_appeals, open_appeal
from ratings.services.quarantine import quarantine_rater
from ratings.services.scoring import memory
from ratings.stats.controls import ControlPolicy
from ratings.stats.repeats import repeat_log_e
from ratings.views.profile import start_of_today
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.controlled import answer, count_rows, kind_of, make_gold, take
from tests.ratings.services.scoring_crowd import Crowd

pytestmark = pytest.mark.django_db
NUMBERS = ("rater_id", "task", "trust_log_e", "ban_log_e", "p_honest", "repeat_log_e", "rating_count")


def answer_gold(crowd, rater, say, count=12):
    """Store answers to gold: ``say`` of the known score."""
    for gold in GoldImage.objects.order_by("pk")[:count]:
        ControlAnswer.objects.create(
            id=next_number(),
            kind="gold",
            dataset=crowd.dataset,
            image=gold.image,
            rater=rater,
            aesthetic=say(gold.aesthetic),
            known_aesthetic=gold.aesthetic,
            aesthetic_share=gold.aesthetic_share,
            client_agent="t",
            created_at=now(),
        )


def next_number():
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('ratings_rating', 'id'))")
        return cursor.fetchone()[0]


@pytest.fixture
def crowd(db):
    crowd = Crowd()
    make_gold(crowd.dataset, 30)
    crowd.rate_all()
    crowd.take()
    return crowd


def test_gold_measures_and_does_not_vote(crowd):
    looks, blind = crowd.raters[:2]
    before = {score.rater_id: score for score in RaterScore.objects.filter(task="aesthetic")}
    images = {pk: row for pk, *row in ImageScore.objects.values_list("pk", "score", "rating_count")}
    answer_gold(crowd, looks, round)
    answer_gold(crowd, blind, lambda known: round(11 - known))
    assert crowd.take().answer_count == 24
    after = {score.rater_id: score for score in RaterScore.objects.filter(task="aesthetic")}
    assert after[looks.pk].trust_log_e > before[looks.pk].trust_log_e + 2
    assert after[blind.pk].trust_log_e < before[blind.pk].trust_log_e
    assert after[blind.pk].ban_log_e > before[blind.pk].ban_log_e + 2
    assert after[looks.pk].rating_count == before[looks.pk].rating_count
    changed = [
        pk
        for pk, *row in ImageScore.objects.values_list("pk", "score", "rating_count")
        if row[1] != images.get(pk, [0, 0])[1]
    ]
    assert changed == []


def test_a_new_process_knows_the_same_of_controls(crowd):
    for number, rater in enumerate(crowd.raters[:4]):
        answer_gold(crowd, rater, round if number % 2 else crowd.blind)
        crowd.take()
    kept = sorted(RaterScore.objects.values_list(*NUMBERS))
    memory.forget_states(crowd.dataset.pk)
    last = crowd.rate(Rater.objects.get(identity=make_person().identity_id), crowd.images[:30])
    assert crowd.take().answer_count == len(last)
    known = {(row[0], row[1]): row for row in sorted(RaterScore.objects.values_list(*NUMBERS))}
    for row in kept:
        assert known[row[:2]][2:] == pytest.approx(row[2:], abs=0.15, rel=0.05), row


FIRST = np.array([2, 9, 5, 7, 3, 8, 1, 10], dtype=np.float64)
SLIPS = np.array([1, 0, -1, 0, 1, -1, 0, 0], dtype=np.float64)
AGREES = {
    "who looks": (FIRST, FIRST + SLIPS, 8.0, 3, 20),
    "who does not": (FIRST, FIRST[::-1], 8.0, -60, -1),
    "who always says five": (np.full(8, 5.5), np.full(8, 5.5), 0.0, 0, 3),
}


@pytest.mark.parametrize(("first", "second", "variance", "least", "most"), AGREES.values(), ids=AGREES)
def test_repeat_log_e_tells_who_agrees_with_themself(first, second, variance, least, most):
    assert least < float(repeat_log_e(first, second, mean=5.5, variance=variance).sum()) < most


# --- Appeals --------------------------------------------------------------------------------------------------


@pytest.fixture
def appellant(db):
    """Somebody in quarantine, who has been told, with 60 ratings of two days ago."""
    dataset = DatasetFactory(target_rating_count=1000)
    images = make_images(dataset, 150)
    person = make_person()
    rater = Rater.objects.get(identity_id=person.identity_id)
    Rating.objects.bulk_create(
        Rating(
            dataset=dataset,
            image=image,
            rater=rater,
            aesthetic=1 + place % 10,
            client_agent="t",
            proof="lease",
            scale_version=1,
            created_at=now() - timedelta(days=2),
        )
        for place, image in enumerate(images[:60])
    )
    count_rows()
    quarantine_rater(rater_id=rater.pk, by=make_person().user, reason="test", now=now() - timedelta(days=10))
    person.dataset, person.rater_id = dataset, rater.pk
    return person


def appeal(person, **options):
    fields = {"words": "", "wants_person": False, "today": start_of_today(), "now": now()} | options
    return open_appeal(user=person.user, **fields)


def answer_repeats(person, say):
    for _ in range(8):
        [leased] = take(person.caller, person.dataset)
        assert kind_of(person.caller, leased) == "repeat"
        answer(
            person.caller, leased, aesthetic=say(Rating.objects.get(image=leased.image_id).aesthetic), artifacts=None
        )


def test_an_appeal_is_won_by_who_agrees_with_themself(appellant, adds_up):
    appeal(appellant)
    assert decide_appeals(policy=ControlPolicy(), now=now()) == Decided()
    answer_repeats(appellant, lambda before: before)
    [after] = take(appellant.caller, appellant.dataset)
    assert kind_of(appellant.caller, after) != "repeat"
    assert decide_appeals(policy=ControlPolicy(), now=now()) == Decided(passed=1)
    rater = Rater.objects.get(pk=appellant.rater_id)
    assert (rater.state, rater.has_own_taste, rater.counted_count) == ("new", True, 68)
    step = RaterTransition.objects.latest("id")
    assert (step.from_state, step.to_state) == ("quarantined", "new")
    assert "over 8 repeats they agree with themself" in step.reason
    assert Appeal.objects.get().state == "passed"
    adds_up()


def test_a_person_decides_about_who_does_not(appellant):
    appeal(appellant)
    answer_repeats(appellant, lambda before: 11 - before)
    assert decide_appeals(policy=ControlPolicy(), now=now()) == Decided(to_person=1)
    assert Rater.objects.get(pk=appellant.rater_id).state == "quarantined"
    assert Appeal.objects.get().state == "to_person"
    with pytest.raises(AppealedAlready):
        appeal(appellant)


def test_who_wants_a_person_is_not_asked_repeats(appellant):
    appeal(appellant, wants_person=True, words="x" * 2000)
    assert Appeal.objects.get().state == "to_person"
    assert {kind_of(appellant.caller, one) for one in take(appellant.caller, appellant.dataset, count=8)} <= {
        "rating",
        "gold",
    }


def test_nobody_appeals_twice_at_once_or_against_what_they_were_not_told(appellant):
    with pytest.raises(NothingToAppeal):
        appeal(make_person())
    with pytest.raises(NothingToAppeal):
        appeal(appellant, today=start_of_today() - timedelta(days=9))
    appeal(appellant)
    with pytest.raises(AppealedAlready):
        appeal(appellant)


def test_the_page_of_an_appeal(appellant):
    web = appellant.web()
    assert b"Rather have a person look" in web.get("/profile/").content
    answered = web.post("/profile/appeal/", {"way": "repeats", "words": "I do \0 look."}, follow=True)
    assert b"Your appeal is under way" in answered.content
    assert Appeal.objects.get().words == "I do  look."
    assert b"Your appeal is under way" in web.post("/profile/appeal/", {"way": "person"}, follow=True).content
    honest = make_person().web()
    assert b"nothing to appeal against" in honest.post("/profile/appeal/", {"way": "person"}, follow=True).content
    assert Appeal.objects.count() == 1


def test_an_appeal_ends_with_the_quarantine(appellant):
    appeal(appellant, wants_person=True)
    Rater.objects.filter(pk=appellant.rater_id).update(state="new", state_before="")
    decide_appeals(policy=ControlPolicy(), now=now())
    assert Appeal.objects.get().state == "closed"
