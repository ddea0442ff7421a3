"""Ratings become scores: in order, once each, whatever dies."""

import threading

import numpy as np
import pytest
from django.db import connection, connections, transaction

from accounts.access import account_caller
from ratings.models import (
    Image,
    ImageScore,
    QualityAlarm,
    Rater,
    RaterScore,
    Rating,
    RatingChange,
    ScoreCursor,
    TaskParameters,
)
from ratings.queries.datasets import get_dataset_for_rating
from ratings.rewards import current_prices
from ratings.selection import NoImageLeft, lease_images
from ratings.services.revising import RatingRevision, revise_rating
from ratings.services.scoring import consumer, recompute_scores, update_scores
from ratings.services.scoring.alarms import MOST_WAITING
from ratings.services.scoring.horizon import find_safe_horizon
from ratings.services.voiding import restore_ratings, void_ratings
from ratings.stats.ranks import rank_correlation
from ratings.stats.state import RATER_COLUMNS
from tests.factories import make_images
from tests.people import make_person, now
from tests.ratings.services.scoring_crowd import POLICY, Crowd

pytestmark = pytest.mark.slow
SCORES = ("image_id", "rating_count", "score", "low", "high", "effective_count")


@pytest.fixture
def crowd(db):
    return Crowd()


@pytest.fixture
def lasting_crowd(transactional_db):
    """What other connections see."""
    return Crowd(images=12, people=4)


def scores(task="aesthetic"):
    return {row[0]: row[1:] for row in ImageScore.objects.filter(task=task).values_list(*SCORES)}


def test_it_works(crowd, adds_up):
    crowd.rate_all()
    taken = crowd.take()
    assert (taken.answer_count, taken.is_all) == (720, True)
    ranked = sorted(crowd.quality, key=lambda pk: scores()[pk][1])
    assert crowd.quality[ranked[0]] < 3.5
    assert crowd.quality[ranked[-1]] > 7.5
    assert ScoreCursor.objects.get().rating_id == Rating.objects.latest("id").pk
    assert RaterScore.objects.filter(task="aesthetic", p_honest__gt=0.9, trust_log_e__gt=3).count() == 12
    assert crowd.take().answer_count == 0
    adds_up()


def test_a_new_process_goes_on_as_if_it_had_been_there(crowd):
    for rater in crowd.raters:
        crowd.rate(rater)
        crowd.take()
    last = crowd.rate(Rater.objects.get(identity=make_person().identity_id), crowd.images[:30])
    with transaction.atomic():
        crowd.take()
        kept = scores()
        transaction.set_rollback(True)
    assert crowd.take_anew().answer_count == len(last)
    anew = scores()
    assert kept.keys() == anew.keys()
    for pk, row in kept.items():
        assert row == pytest.approx(anew[pk], abs=0.02), pk


def test_batches_are_of_a_size_and_in_order(crowd):
    crowd.rate_all()
    sizes = []
    while not (taken := crowd.take(batch_size=300)).is_all:
        sizes.append(taken.answer_count)
    assert [*sizes, taken.answer_count] == [300, 300, 120]


def test_relayed_imported_and_held_ratings_are_in_no_score(crowd):
    crowd.rate(crowd.raters[0])
    crowd.rate(crowd.raters[1], proof="relay")
    crowd.rate(crowd.raters[2], proof="import", is_shared=True)
    crowd.rate(crowd.raters[3], proof="held", state="held")
    crowd.take()
    assert {row[0] for row in scores().values()} == {1}
    assert RaterScore.objects.filter(task="aesthetic").count() == 1


def test_a_question_that_is_not_answered_is_not_counted(crowd):
    crowd.rate(crowd.raters[0], artifacts=None)
    crowd.take()
    assert len(scores()) == 60
    assert scores("artifacts") == {}


def test_people_behind_the_shared_key_are_told_apart_by_address(crowd):
    Rater.objects.filter(pk=crowd.raters[0].pk).update(is_shared=True)
    for address in "ab":
        crowd.rate(crowd.raters[0], crowd.images[:9], is_shared=True, address_hash=address * 32)
    crowd.take()
    found = RaterScore.objects.filter(task="aesthetic").values_list("address_hash", "rating_count")
    assert sorted(found) == [("a" * 32, 9), ("b" * 32, 9)]


def test_what_is_voided_after_it_was_taken_leaves_the_score_and_comes_back(crowd, adds_up):
    crowd.rate_all()
    crowd.take()
    before = scores()
    by = make_person("moderator").user
    ids = list(Rating.objects.filter(image=crowd.images[0]).order_by("id").values_list("id", flat=True)[:11])
    void_ratings(rating_ids=ids, by=by, reason="a script", now=now())
    assert crowd.take().change_count == 11
    assert not RatingChange.objects.exists()
    assert scores()[crowd.images[0].pk][0] == 1
    restore_ratings(rating_ids=ids, by=by, reason="no script", now=now())
    crowd.take()
    assert scores()[crowd.images[0].pk] == pytest.approx(before[crowd.images[0].pk], abs=0.1)
    adds_up()


def test_what_is_voided_leaves_the_score_also_where_the_rows_are_read_anew(crowd):
    """A new process knows nothing of the answers, so there is nothing to take out; what is stored is of before."""
    rater = crowd.raters[0]
    image = make_images(crowd.dataset, 1)[0]
    crowd.quality[image.pk] = 5
    ids = [row.pk for row in crowd.rate(rater, [*crowd.images[:3], image])]
    crowd.take()
    void_ratings(rating_ids=ids, by=make_person("moderator").user, reason="a script", now=now())
    crowd.take_anew()
    assert set(RaterScore.objects.filter(rater=rater).values_list("rating_count", "trust_log_e")) == {(0, 0.0)}
    assert set(ImageScore.objects.filter(image=image).values_list("rating_count", flat=True)) == {0}
    assert not RatingChange.objects.exists()


def test_what_is_voided_before_it_was_taken_is_never_in_a_score(crowd):
    crowd.rate_all()
    ids = list(Rating.objects.filter(image=crowd.images[0]).values_list("id", flat=True))
    void_ratings(rating_ids=ids, by=make_person("moderator").user, reason="a script", now=now())
    crowd.take()
    assert crowd.images[0].pk not in scores()


def test_the_fit_from_scratch_agrees_and_is_written_down(crowd, adds_up):
    crowd.rate_all()
    crowd.take()
    by_updates = scores()
    assert recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()) == []
    fitted = scores()
    assert by_updates.keys() == fitted.keys()
    pairs = np.array([(by_updates[pk][1], fitted[pk][1]) for pk in fitted])
    assert rank_correlation(pairs[:, 0], pairs[:, 1]) > 0.99
    cursor = ScoreCursor.objects.get()
    assert cursor.fitted_at is not None
    assert cursor.fitted_count == 720
    adds_up()


def drifted(*, images_each=100):
    """A crowd as after a fault in the updates: what is stored of the raters lets one of them alone decide."""
    crowd = Crowd(images=100, people=8)
    for number, rater in enumerate(crowd.raters):
        crowd.rate(rater, [crowd.images[(12 * number + place) % 100] for place in range(images_each)])
    crowd.take()
    assert recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()) == []
    place = sum(RATER_COLUMNS[name] for name in list(RATER_COLUMNS)[: list(RATER_COLUMNS).index("weight")])
    for number, score in enumerate(RaterScore.objects.filter(task="aesthetic").order_by("id")):
        score.numbers[place] = 1.0 if number == 0 else 0.001
        score.save(update_fields=["numbers"])
    return crowd


def test_scores_that_drifted_from_the_fit_raise_an_alarm(db):
    crowd = drifted()

    [alarm] = recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now())

    assert (alarm.kind, alarm.task) == ("drift", "aesthetic")
    assert 0 < alarm.value < 0.99
    assert "0.99 is the least that is normal" in alarm.message
    assert list(QualityAlarm.objects.all()) == [alarm]
    # The fit is what holds from there on.
    assert recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()) == []


def test_a_young_dataset_raises_no_alarm(db):
    """Half of the ratings are new since the last fit: ranks move with what it learns of the raters."""
    crowd = drifted()
    ScoreCursor.objects.update(fitted_count=400)
    assert recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()) == []
    assert TaskParameters.objects.get(task="aesthetic").agreement["rank_correlation"] < 0.99


def test_images_with_hardly_more_than_one_rating_raise_no_alarm(db):
    crowd = drifted(images_each=20)
    assert recompute_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()) == []
    assert TaskParameters.objects.get(task="aesthetic").agreement["rank_correlation"] < 0.99


@pytest.mark.parametrize(
    ("narrow_enough", "given", "why", "wanted", "is_open"),
    [(9.0, 3, "", None, True), (9.0, 4, "narrow", 4, False), (0.01, 4, "", 6, True), (0.01, 8, "cap", 8, False)],
)
def test_an_image_has_enough_when_its_score_is_known_or_at_the_cap(
    db, adds_up, narrow_enough, given, why, wanted, is_open
):
    crowd = Crowd(images=20, people=8, target_rating_count=4, contested_rating_count=8, narrow_enough=narrow_enough)
    for rater in crowd.raters[:given]:
        crowd.rate(rater)
        crowd.take()
    image = Image.objects.get(pk=crowd.images[0].pk)
    assert (image.rating_count, image.closed_because, image.wanted_count) == (given, why, wanted)
    assert (image.is_open, image.closed_at is None) == (is_open, why == "")
    visitor = make_person().caller
    dataset = get_dataset_for_rating(crowd.dataset.slug)
    if is_open:
        assert lease_images(caller=visitor, dataset=dataset, count=1, now=now())
    else:
        with pytest.raises(NoImageLeft):
            lease_images(caller=visitor, dataset=dataset, count=1, now=now())
    adds_up()


def test_a_consumer_that_dies_in_the_middle_has_done_nothing(crowd, monkeypatch):
    crowd.rate_all()
    crowd.take(batch_size=300)
    before, cursor = scores(), ScoreCursor.objects.get().rating_id

    def die(**_):
        raise KeyboardInterrupt

    # The last thing before the commit: everything else is written by then.
    with monkeypatch.context() as patch:
        patch.setattr(consumer, "move_raters", die)
        with pytest.raises(KeyboardInterrupt):
            crowd.take(batch_size=300)
    assert (scores(), ScoreCursor.objects.get().rating_id) == (before, cursor)
    assert crowd.take().answer_count == 420
    assert RaterScore.objects.filter(task="aesthetic", rating_count=60).count() == 12


@pytest.mark.django_db(transaction=True)
def test_two_consumers_at_once_take_each_answer_once(lasting_crowd, adds_up):
    lasting_crowd.rate_all()
    barrier, taken = threading.Barrier(2), []

    def consume():
        try:
            barrier.wait(30)
            taken.append(lasting_crowd.take())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=consume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(part.answer_count for part in taken) == 48
    assert lasting_crowd.take().answer_count == 0
    assert {row[0] for row in scores().values()} == {4}
    adds_up()


@pytest.mark.django_db(transaction=True)
def test_a_rating_that_commits_after_a_later_one_is_waited_for(lasting_crowd):
    crowd = lasting_crowd
    crowd.rate(crowd.raters[0])
    first_drawn, may_commit = threading.Event(), threading.Event()

    def linger():
        try:
            with transaction.atomic():
                crowd.rate(crowd.raters[1], crowd.images[:1])
                first_drawn.set()
                may_commit.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=linger)
    thread.start()
    assert first_drawn.wait(30)
    later = Rating.objects.bulk_create(
        [
            Rating(
                dataset=crowd.dataset,
                image=crowd.images[5],
                rater=crowd.raters[2],
                aesthetic=5,
                proof="lease",
                client_agent="t",
                scale_version=1,
            )
        ]
    )
    assert find_safe_horizon(patience=0.1) is None
    assert update_scores(dataset_id=crowd.dataset.pk, policy=POLICY, now=now()).answer_count == 0
    for _ in range(MOST_WAITING + 1):
        assert crowd.take(patience=0.0).is_waiting
    [alarm] = QualityAlarm.objects.all()
    assert (alarm.kind, alarm.value, alarm.task) == ("waiting", MOST_WAITING, "")
    may_commit.set()
    thread.join(60)
    assert crowd.take().answer_count == 14
    assert ScoreCursor.objects.get().waited_count == 0
    assert ScoreCursor.objects.get().rating_id == later[0].pk
    assert connection.in_atomic_block is False


def test_what_is_revised_counts_as_it_is_now_and_was_tested_as_it_was(crowd, adds_up):
    crowd.rate_all()
    rater = Rater.objects.get(identity=make_person().identity_id)
    person = account_caller(rater.identity.user_id, rater.identity_id, "a" * 32)
    for row in crowd.rate(rater, crowd.images[:20]):
        opposite = RatingRevision(11 - row.aesthetic, 1)
        revise_rating(caller=person, rated=row.pk, revision=opposite, prices=current_prices(), now=now())
    crowd.take()
    score = ImageScore.objects.get(image=crowd.images[0], task="aesthetic")
    assert score.rating_count == 13
    # At first they looked; the opposite is what stands in the rows.
    assert RaterScore.objects.get(rater=rater, task="aesthetic").trust_log_e > 3
    assert not RatingChange.objects.exists()
    adds_up()
